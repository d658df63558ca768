/**
 * A task id is no credential (cves.md: CVE-2026-52870; SES-C6; checklist 98, 154). To a modern server all clients of the gateway
 * are one, so it cannot tell whose task it is asked for; the gateway can.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Legacy, modern, modernParts, Stream } from './support/client.ts'
import { type Echo, echo, type Json, type Turn, tool } from './support/echo.ts'
import { codeOf, httpServer, keyed, open, passed, refused, until, yard } from './support/house.ts'

const house = yard()
const { identity, bindings, tokens } = keyed(['alice', 'mallory'])
const { alice, mallory } = tokens as { alice: string; mallory: string }
const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } }
const listening = new Set<Turn>()
let upstream: Echo
let url: string

before(async () => {
  const results = new Map<unknown, Json>()
  const known = ({ params }: { params: Json }): Json => results.get(params['taskId']) ?? { code: -32602, message: 'no such task' }
  upstream = await echo({
    tools: [tool('slow')],
    answers: {
      'tools/call': ({ params }) => {
        const taskId = `task-${results.size}`
        results.set(taskId, {
          taskId,
          status: 'completed',
          result: { content: [{ type: 'text', text: JSON.stringify(params['arguments']) }] },
        })
        return { resultType: 'task', taskId, status: 'working', ttlMs: 60_000 }
      },
      'subscriptions/listen': (turn) => {
        listening.add(turn)
        turn.response.once('close', () => listening.delete(turn))
        const _meta = { 'io.modelcontextprotocol/subscriptionId': turn.message['id'] }
        turn.send({
          method: 'notifications/subscriptions/acknowledged',
          params: { notifications: turn.params['notifications'], _meta },
        })
        return undefined
      },
      'tasks/get': known,
      'tasks/update': known,
      'tasks/cancel': known,
    },
  })
  url = (await house.gateway(open({ x: httpServer(upstream) }, { identity, bindings }))).url
})
after(async () => {
  await house.close()
  await upstream.close()
})

const start = async (): Promise<string> => {
  const got = await modern(
    `${url}/x/mcp`,
    'tools/call',
    { name: 'slow', arguments: { secret: 'of alice' } },
    { token: alice, capabilities },
  )
  return passed(got)['taskId'] as string
}

it('the exploit: the server gives the result to whoever knows the id, and ids are easy to guess', async () => {
  const taskId = await start()
  assert.match(taskId, /^task-\d$/)
  assert.match((await modern(upstream.url, 'tasks/get', { taskId })).text, /of alice/)
})

it('its owner gets the result', async () => {
  const got = await modern(`${url}/x/mcp`, 'tasks/get', { taskId: await start() }, { token: alice, capabilities })
  assert.match(JSON.stringify(passed(got)), /of alice/)
})

describe('somebody else is told that there is no such task, and the server is not asked', () => {
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
    for (const route of ['x/mcp', 'mcp'])
      it(`${method} on /${route}`, async () => {
        const taskId = await start()
        const before = upstream.methods().filter((one) => one === method).length
        const got = await modern(
          `${url}/${route}`,
          method,
          { taskId: route === 'mcp' ? `x__${taskId}` : taskId },
          { token: mallory, capabilities },
        )
        assert.ok(codeOf(got) !== undefined && !got.text.includes('of alice'), got.text)
        assert.equal(upstream.methods().filter((one) => one === method).length, before)
      })
})

describe('a list of tasks, at a server to whom all clients of the gateway are one', () => {
  let tasks: Json[] = []
  let older: Echo
  let at: string
  before(async () => {
    older = await echo({
      era: 'legacy',
      tools: [tool('slow')],
      answers: {
        'tools/call': () => {
          tasks = [...tasks, { taskId: `task-${tasks.length}`, status: 'working' }]
          return { task: tasks.at(-1) }
        },
        'tasks/list': () => ({ tasks }),
      },
    })
    at = (await house.gateway(open({ x: httpServer(older, 'legacy') }, { identity, bindings }))).url
  })
  after(() => older.close())

  for (const [route, name] of [
    ['x/mcp', (id: string) => id],
    ['mcp', (id: string) => `x__${id}`],
  ] as const)
    it(`holds one’s own, on /${route}`, async () => {
      const own: Record<string, string[]> = { [alice]: [], [mallory]: [] }
      tasks = []
      for (const token of [alice, mallory, alice]) {
        const client = await Legacy.open(`${at}/${route}`, { token })
        const { task } = passed(await client.call('tools/call', { name: name('slow'), arguments: {}, task: {} }))
        own[token]?.push((task as Json)['taskId'] as string)
      }
      for (const token of [alice, mallory]) {
        const listed = passed(await (await Legacy.open(`${at}/${route}`, { token })).call('tasks/list'))['tasks'] as Json[]
        assert.deepEqual(
          listed.map(({ taskId }) => taskId),
          own[token],
        )
      }
    })
})

describe('a subscription to somebody else’s task', () => {
  const listen = (token: string, taskIds: readonly string[]): Stream =>
    new Stream(`${url}/x/mcp`, modernParts('subscriptions/listen', { notifications: { taskIds } }, { token, capabilities }))
  const tell = (taskId: string): void => {
    for (const { send, message } of listening) {
      const _meta = { 'io.modelcontextprotocol/subscriptionId': message['id'] }
      send({
        method: 'notifications/tasks',
        params: { taskId, status: 'completed', result: { content: [{ text: 'of alice' }] }, _meta },
      })
      send({ method: 'notifications/tools/list_changed', params: { _meta } })
    }
  }

  it('is refused', async () => {
    const taskId = await start()
    const got = await modern(
      `${url}/x/mcp`,
      'subscriptions/listen',
      { notifications: { taskIds: ['mine', taskId] } },
      { token: mallory, capabilities },
    )
    refused(got, 400, 'INVALID_PARAMS', /no such task/)
  })

  it('and what a server says of it unasked does not arrive; its owner hears it', async () => {
    const taskId = await start()
    const streams = [listen(mallory, []), listen(alice, [taskId])]
    await until('both listen', () => streams.every((stream) => stream.text.includes('acknowledged')))
    tell(taskId)
    await until('what comes after it', () => streams.every((stream) => stream.text.includes('list_changed')))
    for (const stream of streams) stream.close()
    assert.deepEqual(
      streams.map((stream) => stream.text.includes('of alice')),
      [false, true],
    )
  })
})
