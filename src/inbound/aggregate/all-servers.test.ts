/** What the fuzzer found on the door to all servers: nobody is left without an answer, and no server keeps the others waiting. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { unstoppable } from '../../lib/stop.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Frame, Reply } from '../../pipeline/exchange.ts'
import type { Cleared } from '../../pipeline/judge.ts'
import type { Parcel } from '../../pipeline/parcel.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import { builtInMethods } from '../../protocol/methods.ts'
import { AllServers } from './all-servers.ts'

const frameOf = (method: string, params: JsonObject = {}, kind: 'request' | 'notification' = 'request'): Frame =>
  ({
    exchange: 'x',
    message: kind === 'request' ? { kind, id: 1, method, params } : { kind, method, params },
    server: undefined,
    headers: {},
    origin: { door: 'http', era: 'modern' },
    stop: unstoppable,
  }) as unknown as Frame

const parcel = (leg: string, method: string, body: JsonObject): Cleared =>
  ({ leg, method, member: leg === 'result' || leg === 'catalog' ? 'result' : 'params', body }) as unknown as Cleared
const acknowledged = (body: JsonObject = { notifications: {} }): Cleared =>
  parcel('notice', 'notifications/subscriptions/acknowledged', body)

type Server = (reply: Reply, frame: Frame) => Promise<unknown>

/** What a client hears from all of them: methods of notices, `result`, or the code of a refusal. */
async function heard(
  frame: Frame,
  servers: Readonly<Record<string, Server>>,
  refused: Server = refuses,
  hear: (body: JsonObject) => void = () => undefined,
): Promise<string[]> {
  const said: string[] = []
  const deliver = ({ leg, method, body }: Parcel): undefined => {
    said.push(leg === 'result' ? 'result' : method)
    hear(body)
  }
  const all = new AllServers({
    methods: builtInMethods,
    listCharsMax: 1_000_000,
    reachable: () => Object.keys(servers),
    pass: async (one, reply) => void (await (one.server === undefined ? refused : (servers[one.server] as Server))(reply, one)),
  })
  await all.pass(frame, { deliver, refuse: ({ code }) => void said.push(code) })
  return said
}

/** The names in the one list that a client is given; `answer` is what it says when it is asked something. */
async function listed(
  frame: Frame,
  servers: Readonly<Record<string, Server>>,
  answer: Reply['deliver'] = () => undefined,
): Promise<unknown[]> {
  let tools: JsonObject[] = []
  const all = new AllServers({
    methods: builtInMethods,
    listCharsMax: 1_000_000,
    reachable: () => Object.keys(servers),
    pass: async (one, reply) => void (await (servers[one.server ?? ''] ?? refuses)(reply, one)),
  })
  await all.pass(frame, {
    deliver(one) {
      if (one.leg === 'ask') return answer(one)
      tools = one.body['tools'] as unknown as JsonObject[]
      return undefined
    },
    refuse: () => undefined,
  })
  return tools.map(({ name }) => name)
}
const refuses: Server = async (reply) => reply.refuse(new Refusal('UNKNOWN_METHOD'))
const listens: Server = async (reply) => {
  await reply.deliver(acknowledged())
  await reply.deliver(parcel('notice', 'notifications/tools/list_changed', {}))
  await reply.deliver(parcel('result', 'subscriptions/listen', {}))
}
const one = 'notifications/subscriptions/acknowledged'
const all = [one, 'notifications/tools/list_changed', 'result']

for (const method of ['no/such/method', 'notifications/initialized'])
  test(`a request for ${method} is refused to the one who asked`, async () => {
    assert.deepEqual(await heard(frameOf(method), { a: refuses, b: refuses }), ['UNKNOWN_METHOD'])
  })

