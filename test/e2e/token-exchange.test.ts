/**
 * A token of the server's own for each person, exchanged at one authorization server (RFC 8693) and over two (an ID-JAG, MCP
 * "Enterprise-Managed Authorization"): the gateway as a process, the counterparts checking all that they are shown.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { modern } from '../attacks/support/client.ts'
import { type Echo, echo, saying } from '../attacks/support/echo.ts'
import { refused, textOf } from '../attacks/support/house.ts'
import { ada, gateway as app, bo, company, contoso, desktop, guest } from '../stand-ins/entra/contoso.ts'
import { type Entra, startEntra } from '../stand-ins/entra/entra.ts'
import { type ExchangeServers, startExchange } from '../stand-ins/exchange.ts'
import { freePort } from './support/free-port.ts'
import { until } from './support/until.ts'
import { cli, configFor, Yard } from './support/yard.ts'

const yard = new Yard()
const client = { clientId: 'sekisho', clientSecret: 'of the gateway alone' }
const clientConfig = { clientId: client.clientId, clientSecret: 'env:EXCHANGE_SECRET', authMethod: 'client_secret_basic' }
let entra: Entra
let exchange: ExchangeServers
let base: string
const upstreams: Record<'direct' | 'federated', Echo> = {} as never
const closers: (() => unknown)[] = []

/** Answers with the name of whom the token it was shown is of. */
const whoami = (): Promise<Echo> =>
  echo({
    tools: [{ name: 'whoami', inputSchema: { type: 'object' } }],
    answers: { 'tools/call': ({ request }) => saying(request.headers.authorization?.slice('Bearer '.length) ?? 'no token') },
  })

before(async () => {
  entra = await startEntra(company)
  closers.push(() => entra.close())
  const keys = createLocalJWKSet(entra.jwks() as unknown as JSONWebKeySet)
  exchange = await startExchange({
    ...client,
    async person(subjectToken) {
      const { payload } = await jwtVerify(subjectToken, keys, { audience: app.clientId })
      if (payload['oid'] === bo.oid) throw new Error('a person that it does not know')
      return String(payload['oid'])
    },
  })
  closers.push(() => exchange.close())
  for (const name of ['direct', 'federated'] as const) {
    upstreams[name] = await whoami()
    closers.push(() => upstreams[name].close())
  }
  const port = await freePort()
  base = `http://127.0.0.1:${port}`
  const server = (url: string, credential: object) => ({
    ...{ url, credential, era: 'modern', transport: 'streamable-http', tools: { read: ['*'] } },
  })
  const direct = { kind: 'token-exchange', issuer: exchange.idp, ...clientConfig, scope: 'crm.read' }
  const federated = {
    ...{ kind: 'id-jag', idp: { issuer: exchange.idp, ...clientConfig } },
    ...{ issuer: exchange.resourceIssuer, ...clientConfig, scope: 'crm.read' },
  }
  const config = configFor(
    { direct: server(upstreams.direct.url, direct), federated: server(upstreams.federated.url, federated) },
    {
      listen: `127.0.0.1:${port}`,
      identity: {
        mode: 'resource-server',
        provider: {
          kind: 'entra',
          tenant: contoso,
          authority: entra.url,
          graph: entra.url,
          clientId: app.clientId,
          clientSecret: 'env:APP_SECRET',
        },
        audience: app.clientId,
      },
      bindings: [{ role: 'all', scope: 'mcp.access' }],
    },
  )
  const folder = yard.folder()
  writeFileSync(join(folder, 'ca.pem'), entra.ca)
  writeFileSync(join(folder, 'sekisho.yaml'), JSON.stringify(config))
  const env = {
    ...process.env,
    NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    EXCHANGE_SECRET: client.clientSecret,
    APP_SECRET: app.secrets[0],
  }
  const started = yard.start([cli, 'start', '--config', join(folder, 'sekisho.yaml'), '--json'], { cwd: folder, env })
  await until('the gateway is ready', () => started.out.some((line) => line.startsWith('{"event":"ready"')))
})
after(async () => {
  await yard.close()
  await Promise.all(closers.map((close) => close()))
})

const tokenOf = (user: { oid: string }): string =>
  entra.issue({ client: desktop.clientId, user: user.oid, resource: app.clientId, scopes: ['mcp.access'] })
const call = (server: string, token: string) =>
  modern(`${base}/${server}/mcp`, 'tools/call', { name: 'whoami', arguments: {} }, { token })
const askedOf = (at: 'idp' | 'resource') => exchange.asked.filter((one) => one.at === at)

for (const server of ['direct', 'federated'] as const)
  it(`${server}: each person is shown as who they are, with a token for this server alone`, async () => {
    for (const user of [ada, guest]) {
      const token = tokenOf(user)
      const shown = textOf(await call(server, token))
      assert.notEqual(shown, token)
      assert.equal(await exchange.accepted(shown, upstreams[server].url), user.oid)
      const other = server === 'direct' ? 'federated' : 'direct'
      await assert.rejects(exchange.accepted(shown, upstreams[other].url), /aud/)
    }
  })

it('twenty calls of one person are one exchange; the grant between the servers is used once', async () => {
  const token = tokenOf(ada)
  await call('federated', token)
  const before = exchange.asked.length
  await Promise.all(Array.from({ length: 20 }, async () => assert.equal((await call('federated', token)).status, 200)))
  assert.equal(exchange.asked.length, before)
  const grants = askedOf('resource').map(({ form }) => form['assertion'])
  assert.equal(new Set(grants).size, grants.length)
})

it('the person’s token goes to the one that exchanges it, and neither to the second nor to a server', () => {
  const subjects = askedOf('idp').map(({ form }) => form['subject_token'] as string)
  assert.ok(subjects.length >= 4)
  for (const token of subjects) {
    assert.ok(!JSON.stringify(askedOf('resource')).includes(token))
    for (const upstream of Object.values(upstreams)) assert.ok(!upstream.everything().includes(token))
  }
})

it('somebody whom the exchanging server does not know is refused, and the server is not asked', async () => {
  const before = upstreams.direct.heard.length
  const unknown = tokenOf(bo)
  refused(await call('direct', unknown), 503, 'CREDENTIAL_UNAVAILABLE', /invalid_grant/)
  assert.equal(upstreams.direct.heard.length, before)
})
