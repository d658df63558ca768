/**
 * What belongs to one client reaches no other. cves.md: CVE-2026-25536 (GHSA-345p-7cg4-v4c7: one transport for all, so answers
 * went to whoever came last), CVE-2026-52869, CVE-2026-33946 and python-sdk #2100 (a session id alone takes a session over),
 * CVE-2026-52870 (tasks of others). SES-C2, SES-C3, SES-R1 to SES-R3.
 */
import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type Got, Legacy, modern, type Sending, Stream, send } from './support/client.ts'
import { type Echo, echo, type Json, saying, type Turn } from './support/echo.ts'
import { codeOf, httpServer, keyed, open, refused, textOf, until, yard } from './support/house.ts'

const house = yard()
const clients = 50
const names = Array.from({ length: clients }, (_, at) => `client-${at}`)
const { identity, bindings, tokens } = keyed(names)
const [mallory, alice] = ['client-0', 'client-1'].map((name) => tokens[name] as string) as [string, string]
let upstreams: Echo[]
let url: string

/** Answers in an order of its own, with some noise on the way. */
async function slowly({ params, send: tell }: Turn): Promise<Json> {
  const { arguments: given, _meta } = params as { arguments: Json; _meta?: Json }
  await wait(Math.random() * 25)
  const token = _meta?.['progressToken']
  if (token !== undefined)
    tell({ method: 'notifications/progress', params: { progressToken: token, progress: 1, message: `for ${given['secret']}` } })
  await wait(Math.random() * 25)
  return saying(`for ${given['secret']}`)
}

before(async () => {
  upstreams = await Promise.all((['modern', 'legacy'] as const).map((era) => echo({ era, answers: { 'tools/call': slowly } })))
  const [newer, older] = upstreams as [Echo, Echo]
  const servers = { modern: httpServer(newer, 'modern'), legacy: httpServer(older, 'legacy') }
  url = (await house.gateway(open(servers, { identity, bindings }))).url
})
after(async () => {
  await house.close()
  await Promise.all(upstreams.map((upstream) => upstream.close()))
})

it('the exploit (CVE-2026-25536): one transport for all sends the answer to whoever came last', async () => {
  let last: ServerResponse | undefined
  const shared = createServer((request, response) => {
    last = response
    request.resume().on('end', () => setTimeout(() => last?.end(JSON.stringify({ secret: request.headers.authorization })), 30))
  })
  await new Promise<void>((resolve) => shared.listen(0, '127.0.0.1', resolve))
  const at = `http://127.0.0.1:${(shared.address() as AddressInfo).port}/`
  void send(at, { headers: { authorization: 'alice' } }).catch(() => undefined)
  await wait(10)
  assert.equal((await send(at, { headers: { authorization: 'mallory' } })).json['secret'], 'alice')
  shared.closeAllConnections()
  shared.close()
})

describe('CVE-2026-25536: 50 clients at once, and no word of one reaches another', () => {
  for (const [era, server] of [
    ['modern', 'modern'],
    ['modern', 'legacy'],
    ['legacy', 'modern'],
    ['legacy', 'legacy'],
  ] as const)
    it(`${era} clients, ${server} server`, async () => {
      const at = `${url}/${server}/mcp`
      await Promise.all(
        names.map(async (name) => {
          const token = tokens[name]
          const session = era === 'legacy' ? await Legacy.open(at, { token }) : undefined
          for (let round = 0; round < 3; round++) {
            const secret = `${name}-${server}-${round}`
            const params = { name: 'read_note', arguments: { secret }, _meta: { progressToken: 'same' } }
            // All use the same JSON-RPC id and the same progress token: the worst a client may do to a gateway.
            const got = session
              ? await session.raw({ id: 7, method: 'tools/call', params })
              : await modern(at, 'tools/call', params, { id: 7, token })
            assert.equal(textOf(got), `for ${secret}`)
            assert.equal(got.json['id'], 7)
            const others = [...got.text.matchAll(/client-\d+-\w+-\d/g)].filter(([word]) => word !== secret)
            assert.deepEqual(others, [])
            const progress = got.all
              .filter(({ method }) => method === 'notifications/progress')
              .map(({ params: said }) => (said as Json)['progressToken'])
            assert.deepEqual(progress, ['same'])
          }
        }),
      )
    })
})

