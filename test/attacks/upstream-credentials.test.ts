/**
 * With whose key a call leaves (TPT-R4, TPT-R5, TPT-C3, TPT-C4; cves.md: Obot 1daa1eef4). Three servers that check their tokens, an
 * authorization server that nobody here wrote, and what each of them gets to see.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { type AuthorizationServer, authorizationServer, guarded, secret } from './support/authorization-server.ts'
import { Legacy, modern, modernParts, send } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { httpServer, keyed, open, passed, refused, startIn, yard } from './support/house.ts'
import { naive } from './support/naive.ts'

const house = yard()
const { identity, bindings, tokens } = keyed(['ci', 'night'])
const own = tokens['ci'] as string
const staticKey = 'static-key-of-the-fourth-server'
let as: AuthorizationServer
let servers: Record<'one' | 'two' | 'three', Echo>
let fourth: Echo
let elsewhere: Echo
let mover: Echo
let sly: Echo
let gateway: Awaited<ReturnType<typeof startIn>>
const call = { name: 'read_note', arguments: {} }

before(async () => {
  as = await authorizationServer()
  servers = { one: await guarded(as), two: await guarded(as), three: await guarded(as, { era: 'legacy' }) }
  fourth = await echo()
  elsewhere = await echo()
  mover = await echo({ handler: (_, __, response) => void response.writeHead(307, { location: elsewhere.url }).end() })
  const challenge = (port: number) => `Bearer resource_metadata="http://127.0.0.1:${port}/metadata", scope="everything"`
  sly = await echo({
    handler: (_, __, response) => void response.writeHead(401, { 'www-authenticate': challenge(elsewhere.port) }).end(),
  })
  const credential = { kind: 'client-credentials', issuer: as.issuer, clientId: 'sekisho', clientSecret: 'env:AS_SECRET' }
  const fixed = { kind: 'static', secret: 'env:STATIC_KEY' }
  const config = open(
    {
      one: httpServer(servers.one, 'modern', { credential }),
      two: httpServer(servers.two, 'modern', { credential }),
      three: httpServer(servers.three, 'legacy', { credential }),
      fourth: httpServer(fourth, 'modern', { credential: fixed }),
      mover: httpServer(mover, 'modern', { credential: fixed }),
      sly: httpServer(sly, 'modern', { credential }),
    },
    { identity, bindings },
  )
  gateway = await startIn(house, config, { AS_SECRET: secret, STATIC_KEY: staticKey })
})
after(async () => {
  await house.close()
  await Promise.all([as, ...Object.values(servers), fourth, elsewhere, mover, sly].map((one) => one.close()))
})

const shownTo = (server: Echo): Set<string> => new Set(server.heard.flatMap(({ headers }) => headers.authorization ?? []))
const everywhere = (): Echo[] => [...Object.values(servers), fourth, elsewhere, mover, sly]
const ask = (server: string, token = own) => modern(`${gateway.url}/${server}/mcp`, 'tools/call', call, { token })

it('the exploit (TPT-R5): behind a relay each server has a token that opens the next one', async () => {
  const [a, b] = await Promise.all([echo(), echo()])
  const relay = await naive(a.url)
  const { body, headers } = modernParts('tools/list', {})
  await send(relay.url, { body, headers: { ...headers, authorization: 'Bearer of-the-user' } })
  const stolen = a.heard[0]?.headers.authorization as string
  const got = await send(b.url, { body, headers: { ...headers, authorization: stolen } })
  assert.deepEqual([stolen, got.status], ['Bearer of-the-user', 200])
  await Promise.all([relay.close(), a.close(), b.close()])
})

describe('TPT-R4: each server sees a credential that was made for it, and no other', () => {
  it('calls go through to all of them, from clients of both eras, one token request each', async () => {
    for (const server of ['one', 'two', 'three', 'fourth']) {
      await Promise.all(Array.from({ length: 25 }, async () => passed(await ask(server))))
      const session = await Legacy.open(`${gateway.url}/${server}/mcp`, { token: tokens['night'] as string })
      passed(await session.call('tools/call', call))
    }
    assert.equal(as.heard.filter(({ line }) => line === 'POST /token').length, 3)
  })

  it('the tokens are disjoint, and each is for the server that has it', () => {
    const sets = Object.values(servers).map(shownTo)
    assert.deepEqual(
      sets.map(({ size }) => size),
      [1, 1, 1],
    )
    assert.equal(new Set(sets.flatMap((set) => [...set])).size, 3)
    for (const server of Object.values(servers)) {
      const [shown = ''] = shownTo(server)
      assert.equal(decodeJwt(shown.slice('Bearer '.length)).aud, server.url)
    }
    assert.deepEqual([...shownTo(fourth)], [`Bearer ${staticKey}`])
  })

  it('every request carries it: the standing GET and the DELETE of a session too', async () => {
    const session = await Legacy.open(`${gateway.url}/three/mcp`, { token: own })
    passed(await session.call('tools/call', call))
    await send(session.url, { method: 'DELETE', headers: session.headers() })
    assert.deepEqual(
      servers.three.heard.filter(({ headers }) => headers.authorization === undefined),
      [],
    )
  })
})

describe('TPT-R5: what one server has received opens nothing else', () => {
  it('neither at the next server, nor at the gateway', async () => {
    const { body, headers } = modernParts('tools/call', call)
    for (const [name, server] of Object.entries(servers)) {
      const [stolen = ''] = shownTo(server)
      const others = Object.entries(servers).filter(([other]) => other !== name)
      for (const [, other] of others)
        assert.equal((await send(other.url, { body, headers: { ...headers, authorization: stolen } })).status, 401)
      refused(
        await modern(`${gateway.url}/${name}/mcp`, 'tools/call', call, { token: stolen.slice('Bearer '.length) }),
        401,
        'UNAUTHENTICATED',
        /./,
      )
    }
  })
})

describe('TPT-C3: what a client shows to us goes neither to a server nor to an authorization server', () => {
  it('in no header and no body, of any of them', () => {
    const seen = [...everywhere().map((one) => one.everything()), JSON.stringify(as.heard)].join('\n')
    assert.ok(seen.includes('client_credentials') && seen.includes('read_note'))
    for (const token of Object.values(tokens)) for (const part of [token, token.slice(6, 30)]) assert.ok(!seen.includes(part))
  })

  it('and the secret of the gateway goes to its authorization server alone', () => {
    const seen = everywhere()
      .map((one) => one.everything())
      .join('\n')
    for (const part of [secret, Buffer.from(`sekisho:${secret}`).toString('base64')]) assert.ok(!seen.includes(part))
    assert.ok(
      as.heard.some(({ headers }) => headers.authorization === `Basic ${Buffer.from(`sekisho:${secret}`).toString('base64')}`),
    )
  })
})

describe('a server that wants our credential elsewhere', () => {
  it('by a redirect: it is not followed, and nothing arrives there', async () => {
    refused(await ask('mover'), 502, 'UPSTREAM_UNAVAILABLE', /./)
    assert.deepEqual([shownTo(mover).size, elsewhere.heard.length], [1, 0])
  })

  it('by naming metadata and scopes of its choice: our client is shown to no other authorization server', async () => {
    const before = as.heard.filter(({ line }) => line === 'POST /token').length
    refused(await ask('sly'), 502, 'CREDENTIAL_REFUSED', /does not accept the credential/)
    assert.deepEqual(elsewhere.heard, [])
    const after = as.heard.filter(({ line }) => line === 'POST /token').length
    assert.ok(after - before <= 2, `${after - before} token requests for one call`)
  })
})

it('TOK-C5: no credential is printed, and none is in a file of ours', () => {
  const shown = everywhere()
    .flatMap((one) => [...shownTo(one)])
    .map((header) => header.slice('Bearer '.length))
  assert.ok(shown.length >= 5)
  const files = ['audit.db', 'audit.db-wal', 'audit.anchor', 'sekisho.db', 'sekisho.db-wal'].map((file) =>
    join(gateway.folder, 'data', file),
  )
  const texts = [
    ...gateway.out,
    ...gateway.errors,
    ...files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'latin1')),
  ].join('\n')
  for (const one of [...shown, secret, staticKey]) assert.ok(!texts.includes(one))
})
