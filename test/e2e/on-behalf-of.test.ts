/**
 * Calls on behalf of a person (Microsoft identity platform, "OAuth 2.0 On-Behalf-Of flow" and "Claims challenges"; TPT-C3): the
 * gateway as a process before a server that takes tokens of Entra alone. The stand-in of Entra and MSAL are its counterparts.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { PublicClientApplication } from '@azure/msal-node'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { type Got, modern } from '../attacks/support/client.ts'
import { type Echo, echo, saying } from '../attacks/support/echo.ts'
import { passed, refused, textOf } from '../attacks/support/house.ts'
import { ada, gateway as app, bo, company, contoso, crm, desktop, editor, guest, single } from '../stand-ins/entra/contoso.ts'
import { type Entra, startEntra } from '../stand-ins/entra/entra.ts'
import { visitor } from '../stand-ins/entra/visitor.ts'
import { freePort } from './support/free-port.ts'
import { Person } from './support/person.ts'
import { Memory, SignedIn } from './support/signed-in.ts'
import { until } from './support/until.ts'
import { cli, configFor, type Running, Yard } from './support/yard.ts'

const yard = new Yard()
const tools = yard.folder()
const scope = `${crm.identifierUris[0]}/records.read`
let entra: Entra
let upstream: Echo
let env: NodeJS.ProcessEnv
let base: string

before(async () => {
  const port = await freePort()
  base = `http://127.0.0.1:${port}`
  // What it needs in Azure: an address to come back to, and leave to have a token for itself in the name of people.
  const registered = {
    ...app,
    redirectUris: { web: [`${base}/oauth/callback`] },
    permissions: [...app.permissions, { resource: app.clientId, scopes: ['mcp.access'], adminConsent: true }],
  }
  entra = await startEntra({ ...company, apps: company.apps.map((one) => (one === app ? registered : one)) })
  writeFileSync(join(tools, 'ca.pem'), entra.ca)
  setDefaultCACertificates([...getCACertificates('default'), entra.ca])
  env = { ...process.env, NODE_EXTRA_CA_CERTS: join(tools, 'ca.pem'), APP_SECRET: app.secrets[0] }
  upstream = await takesTokensOf(entra)
})
afterEach(() => {
  entra.heal()
  entra.clearConditions()
})
after(async () => {
  await yard.close()
  await Promise.all([entra.close(), upstream.close()])
})

/** A server that says whose token it was shown, and takes none that is not for it. */
async function takesTokensOf({ jwks, issuers }: Entra): Promise<Echo> {
  const issuer = issuers.v1.replace('{tenantid}', contoso)
  const bearerOf = (authorization = ''): string => authorization.slice('Bearer '.length)
  const one: Echo = await echo({
    tools: [{ name: 'whoami', inputSchema: { type: 'object' } }],
    answers: {
      'tools/call': ({ request }) => {
        const { oid, appid, scp = '', roles = [] } = decodeJwt(bearerOf(request.headers.authorization))
        return saying(JSON.stringify({ oid, appid, scp, roles }))
      },
    },
    listen: (listener) =>
      createServer((request, response) => {
        const keys = createLocalJWKSet(jwks() as unknown as JSONWebKeySet)
        jwtVerify(bearerOf(request.headers.authorization), keys, { issuer, audience: crm.identifierUris[0] }).then(
          () => listener(request, response),
          () => {
            one.heard.push({ line: 'refused', headers: request.headers, rawHeaders: request.rawHeaders, body: '', message: {} })
            response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
          },
        )
      }),
  })
  return one
}

async function start(folder: string, config: object, more: NodeJS.ProcessEnv = {}): Promise<Running> {
  writeFileSync(join(folder, 'sekisho.yaml'), JSON.stringify(config))
  const args = [cli, 'start', '--config', join(folder, 'sekisho.yaml'), '--json']
  const started = yard.start(args, { cwd: folder, env: { ...env, ...more } })
  await until('the gateway is ready', () => {
    if (started.child.exitCode !== null) throw new Error([...started.out, ...started.errors].join('\n'))
    return started.out.some((line) => line.startsWith('{"event":"ready"'))
  })
  return started
}
async function stop({ child, ended }: Running): Promise<void> {
  child.kill('SIGTERM')
  await ended
}

const onBehalfOf = () => ({
  ...{ kind: 'on-behalf-of', tenant: contoso, authority: entra.url, clientId: app.clientId },
  ...{ clientSecret: 'env:APP_SECRET', scope },
})
const configOf = (identity: object, credential: object, bindings: readonly object[]): object =>
  configFor(
    { crm: { url: upstream.url, era: 'modern', transport: 'streamable-http', credential, tools: { read: ['*'] } } },
    { listen: base.slice('http://'.length), identity, bindings: bindings.map((binding) => ({ role: 'all', ...binding })) },
  )
