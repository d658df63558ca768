/**
 * A vault whose key is in Azure Key Vault, from the command line: the gateway as a process, the stand-ins of Key Vault and
 * Entra over TLS, and each way in which a machine proves there who it is. What is kept is a user's connection to an upstream.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { inspect } from 'node:util'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { configuredVault } from '../../src/admin/configured-vault.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import { parseConfig } from '../../src/config/load.ts'
import { openStore } from '../../src/storage/embedded.ts'
import type { OpenedVault } from '../../src/vault/open-vault.ts'
import { gateway as app, company, contoso } from '../stand-ins/entra/contoso.ts'
import { type Entra, startEntra, vaultAudience } from '../stand-ins/entra/entra.ts'
import { type KeyVault, startKeyVault } from '../stand-ins/key-vault/key-vault.ts'
import { type OpenId, startOpenId } from '../stand-ins/openid.ts'
import { freePort } from './support/free-port.ts'
import { Person } from './support/person.ts'
import { until } from './support/until.ts'
import { cli, configFor, type Ended, type Running, Yard } from './support/yard.ts'

const yard = new Yard()
const tools = yard.folder()
const tokenFile = join(tools, 'token')
const platform = 'https://kubernetes.stand-in.test'
const subject = 'system:serviceaccount:sekisho:gateway'
let entra: Entra
let vault: KeyVault
let env: NodeJS.ProcessEnv

before(async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' }] }
  const federated = { ...app, federations: [{ issuer: platform, subject, keys }] }
  entra = await startEntra({ ...company, apps: company.apps.map((one) => (one === app ? federated : one)) })
  vault = await startKeyVault({ entra, tenant: contoso })
  writeFileSync(join(tools, 'ca.pem'), entra.ca)
  setDefaultCACertificates([...getCACertificates('default'), entra.ca])
  const assertion = new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid: 'one' }).setIssuer(platform).setSubject(subject)
  assertion.setAudience('api://AzureADTokenExchange').setIssuedAt().setExpirationTime('1h')
  writeFileSync(tokenFile, `${await assertion.sign(privateKey)}\n`)
  env = { ...process.env, NODE_EXTRA_CA_CERTS: join(tools, 'ca.pem'), VAULT_SECRET: app.secrets[0], WRONG_SECRET: 'wrong' }
})
afterEach(() => {
  vault.heal()
  entra.heal()
})
after(async () => {
  await yard.close()
  await Promise.all([entra.close(), vault.close(), ...stores.map((store) => store.close())])
})

const stores: { close(): Promise<void> }[] = []
const issuer = (): string => `${entra.authority(contoso)}/v2.0`
const credentials: Readonly<Record<string, () => { readonly credential: object; readonly env?: NodeJS.ProcessEnv }>> = {
  'managed identity (IMDS)': () => ({ credential: { kind: 'managed-identity' }, env: entra.environment('imds') }),
  'managed identity (App Service)': () => ({
    credential: { kind: 'managed-identity', clientId: '66666666-0000-4000-8000-000000000002' },
    env: entra.environment('app-service'),
  }),
  'workload identity': () => ({
    credential: { kind: 'workload-identity', issuer: issuer(), clientId: app.clientId, tokenFile },
  }),
  'client credentials': () => ({
    credential: { kind: 'client-credentials', issuer: issuer(), clientId: app.clientId, clientSecret: 'env:VAULT_SECRET' },
  }),
}

const keyUrl = (name: string): string => `${vault.url}/keys/${name}`
const providerOf = (name: string, credential: object | undefined, changes: object = {}): object => ({
  kind: 'key-vault',
  key: keyUrl(name),
  ...(credential && { credential }),
  ...changes,
})

/** The vault as the gateway opens it, in this process; whoever opens it again has nothing cached. */
async function opened(keyProvider: object, variables: NodeJS.ProcessEnv): Promise<OpenedVault & { again(): OpenedVault }> {
  const config = parseConfig(JSON.stringify(configFor({}, { vault: { keyProvider } })), yard.folder(), readEnvironment(variables))
  const store = await openStore('sqlite::memory:')
  stores.push(store)
  const open = (): OpenedVault => configuredVault({ config, records: store.vault })
  return { ...open(), again: open }
}
const record = { owner: 'user:alice', server: 'notes', kind: 'oauth-grant' }

