/**
 * SES-C3, SES-R1, AUTH-C4: forty people with ten programs each, at once, through one gateway. Every call carries a word that
 * names its sender; the server answers with it after a while, in an order of its own. Nobody hears a word of anybody else's,
 * not of another person and not of the same person's other program; and everybody hears their own.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Gateway } from '../e2e/support/yard.ts'
import type { App, User } from '../stand-ins/entra/directory.ts'
import { type Entra, startEntra } from '../stand-ins/entra/entra.ts'
import { type Got, Legacy, modern, modernParts, Stream } from './support/client.ts'
import { type Echo, echo, type Json, saying, type Turn } from './support/echo.ts'
import { codeOf, httpServer, open, textOf, until, yard } from './support/house.ts'

const tenant = '11111111-aaaa-4aaa-8aaa-111111111111'
const api = '33333333-0000-4000-8000-000000000001'
const guid = (kind: string, nth: number): string => `${kind.repeat(8)}-0000-4000-8000-${String(nth).padStart(12, '0')}`
const users: readonly User[] = Array.from({ length: 40 }, (_, nth) => ({
  tenant,
  oid: guid('4', nth),
  name: `user-${nth}`,
  username: `user-${nth}@contoso.test`,
}))
const apps: readonly App[] = Array.from({ length: 10 }, (_, nth) => ({ tenant, clientId: guid('5', nth), name: `app-${nth}` }))
const rounds = 3

interface Guest {
  /** `user-7/app-3`: what its words begin with, and what it subscribes to. */
  readonly name: string
  readonly token: string
}
const uriOf = ({ name }: Guest): string => `x://${name}`
const named = /user-\d+\/app-\d+/g
const strangersIn = (text: string, { name }: Guest): readonly string[] =>
  [...text.matchAll(named)].map(([one]) => one).filter((one) => one !== name)

const house = yard()
let entra: Entra
let gateway: Gateway
let guests: readonly Guest[]
let upstreams: Readonly<Record<'modern' | 'legacy', Echo>>
/** Who was heard in which session of the server's; what was subscribed to in it. */
const sessions = new Map<string, { readonly names: Set<string>; readonly uris: Set<string> }>()
const listening = new Set<{ readonly turn: Turn; readonly uris: readonly string[] }>()

async function slowly({ params, request, send }: Turn): Promise<Json> {
  const { arguments: given, _meta } = params as { arguments: { word: string }; _meta?: Json }
  sessionOf(request.headers['mcp-session-id'])?.names.add(given.word.match(named)?.[0] ?? '')
  await wait(Math.random() * 40)
  const progressToken = _meta?.['progressToken']
  if (progressToken !== undefined)
    send({ method: 'notifications/progress', params: { progressToken, progress: 1, message: given.word } })
  await wait(Math.random() * 40)
  return saying(given.word)
}

function sessionOf(id: unknown) {
  if (typeof id !== 'string') return undefined
  const session = sessions.get(id) ?? { names: new Set(), uris: new Set() }
  sessions.set(id, session)
  return session
}

function listen(turn: Turn): undefined {
  const { notifications } = turn.params as { notifications: { resourceSubscriptions?: string[] } }
  const one = { turn, uris: notifications.resourceSubscriptions ?? [] }
  const _meta = { 'io.modelcontextprotocol/subscriptionId': turn.message['id'] }
  turn.send({ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta } })
  listening.add(one)
  turn.response.once('close', () => listening.delete(one))
  return undefined
}

function subscribe({ params, request }: Turn): Json {
  sessionOf(request.headers['mcp-session-id'])?.uris.add(String(params['uri']))
  return {}
}

before(async () => {
  entra = await startEntra({
    tenants: [{ id: tenant, name: 'Contoso' }],
    apps: [{ tenant, clientId: api, name: 'Gateway', tokenVersion: 2, scopes: ['mcp.access'] }, ...apps],
    users,
    plainHttpOnLoopback: true,
    host: 'localhost',
  })
  guests = users.flatMap(({ oid, name }) =>
    apps.map((app) => ({ name: `${name}/${app.name}`, token: entra.issue({ client: app.clientId, resource: api, user: oid }) })),
  )
  upstreams = {
    modern: await echo({ era: 'modern', answers: { 'tools/call': slowly, 'subscriptions/listen': listen } }),
    legacy: await echo({ era: 'legacy', answers: { 'tools/call': slowly, 'resources/subscribe': subscribe } }),
  }
  const provider = { kind: 'entra', tenant, authority: entra.url, graph: entra.url }
  gateway = await house.gateway(
    open(
      { modern: httpServer(upstreams.modern, 'modern'), legacy: httpServer(upstreams.legacy, 'legacy') },
      { identity: { mode: 'resource-server', provider, audience: api }, bindings: [{ role: 'all', tenant }] },
    ),
  )
})
after(async () => {
  await house.close()
  await Promise.all([...Object.values(upstreams ?? {}), entra].map((one) => one?.close()))
})