const early: Server = async (reply) => {
  await reply.deliver(parcel('notice', 'notifications/progress', {}))
  await listens(reply, frameOf(''))
}
const streams: readonly [what: string, other: Server, heard: readonly string[]][] = [
  ['has no such method', refuses, all],
  ['answers without acknowledging', async (reply) => reply.deliver(parcel('result', 'subscriptions/listen', {})), all],
  [
    'speaks before it acknowledges',
    early,
    [one, 'notifications/tools/list_changed', 'notifications/tools/list_changed', 'result'],
  ],
  [
    'acknowledges twice and breaks off',
    async (reply) => (await reply.deliver(acknowledged()), await reply.deliver(acknowledged()), refuses(reply, frameOf(''))),
    all,
  ],
]
for (const [what, other, wanted] of streams)
  test(`a subscription goes on when one of the servers ${what}`, async () => {
    assert.deepEqual(await heard(frameOf('subscriptions/listen', { notifications: {} }), { a: listens, b: other }), wanted)
  })

test('a subscription goes on when one of the servers never says anything', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const hangs = Promise.withResolvers<void>()
  const listening = heard(frameOf('subscriptions/listen', { notifications: {} }), { a: listens, b: () => hangs.promise })
  await new Promise((resolve) => setImmediate(resolve))
  context.mock.timers.tick(5000)
  await new Promise((resolve) => setImmediate(resolve))
  hangs.resolve()
  assert.deepEqual(await listening, all)
})

test('URIs that are none are left out of a subscription', async () => {
  let asked: unknown
  const remembers: Server = async (reply, frame) => {
    asked = frame.message.params['notifications']
    await reply.deliver(acknowledged({ notifications: { resourceSubscriptions: ['file:///\ud800', 1 as never] } }))
    await reply.deliver(parcel('result', 'subscriptions/listen', {}))
  }
  const wanted = { resourceSubscriptions: [JSON.parse('1'), 'sekisho://a/file%3A%2F%2F%2Fx', 'sekisho://b/y', {}] }
  assert.deepEqual(await heard(frameOf('subscriptions/listen', { notifications: wanted }), { a: remembers }), [one, 'result'])
  assert.deepEqual(asked, { resourceSubscriptions: ['file:///x'] })
})

test('each server hears of its own tasks only, and the acknowledgement names them all', async () => {
  const asked: Record<string, unknown> = {}
  const acknowledges: Server = async (reply, { server = '', message }) => {
    asked[server] = message.params['notifications']
    await reply.deliver(acknowledged({ notifications: asked[server] as JsonObject }))
    await reply.deliver(parcel('result', 'subscriptions/listen', {}))
  }
  let honoured: unknown
  const notifications = { toolsListChanged: true, taskIds: ['a__1', 'b__2', 'a__3', 'none'] }
  await heard(frameOf('subscriptions/listen', { notifications }), { a: acknowledges, b: acknowledges }, refuses, (body) => {
    honoured ??= body['notifications']
  })
  assert.deepEqual(asked, {
    a: { toolsListChanged: true, taskIds: ['1', '3'] },
    b: { toolsListChanged: true, taskIds: ['2'] },
  })
  assert.deepEqual(honoured, { toolsListChanged: true, taskIds: ['a__1', 'a__3', 'b__2'] })
})

test('a server whose question is never answered is told so, and its tools are listed', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let answer: unknown = 'none yet'
  const curious: Server = async (reply) => {
    answer = await reply.deliver(parcel('ask', 'roots/list', {}))
    await reply.deliver(parcel('catalog', 'tools/list', { tools: [{ name: 'read' }] }))
  }
  const { promise: never } = Promise.withResolvers<undefined>()
  const frame = { ...frameOf('tools/list'), origin: { door: 'http', era: 'legacy' } } as Frame
  const listing = listed(frame, { a: curious }, () => never)
  await new Promise((resolve) => setImmediate(resolve))
  context.mock.timers.tick(5000)
  assert.deepEqual(await listing, ['a__read'])
  assert.equal(answer, undefined)
})