describe('the key of the vault in Azure Key Vault', { concurrency: false }, () => {
  for (const [says, given] of Object.entries(credentials))
    it(`by ${says}: what is put is got again, and the key never leaves Azure`, async () => {
      vault.rotateKey('tokens')
      const { credential, env: more } = given()
      const { vault: kept, again } = await opened(providerOf('tokens', credential), { ...env, ...more })
      await kept.put(record, 'a-token-of-alice')
      assert.equal(await again().vault.get(record), 'a-token-of-alice')
      const sent = JSON.stringify(vault.journal())
      assert.ok(!sent.includes('a-token-of-alice'))
      const [shown] = new Set(vault.journal('unwrapkey').map(({ headers }) => headers['authorization']?.slice('Bearer '.length)))
      assert.equal(decodeJwt(shown as string).aud, vaultAudience)
    })

  it('asks for one token, however many want it', async () => {
    vault.rotateKey('busy')
    const { credential } = (credentials['client credentials'] as () => { credential: object })()
    const before = entra.journal('token').length
    const { vault: kept } = await opened(providerOf('busy', credential), env)
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => kept.put({ ...record, owner: `user:${at}` }, 'x')), //
    )
    assert.equal(entra.journal('token').length - before, 1)
  })

  it('an outage that is shorter than the cache stops no reading; one without a cache does, and says so', async () => {
    vault.rotateKey('lasting')
    const { credential } = (credentials['client credentials'] as () => { credential: object })()
    for (const cacheMs of [3_600_000, 0]) {
      const { vault: kept } = await opened(providerOf('lasting', credential, { cacheMs }), env)
      await kept.put(record, 'kept')
      for (const endpoint of ['key', 'wrapkey', 'unwrapkey'] as const)
        vault.fail(endpoint, { status: 503, times: Number.POSITIVE_INFINITY, retryAfterSeconds: 0 })
      if (cacheMs > 0) assert.equal(await kept.get(record), 'kept')
      else
        await assert.rejects(kept.get(record), {
          name: 'VaultUnavailable',
          message: /^Azure Key Vault does not answer for .*unwrapkey: status 503$/,
        })
      vault.heal()
    }
  })

  const outages: readonly (readonly [
    says: string,
    credential: () => object,
    more: () => NodeJS.ProcessEnv,
    name: string,
    message: RegExp,
  ])[] = [
    [
      'the metadata service does not answer',
      () => ({ kind: 'managed-identity' }),
      () => ({ AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1' }),
      'VaultUnavailable',
      /^there is no token for Azure Key Vault: the managed identity endpoint cannot be reached$/,
    ],
    [
      'an identity that the machine does not have',
      () => ({ kind: 'managed-identity', clientId: app.clientId }),
      () => entra.environment('imds'),
      'VaultKeyRefused',
      /^there is no token for Azure Key Vault: the managed identity endpoint answered HTTP 400$/,
    ],
    [
      'a wrong secret',
      () => ({ kind: 'client-credentials', issuer: issuer(), clientId: app.clientId, clientSecret: 'env:WRONG_SECRET' }),
      () => ({}),
      'VaultKeyRefused',
      /^there is no token for Azure Key Vault: the authorization server answered invalid_client \(AADSTS7000215\)$/,
    ],
    [
      'a key that is not there',
      () => ({ kind: 'client-credentials', issuer: issuer(), clientId: app.clientId, clientSecret: 'env:VAULT_SECRET' }),
      () => ({}),
      'VaultKeyMissing',
      /has no key .*\/keys\/nowhere \(KeyNotFound\)$/,
    ],
  ]
  for (const [says, credential, more, name, message] of outages)
    it(`${says}: a clear error with what to do, and no secret in it`, async () => {
      const { vault: kept } = await opened(providerOf('nowhere', credential()), { ...env, ...more() })
      await assert.rejects(kept.put(record, 'a-token-of-alice'), (error: Error & { fix?: string }) => {
        assert.deepEqual([error.name, message.test(error.message)], [name, true], error.message)
        assert.ok(error.fix)
        assert.doesNotMatch(inspect(error, { depth: 10 }), /a-token-of-alice|WRONG_SECRET|eyJ|"wrong"/)
        return true
      })
    })
})