/** One program at work: listens, and calls until it has been answered so many times. */
class Program {
  readonly guest: Guest
  readonly stream: Stream
  readonly #call: (params: Json) => Promise<Got>

  private constructor(guest: Guest, stream: Stream, call: (params: Json) => Promise<Got>) {
    this.guest = guest
    this.stream = stream
    this.#call = call
  }

  static async start(guest: Guest, at: string, era: 'modern' | 'legacy'): Promise<Program> {
    const { token } = guest
    if (era === 'modern') {
      const wanted = { notifications: { resourceSubscriptions: [uriOf(guest)] } }
      const stream = new Stream(at, modernParts('subscriptions/listen', wanted, { token, id: 1 }))
      return new Program(guest, stream, (params) => modern(at, 'tools/call', params, { id: 7, token }))
    }
    const session = await Legacy.open(at, { token })
    const stream = new Stream(at, { method: 'GET', headers: session.headers() })
    const done = await session.call('resources/subscribe', { uri: uriOf(guest) })
    assert.equal(codeOf(done), undefined, done.text)
    return new Program(guest, stream, (params) => session.raw({ id: 7, method: 'tools/call', params }))
  }

  async work(): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const word = `${this.guest.name} ${round} ${randomUUID()}`
      // The same id and the same progress token from all of them: the worst that programs may do.
      const params = { name: 'read_note', arguments: { word }, _meta: { progressToken: 'same' } }
      const got = await this.#call(params)
      assert.equal(textOf(got), word)
      assert.equal(got.json['id'], 7)
      assert.deepEqual(strangersIn(got.text, this.guest), [])
    }
  }
}

/** Tells everybody who listens of what they subscribed to. */
function publish(): void {
  const method = 'notifications/resources/updated'
  for (const { turn, uris } of listening) {
    const _meta = { 'io.modelcontextprotocol/subscriptionId': turn.message['id'] }
    for (const uri of uris) turn.send({ method, params: { uri, _meta } })
  }
  for (const response of upstreams.legacy.standing)
    for (const uri of sessionOf(response.req.headers['mcp-session-id'])?.uris ?? [])
      response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method, params: { uri } })}\n\n`)
}

/** The resources of which a publication would be heard now. */
const subscribed = (): ReadonlySet<string> =>
  new Set([
    ...[...listening].flatMap(({ uris }) => uris),
    ...[...upstreams.legacy.standing].flatMap((one) => [...(sessionOf(one.req.headers['mcp-session-id'])?.uris ?? [])]),
  ])

describe('400 programs of 40 people at once', { concurrency: false }, () => {
  for (const [era, server] of [
    ['modern', 'modern'],
    ['modern', 'legacy'],
    ['legacy', 'modern'],
    ['legacy', 'legacy'],
  ] as const)
    it(`${era} programs, ${server} server: every answer and every notice reaches its own`, { timeout: 120_000 }, async () => {
      sessions.clear()
      const at = `${gateway.url}/${server}/mcp`
      const programs = await Promise.all(guests.map((guest) => Program.start(guest, at, era)))
      await until('all are subscribed', () => guests.every((guest) => subscribed().has(uriOf(guest))), 60_000)
      const working = Promise.all(programs.map((program) => program.work()))
      publish()
      await working
      publish()
      for (const { guest, stream } of programs) {
        await until(
          `${guest.name} hears of its own (${stream.status} ${stream.text.slice(-200)})`,
          () => stream.text.split(uriOf(guest)).length > 2,
        )
        assert.deepEqual(strangersIn(stream.text, guest), [], `${guest.name} heard of somebody else`)
      }
      const shared = [...sessions.values()].filter(({ names }) => names.size > 1)
      assert.deepEqual(shared, [], 'no session of the server is for two')
      for (const { stream } of programs) stream.close()
      await until('nobody listens any more', () => era === 'legacy' || listening.size === 0)
    })

  it('the record names forty people, each with as many calls', async () => {
    const counts = new Map<unknown, number>()
    for (const { method, principal, ending } of gateway.outcomes())
      if (method === 'tools/call' && ending === 'delivered') counts.set(principal, (counts.get(principal) ?? 0) + 1)
    assert.equal(counts.size, users.length)
    assert.deepEqual([...new Set(counts.values())], [apps.length * rounds * 4])
  })
})