describe('SES-R2: a session id is no credential; somebody else’s session does not exist (no oracle)', () => {
  let victim: Legacy
  let eventId: string
  before(async () => {
    victim = await Legacy.open(`${url}/legacy/mcp`, { token: alice })
    const got = await victim.raw({
      id: 1,
      method: 'tools/call',
      params: { name: 'read_note', arguments: { secret: 'victim-0' }, _meta: { progressToken: 1 } },
    })
    eventId = /^id: (.+)$/m.exec(got.text)?.[1] as string
    assert.ok(eventId)
  })

  const call = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'read_note', arguments: { secret: 'x' } },
  })
  const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const ways: readonly (readonly [says: string, sending: () => Sending])[] = [
    ['POST a call', () => ({ body: call })],
    ['POST an answer to a question', () => ({ body: '{"jsonrpc":"2.0","id":"sekisho-1","result":{}}' })],
    ['POST a cancellation', () => ({ body: '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}' })],
    ['GET the standing stream', () => ({ method: 'GET' })],
    ['GET with Last-Event-ID', () => ({ method: 'GET', headers: { 'last-event-id': eventId } })],
    ['DELETE', () => ({ method: 'DELETE' })],
  ]
  /** Everything but what differs between any two answers: the time, and the word under which an operator finds the record. */
  const plain = ({ status, headers: { date: _, ...headers }, text }: Got): unknown => [
    status,
    headers,
    text.replaceAll(/"exchange":"[\w-]+"|audit trace [\w-]+/g, ''),
  ]

  for (const [says, sending] of ways)
    it(`${says}: 404, and the same 404 as for an id that never was`, async () => {
      const { headers, ...rest } = sending()
      const as = (token: string | undefined, session: string): Promise<Got> =>
        send(victim.url, {
          ...rest,
          headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }), 'mcp-session-id': session },
        })
      const heard = upstreams.map((upstream) => upstream.heard.length)
      const theirs = await as(mallory, victim.session)
      refused(theirs, 404, 'SESSION_UNKNOWN', /no such session/)
      assert.deepEqual(plain(theirs), plain(await as(mallory, 'A'.repeat(43))))
      refused(await as(undefined, victim.session), 401, 'UNAUTHENTICATED', /No valid credential/)
      refused(
        await as(`${alice.slice(0, -1)}${alice.endsWith('A') ? 'E' : 'A'}`, victim.session),
        401,
        'UNAUTHENTICATED',
        /No valid credential/,
      )
      assert.deepEqual(
        upstreams.map((upstream) => upstream.heard.length),
        heard,
      )
    })

  it('on the route of another server, or of all servers, it does not exist either', async () => {
    for (const route of ['modern/mcp', 'mcp'])
      refused(await send(`${url}/${route}`, { body: list, headers: victim.headers() }), 404, 'SESSION_UNKNOWN', /no such session/)
  })

  it('a forged event id is of no stream, and the victim’s session still works', async () => {
    const forged = eventId.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))
    const got = await send(victim.url, { method: 'GET', headers: { ...victim.headers(), 'last-event-id': forged } })
    refused(got, 400, 'INVALID_REQUEST', /of no stream of this session/)
    assert.equal(textOf(await victim.call('tools/call', { name: 'read_note', arguments: { secret: 'still' } })), 'for still')
  })

  it('its own event id replays its own stream and nothing before it', async () => {
    const stream = new Stream(victim.url, { method: 'GET', headers: { ...victim.headers(), 'last-event-id': eventId } })
    await until('the replay', () => stream.text.includes('for victim-0'))
    stream.close()
    assert.ok(!stream.text.includes('for still'))
  })
})

