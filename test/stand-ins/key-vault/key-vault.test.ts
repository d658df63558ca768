/** The Key Vault stand-in, driven by Microsoft's SDKs over TLS; and what it refuses. */
import assert from 'node:assert/strict'
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ClientSecretCredential } from '@azure/identity'
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys'
import { SecretClient } from '@azure/keyvault-secrets'
import { company, contoso, desktop, gateway } from '../entra/contoso.ts'
import { servicePrincipalOf } from '../entra/directory.ts'
import { type Entra, startEntra, vaultAudience } from '../entra/entra.ts'
import { type KeyVault, startKeyVault } from './key-vault.ts'

let entra: Entra
let vault: KeyVault
let narrow: KeyVault
before(async () => {
  entra = await startEntra(company)
  vault = await startKeyVault({ entra, tenant: contoso })
  narrow = await startKeyVault({ entra, tenant: contoso, access: { [servicePrincipalOf(gateway, contoso)]: ['keys/get'] } })
  setDefaultCACertificates([...getCACertificates('default'), entra.ca])
})
afterEach(() => vault.heal())
after(() => Promise.all([entra.close(), vault.close(), narrow.close()]))

const retryOptions = { retryDelayInMs: 1, maxRetryDelayInMs: 1 }
const settings = { disableChallengeResourceVerification: true, retryOptions }
const credential = () =>
  new ClientSecretCredential(contoso, gateway.clientId, gateway.secrets[0], {
    authorityHost: entra.url,
    disableInstanceDiscovery: true,
  })
const keyClient = (options: object = settings, of = vault) => new KeyClient(of.url, credential(), options)
const secretClient = () => new SecretClient(vault.url, credential(), settings)
const cryptography = async (name: string, of = vault) =>
  new CryptographyClient(await keyClient(settings, of).getKey(name), credential(), settings)
const dek = randomBytes(32)

describe('the SDKs are refused', () => {
  const rows: readonly (readonly [why: string, attempt: () => Promise<unknown>, status: number, code: string])[] = [
    ['a key that is not there', () => keyClient().getKey('nowhere'), 404, 'KeyNotFound'],
    ['a secret that is not there', () => secretClient().getSecret('nowhere'), 404, 'SecretNotFound'],
    [
      'a version that is not there',
      () => (vault.rotateKey('one'), keyClient().getKey('one', { version: '0'.repeat(32) })),
      404,
      'KeyNotFound',
    ],
    [
      'a disabled key does not unwrap',
      async () => {
        vault.rotateKey('off')
        const client = await cryptography('off')
        const { result } = await client.wrapKey('RSA-OAEP-256', dek)
        vault.disableKey('off')
        return client.unwrapKey('RSA-OAEP-256', result)
      },
      403,
      'Forbidden',
    ],
    [
      'a disabled secret',
      () => (vault.setSecret('gone', 'x'), vault.disableSecret('gone'), secretClient().getSecret('gone')),
      403,
      'Forbidden',
    ],
    [
      'what was wrapped by somebody else does not unwrap',
      async () => (vault.rotateKey('mine'), (await cryptography('mine')).unwrapKey('RSA-OAEP-256', randomBytes(256))),
      400,
      'BadParameter',
    ],
    [
      'who may only look',
      async () => (narrow.rotateKey('look'), (await cryptography('look', narrow)).unwrapKey('RSA-OAEP-256', randomBytes(256))),
      403,
      'Forbidden',
    ],
  ]
  for (const [why, attempt, status, code] of rows)
    it(why, () =>
      assert.rejects(attempt(), (error: { statusCode: number; code: string }) => {
        assert.deepEqual([error.statusCode, error.code], [status, code])
        return true
      }),
    )

  it('a challenge for another host, unless the check is off', async () => {
    vault.rotateKey('one')
    await assert.rejects(keyClient({ retryOptions }).getKey('one'), /does not match the requested domain/)
  })
})

