/**
 * A server asks the client something, and not by a question: in the result of a legacy server, in an error, in a task. A client
 * obeys these as it obeys a question, so they need what a question needs: a rule that allows it, and a client that declared it
 * (AUTH-R1; checklist 53, 155). And what a client answers to a task reaches the server.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Got, Legacy, modern, modernParts, Stream } from './support/client.ts'
import { type Echo, echo, type Json, type Turn } from './support/echo.ts'
import { httpServer, open, passed, recordOf, refused, until, yard } from './support/house.ts'

const house = yard()
const page = { mode: 'url', url: 'https://evil.example', elicitationId: 'e', message: 'Log in' }
const inputRequests = { a: { method: 'elicitation/create', params: page } }
const task = { taskId: 'task-1', status: 'input_required', ttlMs: 60_000, inputRequests }
const error = { code: -32042, message: 'URL elicitation required', data: { elicitations: [page] } }
const tasks = { extensions: { 'io.modelcontextprotocol/tasks': {} } }
const able = { ...tasks, elicitation: { form: {}, url: {} } }
const listening = new Set<Turn>()
let old: Echo
let young: Echo
let gateways: Record<'silent' | 'asking', Awaited<ReturnType<typeof house.gateway>>>

before(async () => {
  const call = ({ params }: { params: Json }): Json =>
    params['name'] === 'error'
      ? error
      : { resultType: 'input_required', inputRequests, requestState: 'of the server', content: [] }
  const listen = (turn: Turn): undefined => {
    listening.add(turn)
    const _meta = { 'io.modelcontextprotocol/subscriptionId': turn.message['id'] }
    turn.send({ method: 'notifications/subscriptions/acknowledged', params: { notifications: {}, _meta } })
  }
  old = await echo({ era: 'legacy', answers: { 'tools/call': call } })
  const answers = { 'tools/call': call, 'tasks/get': () => task, 'subscriptions/listen': listen }
  young = await echo({ answers })
  const servers = { old: httpServer(old, 'legacy'), young: httpServer(young) }
  const silently = [{ effect: 'allow', server: '*', tools: ['*'] }]
  gateways = {
    silent: await house.gateway(open(servers, { roles: { all: silently } })),
    asking: await house.gateway(open(servers)),
  }
})
after(async () => {
  await house.close()
  await Promise.all([old.close(), young.close()])
})

/** What a client that begins to listen at the young server hears of a notice, up to a harmless one that follows it. */
async function heard(listen: () => Stream, method: string, params: Json): Promise<string> {
  const others = new Set(listening)
  const stream = listen()
  const turn = await until('it listens', () => [...listening].find((one) => !others.has(one)))
  const _meta = { 'io.modelcontextprotocol/subscriptionId': turn.message['id'] }
  turn.send({ method, params: { ...params, _meta } })
  turn.send({ method: 'notifications/tools/list_changed', params: { _meta } })
  await until('what comes after it', () => stream.text.includes('list_changed'))
  stream.close()
  return stream.text
}

const ways: Readonly<Record<string, (url: string, capabilities: Json) => Promise<string>>> = {
  'an error of a legacy server, to a modern client': async (url, capabilities) =>
    (await modern(`${url}/old/mcp`, 'tools/call', { name: 'error' }, { capabilities })).text,
  'an error of a modern server, to a modern client': async (url, capabilities) =>
    (await modern(`${url}/young/mcp`, 'tools/call', { name: 'error' }, { capabilities })).text,
  'an error of a legacy server, to a legacy client': async (url, capabilities) =>
    (await (await Legacy.open(`${url}/old/mcp`, { capabilities })).call('tools/call', { name: 'error' })).text,
  'an error of a modern server, to a legacy client': async (url, capabilities) =>
    (await (await Legacy.open(`${url}/young/mcp`, { capabilities })).call('tools/call', { name: 'error' })).text,
  'a task': async (url, capabilities) =>
    (await modern(`${url}/young/mcp`, 'tasks/get', { taskId: 'task-1' }, { capabilities })).text,
  'a task, on the door to all servers': async (url, capabilities) =>
    (await modern(`${url}/mcp`, 'tasks/get', { taskId: 'young__task-1' }, { capabilities })).text,
  'a notice of a task': (url, capabilities) => {
    const parts = modernParts('subscriptions/listen', { notifications: { taskIds: ['task-1'] } }, { capabilities })
    return heard(() => new Stream(`${url}/young/mcp`, parts), 'notifications/tasks', task)
  },
}