describe('SES-C2: session ids', () => {
  const ids: string[] = []
  it('are 256 bits of base64url, and no two are the same', async () => {
    for (let round = 0; round < 40; round++) {
      const opened = await Promise.all(names.slice(0, 5).map((name) => Legacy.open(`${url}/modern/mcp`, { token: tokens[name] })))
      ids.push(...opened.map(({ session }) => session))
    }
    assert.ok(ids.every((id) => /^[A-Za-z0-9_-]{43}$/.test(id)))
    assert.equal(new Set(ids).size, ids.length)
  })

  it('have no bias that a monobit or a poker test would see', () => {
    const bytes = Buffer.concat(ids.map((id) => Buffer.from(id, 'base64url')))
    let ones = 0
    const nibbles = new Array<number>(16).fill(0)
    for (const byte of bytes) {
      for (let bit = 0; bit < 8; bit++) ones += (byte >> bit) & 1
      for (const nibble of [byte >> 4, byte & 15]) nibbles[nibble] = (nibbles[nibble] as number) + 1
    }
    const bits = bytes.length * 8
    assert.ok(Math.abs(ones - bits / 2) < 4.5 * Math.sqrt(bits / 4), `${ones} of ${bits}`)
    const expected = (bytes.length * 2) / 16
    const chiSquare = nibbles.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    assert.ok(chiSquare < 50, `chi-square ${chiSquare} with 15 degrees of freedom`)
  })

  it('are our own: the server’s never leaves, and ours never reaches the server', async () => {
    const session = await Legacy.open(`${url}/legacy/mcp`, { token: alice })
    const got = await session.call('tools/call', { name: 'read_note', arguments: { secret: 'x' } })
    assert.ok(!JSON.stringify([session.opened, got]).includes('upstream-session-'))
    const [, older] = upstreams as [Echo, Echo]
    assert.ok(older.everything().includes('upstream-session-') && !older.everything().includes(session.session))
  })

  it('two sessions of one principal are two sessions at the server', async () => {
    const [, older] = upstreams as [Echo, Echo]
    older.heard.length = 0
    const both = await Promise.all([1, 2].map(() => Legacy.open(`${url}/legacy/mcp`, { token: alice })))
    await Promise.all(both.map((session) => session.call('tools/list')))
    const used = older.heard
      .filter(({ message }) => message['method'] === 'tools/list')
      .map(({ headers }) => headers['mcp-session-id'])
    assert.equal(new Set(used).size, 2)
  })

  it('after DELETE an id is dead, here and at the server', async () => {
    const [, older] = upstreams as [Echo, Echo]
    const session = await Legacy.open(`${url}/legacy/mcp`, { token: alice })
    await session.call('ping')
    older.heard.length = 0
    assert.equal((await send(session.url, { method: 'DELETE', headers: session.headers() })).status, 200)
    assert.deepEqual(
      older.heard.map(({ line }) => line),
      ['DELETE /mcp'],
    )
    assert.equal(codeOf(await session.call('tools/list')), 'SESSION_UNKNOWN')
  })
})

describe('SES-C1: a key that is taken away', () => {
  it('ends within a second what was opened with it: the stream is closed, and the running call has no result', async () => {
    let finish = (): void => undefined
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const upstream = await echo({ era: 'legacy', answers: { 'tools/call': () => finished.then(() => saying('too late')) } })
    upstreams.push(upstream)
    const keys = keyed(['stays', 'goes'])
    const configured = (ids: readonly string[]): object => {
      const { keys: all } = keys.identity as { keys: { id: string }[] }
      const left = { mode: 'api-keys', keys: all.filter(({ id }) => ids.includes(id)) }
      const bound = keys.bindings.filter((binding) => ids.includes((binding as { apiKey: string }).apiKey))
      return open({ x: httpServer(upstream, 'legacy') }, { identity: left, bindings: bound })
    }
    const gateway = await house.gateway(configured(['stays', 'goes']))
    const session = await Legacy.open(`${gateway.url}/x/mcp`, { token: keys.tokens['goes'] })
    const standing = new Stream(session.url, { method: 'GET', headers: session.headers() })
    await until('a standing stream', () => upstream.standing.size > 0)
    const running = session.call('tools/call', { name: 'x' })
    await until('a running call', () => upstream.methods().includes('tools/call'))
    gateway.rewrite(configured(['stays']))
    await until('the key is gone', async () => codeOf(await session.call('ping')) === 'UNAUTHENTICATED')
    await wait(1000)
    const isOpen = !standing.ended
    finish()
    const { text } = await running
    standing.close()
    assert.ok(!text.includes('too late') && !isOpen, `${isOpen ? 'the stream is open' : ''} ${text}`)
  })
})