const resourceServer = () => ({
  mode: 'resource-server',
  // With a client of its own it can ask for the groups of somebody who is in more than a token holds.
  provider: {
    kind: 'entra',
    tenant: contoso,
    authority: entra.url,
    graph: entra.url,
    clientId: app.clientId,
    clientSecret: 'env:APP_SECRET',
  },
  audience: app.clientId,
})
const call = (token: string): Promise<Got> =>
  modern(`${base}/crm/mcp`, 'tools/call', { name: 'whoami', arguments: {} }, { token })
const shown = (): Set<string> =>
  new Set(upstream.heard.flatMap(({ headers }) => headers.authorization?.slice('Bearer '.length) ?? []))
const exchanges = () => entra.journal('token').filter(({ form }) => form['requested_token_use'] === 'on_behalf_of')

/** Everything in the folder of a gateway, and all that it said. */
function written(folder: string, { out, errors }: Running): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.includes('.'))
  assert.ok(files.some((file) => file.endsWith('.db')))
  return [...files.map((file) => readFileSync(join(folder, file), 'latin1')), ...out, ...errors].join('\n')
}
function isNowhereIn(text: string, tokens: Iterable<string>): void {
  for (const token of tokens)
    for (const part of token.split('.')) assert.ok(part.length < 12 || !text.includes(part.slice(0, 40)))
}

describe('on behalf of a person whose token of Entra came with the call', { concurrency: false }, () => {
  const folder = yard.folder()
  let running: Running
  before(async () => {
    running = await start(folder, configOf(resourceServer(), onBehalfOf(), [{ scope: 'mcp.access' }, { appRole: 'Reader' }]))
  })
  after(() => stop(running))
  const tokenOf = (user: { oid: string } | undefined, more: object = {}): string =>
    entra.issue({ client: desktop.clientId, user: user?.oid, resource: app.clientId, scopes: ['mcp.access'], ...more })
  const sent: string[] = []

  it('a program of its own, without a person, is refused: there is nobody to act for', async () => {
    const alone = entra.issue({ client: app.clientId, resource: app.clientId, claims: { roles: ['Reader'], scp: undefined } })
    refused(await call(alone), 403, 'CREDENTIAL_SUBJECT', /used on behalf of a person, and you came without a token/)
    assert.deepEqual([exchanges().length, shown().size], [0, 0])
  })

  it('the server is shown a token of its own, in the name of the person', async () => {
    for (const user of [ada, bo]) {
      const token = tokenOf(user)
      sent.push(token)
      const { oid, appid, scp } = JSON.parse(textOf(await call(token))) as Record<string, unknown>
      assert.deepEqual([oid, appid, scp], [user.oid, app.clientId, 'records.read'])
    }
  })

  it('one exchange, however many calls; with the token of the person as assertion, and nothing else of theirs', async () => {
    const token = sent[0] as string
    const before = exchanges().length
    await Promise.all(Array.from({ length: 20 }, async () => passed(await call(token))))
    assert.equal(exchanges().length, before)
    const { form } = exchanges()[0] as { form: Record<string, string> }
    assert.deepEqual(
      { ...form, client_secret: '-', assertion: '-' },
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        requested_token_use: 'on_behalf_of',
        client_id: app.clientId,
        client_secret: '-',
        assertion: '-',
        scope,
      },
    )
    assert.equal(form['assertion'], token)
  })

  it('conditional access: the caller is told what to bring, brings it, and gets through', async () => {
    const authority = `${entra.url}/${contoso}`
    const auth = {
      clientId: desktop.clientId,
      authority,
      knownAuthorities: [new URL(entra.url).host],
      clientCapabilities: ['CP1'],
    }
    const client = new PublicClientApplication({ auth })
    const browser = visitor()
    const signIn = async (claims?: string): Promise<string> => {
      const asked = {
        scopes: [`api://${app.clientId}/mcp.access`],
        redirectUri: 'http://localhost:51234',
        ...(claims && { claims }),
      }
      const { answer } = await browser.visit(await client.getAuthCodeUrl(asked), guest)
      return (await client.acquireTokenByCode({ ...asked, code: answer.get('code') as string })).accessToken
    }
    entra.requireClaims({ app: crm.clientId }, 'c1')
    const weak = await signIn()
    const got = await call(weak)
    refused(got, 401, 'CLAIMS_REQUIRED', /wants more of you before the server "crm" may be used/)
    const [, claims = ''] =
      /^Bearer .*error="insufficient_claims".*claims="([A-Za-z0-9+/=]+)"/.exec(String(got.headers['www-authenticate'])) ?? []
    const wanted = Buffer.from(claims, 'base64').toString()
    assert.deepEqual(JSON.parse(wanted), { access_token: { acrs: { essential: true, value: 'c1' } } })
    const before = exchanges().length
    refused(await call(weak), 401, 'CLAIMS_REQUIRED', /./)
    assert.ok(exchanges().length <= before + 1)
    const strong = await signIn(wanted)
    sent.push(weak, strong)
    assert.equal((JSON.parse(textOf(await call(strong))) as { oid: string }).oid, guest.oid)
    assert.equal(exchanges().at(-1)?.form['assertion'], strong)
  })

  it('what is exchanged is what the person came with last, and not what the first call had', async () => {
    const holder = { client: editor.clientId }
    entra.fail('token', { status: 503, times: 1 })
    const first = tokenOf(ada, holder)
    refused(await call(first), 503, 'CREDENTIAL_UNAVAILABLE', /answered temporarily_unavailable/)
    const next = tokenOf(ada, { ...holder, acrs: ['c1'] })
    sent.push(first, next)
    await until('it has been waited out', async () => (await call(next)).status === 200)
    assert.equal(exchanges().at(-1)?.form['assertion'], next)
  })

  it('a person who was disabled is refused at the provider, and so here', async () => {
    entra.disableUser(ada.oid)
    try {
      const token = tokenOf(ada, { client: single.clientId })
      sent.push(token)
      refused(await call(token), 503, 'CREDENTIAL_UNAVAILABLE', /AADSTS50057/)
    } finally {
      entra.enableUser(ada.oid)
    }
  })

  it('TPT-C3: the token of the person went to the token endpoint alone', async () => {
    isNowhereIn(upstream.everything(), sent)
    assert.equal([...shown()].filter((one) => sent.includes(one)).length, 0)
    const others = entra.journal().filter(({ endpoint }) => endpoint !== 'token')
    isNowhereIn(JSON.stringify(others), sent)
    isNowhereIn(written(folder, running), [...sent, ...shown(), app.secrets[0]])
  })
})