describe('the exploit: without us, every client that speaks to the server is asked', () => {
  it('in an error, and in a task', async () => {
    assert.match((await modern(young.url, 'tools/call', { name: 'error' })).text, /evil\.example/)
    assert.match((await modern(young.url, 'tasks/get', { taskId: 'task-1' })).text, /evil\.example/)
  })
})

for (const [way, ask] of Object.entries(ways))
  describe(`a question in ${way}`, () => {
    it('does not arrive where no rule allows it', async () => {
      assert.doesNotMatch(await ask(gateways.silent.url, able), /evil\.example/)
    })
    it('does not arrive where the client did not declare it', async () => {
      assert.doesNotMatch(await ask(gateways.asking.url, { ...tasks, elicitation: {} }), /evil\.example/)
    })
    it('arrives where a rule allows it and the client declared it', async () => {
      assert.match(await ask(gateways.asking.url, able), /evil\.example/)
    })
  })

it('what is left of them says what happened', async () => {
  const { url } = gateways.silent
  const failed = await modern(`${url}/young/mcp`, 'tools/call', { name: 'error' }, { capabilities: able })
  assert.deepEqual(failed.json['error'], { code: error.code, message: error.message })
  const polled = await modern(`${url}/young/mcp`, 'tasks/get', { taskId: 'task-1' }, { capabilities: able })
  const { status, inputRequests: asked } = passed(polled)
  assert.deepEqual([status, asked], ['input_required', {}])
})

it('a refused one is in the audit log', async () => {
  await modern(`${gateways.silent.url}/young/mcp`, 'tasks/get', { taskId: 'audited' }, { capabilities: able })
  const isRefusal = ({ rule, leg, kind }: Json): boolean => rule === 'policy/no-rule' && leg === 'ask' && kind === 'block'
  await until('its outcome is written', () =>
    recordOf(gateways.silent).some(
      ({ subject, findings }) => subject === 'audited' && (findings as Json[] | undefined)?.some(isRefusal),
    ),
  )
})

it('the result of a legacy server cannot pretend to be a question, nor bring a state of its own', async () => {
  for (const { url } of Object.values(gateways)) {
    const got = await modern(`${url}/old/mcp`, 'tools/call', { name: 'sideways' }, { capabilities: able })
    assert.deepEqual(passed(got), { content: [], resultType: 'complete' })
  }
})

describe('an answer to a task (tasks/update)', () => {
  const update = (url: string, inputResponses: Json): Promise<Got> =>
    modern(`${url}/young/mcp`, 'tasks/update', { taskId: 'task-1', inputResponses }, { capabilities: able })
  const updates = (): readonly Json[] =>
    young.heard.filter(({ message }) => message['method'] === 'tasks/update').map(({ message }) => message['params'] as Json)

  it('is refused when it is none, and the server is not asked', async () => {
    refused(await update(gateways.asking.url, { a: 'yes' }), 400, 'INVALID_PARAMS', /every entry of "inputResponses"/)
    assert.deepEqual(updates(), [])
  })

  it('reaches the server, and was judged as an answer', async () => {
    passed(await update(gateways.asking.url, { a: { action: 'accept' }, b: { action: 'decline' } }))
    assert.deepEqual(updates().at(-1)?.['inputResponses'], { a: { action: 'accept' }, b: { action: 'decline' } })
    await until('it is written', () =>
      recordOf(gateways.asking).some(({ method, answers }) => method === 'tasks/update' && answers === 2),
    )
  })
})

it('a standing stream of a legacy client tells of no progress: it belongs to no request of this client', async () => {
  const session = await Legacy.open(`${gateways.asking.url}/young/mcp`)
  const stand = (): Stream => new Stream(session.url, { method: 'GET', headers: session.headers() })
  const text = await heard(stand, 'notifications/progress', { progressToken: 1, progress: 1, message: 'Half done' })
  assert.doesNotMatch(text, /Half done/)
})