describe('tokens are refused', () => {
  const about = { client: gateway.clientId, resource: vaultAudience }
  const rows: readonly (readonly [why: string, token: () => string | undefined])[] = [
    ['none', () => undefined],
    ['for another resource', () => entra.issue({ ...about, resource: 'https://graph.microsoft.com' })],
    [
      'of a person in another tenant',
      () => entra.issue({ ...about, claims: { iss: entra.issuers.v1.replace('{tenantid}', 'other') } }),
    ],
    ['of a stranger', () => entra.issue({ ...about, key: 'unknown' })],
    ['that are over', () => entra.issue({ ...about, claims: { exp: 1 } })],
    ['of a client of the same tenant for itself', () => entra.issue({ client: desktop.clientId, resource: gateway.clientId })],
  ]
  for (const [why, token] of rows)
    it(`${why}: with the challenge`, async () => {
      vault.rotateKey('one')
      const bearer = token()
      const headers: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
      const response = await fetch(`${vault.url}/keys/one?api-version=7.6`, { headers })
      assert.equal(response.status, 401)
      assert.equal(
        response.headers.get('www-authenticate'),
        `Bearer authorization="${entra.url}/${contoso}", resource="https://vault.azure.net"`,
      )
      assert.match(await response.text(), /"code":"Unauthorized","message":"AKV100/)
    })
  it('a request without a version is told so', async () => {
    const response = await fetch(`${vault.url}/keys/one`, { headers: { authorization: `Bearer ${entra.issue(about)}` } })
    assert.deepEqual([response.status, /BadParameter/.test(await response.text())], [400, true])
  })
})

describe('the SDKs', () => {
  it('wrap a key and unwrap it; both are asked of the vault', async () => {
    const version = vault.rotateKey('kek')
    const client = await cryptography('kek')
    const wrapped = await client.wrapKey('RSA-OAEP-256', dek)
    assert.notDeepEqual(Buffer.from(wrapped.result), dek)
    assert.deepEqual(Buffer.from((await client.unwrapKey('RSA-OAEP-256', wrapped.result)).result), dek)
    assert.equal(wrapped.keyID, `${vault.url}/keys/kek/${version}`)
    const paths = [vault.journal('wrapkey').at(-1), vault.journal('unwrapkey').at(-1)].map((entry) => entry?.path)
    assert.deepEqual(paths, [`/keys/kek/${version}/wrapkey`, `/keys/kek/${version}/unwrapkey`])
  })
  it('what was wrapped with the public key alone is unwrapped too', async () => {
    vault.rotateKey('kek')
    const { key } = await keyClient().getKey('kek')
    const jwk = {
      kty: 'RSA',
      n: Buffer.from(key?.n ?? []).toString('base64url'),
      e: Buffer.from(key?.e ?? []).toString('base64url'),
    }
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    const wrapped = publicEncrypt({ key: createPublicKey({ key: jwk, format: 'jwk' }), padding, oaepHash: 'sha256' }, dek)
    assert.deepEqual(Buffer.from((await (await cryptography('kek')).unwrapKey('RSA-OAEP-256', wrapped)).result), dek)
  })
  it('the first call of a client has no token and no body; the challenge tells it where to go', async () => {
    const before = vault.journal().length
    vault.setSecret('fresh', 'value')
    await secretClient().getSecret('fresh')
    assert.deepEqual(
      vault
        .journal()
        .slice(before)
        .map(({ status, body, headers }) => [status, body, 'authorization' in headers]),
      [
        [401, '', false],
        [200, '', true],
      ],
    )
  })
  it('after a rotation the newest version wraps, and the old one still unwraps', async () => {
    const first = vault.rotateKey('turning')
    const old = await cryptography('turning')
    const { result } = await old.wrapKey('RSA-OAEP-256', dek)
    const second = vault.rotateKey('turning')
    assert.notEqual(first, second)
    assert.equal((await keyClient().getKey('turning')).properties.version, second)
    assert.deepEqual(Buffer.from((await old.unwrapKey('RSA-OAEP-256', result)).result), dek)
  })
  it('a key that is enabled again', async () => {
    vault.rotateKey('back')
    const client = await cryptography('back')
    const { result } = await client.wrapKey('RSA-OAEP-256', dek)
    vault.disableKey('back')
    assert.equal((await keyClient().getKey('back')).properties.enabled, false)
    vault.enableKey('back')
    assert.deepEqual(Buffer.from((await client.unwrapKey('RSA-OAEP-256', result)).result), dek)
  })
  it('a secret, and one of its versions', async () => {
    const first = vault.setSecret('database', 'one')
    vault.setSecret('database', 'two')
    const client = secretClient()
    assert.equal((await client.getSecret('database')).value, 'two')
    const { value, properties } = await client.getSecret('database', { version: first })
    assert.deepEqual([value, properties.version, properties.enabled], ['one', first, true])
  })
  it('wait out throttling', async () => {
    vault.setSecret('busy', 'value')
    const client = secretClient()
    await client.getSecret('busy')
    vault.fail('secret', { status: 429, retryAfterSeconds: 0, times: 2 })
    assert.equal((await client.getSecret('busy')).value, 'value')
    const statuses = vault
      .journal('secret')
      .slice(-3)
      .map(({ status }) => status)
    assert.deepEqual(statuses, [429, 429, 200])
  })
})