describe('on behalf of a person who logged in here', { concurrency: false }, () => {
  const folder = yard.folder()
  const memory = new Memory('Try')
  let running: Running
  const identity = () => ({
    mode: 'authorization-server',
    provider: { kind: 'entra', tenant: contoso, authority: entra.url, clientId: app.clientId, clientSecret: 'env:APP_SECRET' },
  })
  const config = () => configOf(identity(), onBehalfOf(), [{ scope: 'mcp:read' }])
  before(async () => {
    upstream.heard.length = 0
    running = await start(folder, config())
  })
  after(() => stop(running))
  /** What was given for a person to the gateway, and by it. */
  const tokens = (): string[] =>
    entra.journal('token').flatMap(({ form }) => [form['refresh_token'], form['assertion']].filter((one) => one !== undefined))
  const refreshes = () => entra.journal('token').filter(({ form }) => form['grant_type'] === 'refresh_token')

  it('what the provider gave at the login is exchanged for a token for us, and that for one for the server', async () => {
    const client = await SignedIn.open(`${base}/crm/mcp`, new Person(ada.username, [base, entra.url]), 'modern', memory)
    const { oid, appid, scp } = JSON.parse((await client.call('whoami')).text) as Record<string, unknown>
    assert.deepEqual([oid, appid, scp], [ada.oid, app.clientId, 'records.read'])
    await client.close()
    assert.deepEqual(
      refreshes().map(({ form }) => form['scope']),
      [`${app.clientId}/.default`],
    )
    const { aud, oid: of } = decodeJwt(exchanges().at(-1)?.form['assertion'] as string)
    assert.deepEqual([aud, of], [app.clientId, ada.oid])
  })

  it('the server sees neither our token nor the provider’s, and the provider not ours', () => {
    const ours = memory.held?.access_token as string
    isNowhereIn(upstream.everything(), [ours, ...tokens()])
    isNowhereIn(JSON.stringify(entra.journal()), [ours])
  })

  it('none of them lies in a file, in the log of the database or in what was said', () => {
    const secrets = [...tokens(), ...shown(), app.secrets[0], memory.held?.refresh_token ?? '', memory.held?.access_token ?? '']
    assert.ok(secrets.every((one) => one !== '') && secrets.length > 5)
    isNowhereIn(written(folder, running), secrets)
  })

  it('after a restart it is asked for again with what the vault has kept', async () => {
    await stop(running)
    running = await start(folder, config())
    const client = await SignedIn.open(`${base}/crm/mcp`, new Person(ada.username, []), 'modern', memory)
    assert.equal((JSON.parse((await client.call('whoami')).text) as { oid: string }).oid, ada.oid)
    await client.close()
    assert.equal(client.landings.length, 0)
    assert.equal(refreshes().length, 2)
  })

  it('a person who was disabled meanwhile is refused, and has to sign in again', async () => {
    await stop(running)
    running = await start(folder, config())
    entra.disableUser(ada.oid)
    try {
      refused(await call(memory.held?.access_token as string), 403, 'CREDENTIAL_SUBJECT', /you came without a token/)
    } finally {
      entra.enableUser(ada.oid)
    }
  })
})
