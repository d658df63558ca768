/** What belongs to one caller, reached or ended by another: tasks in a list, tasks after a reload, subscriptions on a shared link. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Legacy, modern, modernParts, Stream } from './support/client.ts'
import { type Echo, type EchoOptions, echo } from './support/echo.ts'
import { codeOf, httpServer, keyed, node, open, recordOf, until, yard } from './support/house.ts'

const house = yard()
const upstreams: Echo[] = []
const server = async (options: EchoOptions): Promise<Echo> => {
  const one = await echo(options)
  upstreams.push(one)
  return one
}
const { identity, bindings, tokens } = keyed(['alice', 'mallory'])
const { alice, mallory } = tokens as { alice: string; mallory: string }
after(async () => {
  await house.close()
  await Promise.all(upstreams.map((one) => one.close()))
})
const task = { taskId: 'task-of-alice', status: 'working' }

it('tasks/list does not show somebody else’s task', async () => {
  const upstream = await server({
    era: 'legacy',
    answers: { 'tools/call': () => ({ task }), 'tasks/list': () => ({ tasks: [{ ...task, statusMessage: 'secret of alice' }] }) },
  })
  const { url } = await house.gateway(open({ x: httpServer(upstream, 'legacy') }, { identity, bindings }))
  await (await Legacy.open(`${url}/x/mcp`, { token: alice })).call('tools/call', { name: 'slow', task: { ttl: 60_000 } })
  const got = await (await Legacy.open(`${url}/x/mcp`, { token: mallory })).call('tasks/list')
  assert.ok(!got.text.includes('of alice'), got.text)
})

it('a task stays its owner’s when the configuration of the server changes', async () => {
  const upstream = await server({
    answers: {
      'tools/call': () => ({ resultType: 'task', ...task }),
      'tasks/get': () => ({ ...task, result: 'secret of alice' }),
    },
  })
  const config = (requestTimeoutMs: number): object =>
    open({ x: httpServer(upstream, 'modern', { requestTimeoutMs }) }, { identity, bindings })
  const gateway = await house.gateway(config(30_000))
  await modern(`${gateway.url}/x/mcp`, 'tools/call', { name: 'slow' }, { token: alice })
  const before = await modern(`${gateway.url}/x/mcp`, 'tasks/get', { taskId: task.taskId }, { token: mallory })
  assert.equal(codeOf(before), 'INVALID_PARAMS')
  gateway.rewrite(config(31_000))
  await until('it is reloaded', () => recordOf(gateway).some(({ action }) => action === 'config.reloaded'))
  await wait(300)
  const got = await modern(`${gateway.url}/x/mcp`, 'tasks/get', { taskId: task.taskId }, { token: mallory })
  assert.ok(!got.text.includes('secret of alice'), got.text)
})

const sharedServer = `
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
const subscribed = new Set()
const write = (m) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...m }) + '\\n')
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params = {} } = JSON.parse(line)
  if (id === undefined) return
  if (method === 'resources/subscribe') subscribed.add(params.uri)
  if (method === 'resources/unsubscribe') subscribed.delete(params.uri)
  const result = method === 'initialize' ? { protocolVersion: params.protocolVersion, capabilities: { tools: {}, resources: { subscribe: true } }, serverInfo: { name: 's', version: '1' } } : { content: [] }
  if (method === 'tools/call') for (const uri of subscribed) write({ method: 'notifications/resources/updated', params: { uri } })
  write({ id, result })
})
`
for (const [says, other] of [
  ['another principal', mallory],
  ['the same principal', alice],
] as const)
  it(`a subscription does not end when ${says} ends theirs to the same resource`, async () => {
    const folder = house.folder()
    writeFileSync(join(folder, 'shared.mjs'), sharedServer)
    const { url } = await house.gateway(
      open({ x: { command: node(join(folder, 'shared.mjs')), shared: other === mallory } }, { identity, bindings }),
    )
    const listen = (token: string) =>
      new Stream(
        `${url}/x/mcp`,
        modernParts('subscriptions/listen', { notifications: { resourceSubscriptions: ['x://price'] } }, { token }),
      )
    const hers = listen(alice)
    await until('she listens', () => hers.text.includes('acknowledged'))
    const theirs = listen(other)
    await until('they listen', () => theirs.text.includes('acknowledged'))
    theirs.close()
    await wait(500)
    await modern(`${url}/x/mcp`, 'tools/call', { name: 'x' }, { token: alice })
    await until('she still hears of what she subscribed to', () => hers.text.includes('resources/updated'))
    hers.close()
  })