describe('sekisho with its key in Azure Key Vault', { concurrency: false }, () => {
  const folder = yard.folder()
  let base: string
  let openid: OpenId
  let running: Running | undefined
  let environment: NodeJS.ProcessEnv
  const credential = { kind: 'managed-identity' }

  before(async () => {
    const port = await freePort()
    base = `http://127.0.0.1:${port}`
    openid = await startOpenId(`${base}/oauth/callback`)
    vault.rotateKey('house')
    environment = { ...env, ...entra.environment('imds'), OPENID_SECRET: openid.clientSecret }
    const { issuer, clientId } = openid
    const provider = { kind: 'oidc', issuer, clientId, clientSecret: 'env:OPENID_SECRET' }
    const identity = { mode: 'authorization-server', provider }
    const changes = {
      listen: `127.0.0.1:${port}`,
      identity,
      bindings: [],
      vault: { keyProvider: providerOf('house', credential) },
    }
    writeFileSync(join(folder, 'sekisho.yaml'), JSON.stringify(configFor({}, changes)))
  })
  after(() => openid.close())

  async function start(env = environment): Promise<Running | Ended> {
    const started = yard.start([cli, 'start', '--config', join(folder, 'sekisho.yaml'), '--json'], { cwd: folder, env })
    const isReady = (): boolean => started.out.some((line) => line.startsWith('{"event":"ready"'))
    await until('the gateway is ready, or has ended', () => isReady() || started.child.exitCode !== null)
    if (!isReady()) await started.ended
    return started
  }
  async function sekisho(
    args: readonly string[],
    env = environment,
  ): Promise<{ readonly code: number | null; readonly text: string }> {
    const ran = yard.start([cli, ...args, '--config', join(folder, 'sekisho.yaml')], { cwd: folder, env })
    const { code } = await ran.ended
    return { code, text: [...ran.out, ...ran.errors].join('\n') }
  }
  async function stop(): Promise<void> {
    running?.child.kill('SIGTERM')
    await running?.ended
  }

  it('starts, and keeps there what the provider gave for a person', async () => {
    running = (await start()) as Running
    await new Person('ada', [base, openid.issuer]).visit(`${base}/oauth/consents`)
    const { code, text } = await sekisho(['vault', 'list', '--json'])
    assert.equal(code, 0, text)
    const rows = JSON.parse(text) as { kind: string; key: string }[]
    assert.deepEqual(
      rows.map(({ kind, key }) => [kind, key.startsWith(`key-vault:${keyUrl('house')}/`)]),
      [['provider-login', true]],
    )
  })

  it('verify opens everything, and waits where it is told to', async () => {
    const before = vault.journal('unwrapkey').length
    vault.fail('unwrapkey', { status: 429, retryAfterSeconds: 1 })
    const { code, text } = await sekisho(['vault', 'verify'])
    assert.equal(code, 0, text)
    assert.match(text, /intact +1 record/)
    const statuses = vault
      .journal('unwrapkey')
      .slice(before)
      .map(({ status }) => status)
    assert.deepEqual(statuses.slice(0, 2), [429, 200])
  })

  it('rotate moves everything to the newest version, while the gateway runs', async () => {
    const refused = await sekisho(['vault', 'rotate'])
    assert.notEqual(refused.code, 0)
    assert.match(refused.text, /has no newer version than the one in use/)
    const version = vault.rotateKey('house')
    const { code, text } = await sekisho(['vault', 'rotate', '--json'])
    assert.equal(code, 0, text)
    const { key, rewrapped, broken } = JSON.parse(text) as { key: string; rewrapped: number; broken: unknown[] }
    assert.deepEqual([key, rewrapped, broken], [`key-vault:${keyUrl('house')}/${version}`, 1, []])
    assert.match((await sekisho(['vault', 'verify'])).text, /intact +1 record/)
  })

  it('with the key disabled nothing opens, and a start is refused with what to do', async () => {
    await stop()
    vault.disableKey('house')
    const { code, text } = await sekisho(['vault', 'verify'])
    assert.equal(code, 1, text)
    assert.match(text, /closed +1 record .*is disabled in Azure Key Vault; enable it/)
    const ended = (await start()) as Running
    assert.notEqual((await ended.ended).code, 0)
    assert.match([...ended.out, ...ended.errors].join('\n'), /is disabled in Azure Key Vault/)
    vault.enableKey('house')
  })

  it('without the metadata service verify says why; the gateway starts, and opens the vault once it is back', async () => {
    const down = { ...environment, AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1' }
    const { code, text } = await sekisho(['vault', 'verify'], down)
    assert.equal(code, 1, text)
    assert.match(text, /there is no token for Azure Key Vault: the managed identity endpoint cannot be reached; check/)
    entra.fail('imds', { status: 500, times: 2 })
    running = (await start()) as Running
    assert.equal(running.child.exitCode, null, [...running.out, ...running.errors].join('\n'))
    await stop()
  })

  it('without a credential the start is refused with what to write', async () => {
    const other = yard.folder()
    writeFileSync(
      join(other, 'sekisho.yaml'),
      JSON.stringify(configFor({}, { vault: { keyProvider: providerOf('house', undefined) } })),
    )
    const ran = yard.start([cli, 'start', '--config', join(other, 'sekisho.yaml')], { cwd: other, env })
    assert.notEqual((await ran.ended).code, 0)
    assert.match(ran.errors.join('\n'), /nobody here has a credential for Azure.*\n?.*give it a "credential"/s)
  })
})
