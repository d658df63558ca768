import assert from 'node:assert/strict'
import test from 'node:test'
import { Stop } from '../lib/stop.ts'
import type { Notification } from '../protocol/json-rpc.ts'
import { Listeners, waitingBytesMax } from './listeners.ts'

const notice = (method: string): Notification => ({ kind: 'notification', method, params: {} })
const methodsOf = async (queue: AsyncIterable<unknown>): Promise<string[]> =>
  (await Array.fromAsync(queue)).map((message) => (message as Notification).method)

test('no more is kept for a listener that does not read, nor for one to come, than is allowed', async () => {
  const listeners = new Listeners()
  const big = waitingBytesMax / 4
  for (let at = 0; at < 20; at++) listeners.tell(notice(`unheard ${at}`), big)
  const queue = listeners.listen(new Stop())
  assert.ok(queue.weight <= waitingBytesMax)
  for (let at = 0; at < 20; at++) listeners.tell(notice(`missed ${at}`), big)
  assert.ok(queue.weight <= waitingBytesMax + 2 * big, String(queue.weight))
  listeners.end()
  assert.deepEqual(await methodsOf(queue), ['unheard 17', 'unheard 18', 'unheard 19', 'missed 0'])
})

test('messages without a length do not come for nothing', () => {
  const listeners = new Listeners()
  const queue = listeners.listen(new Stop())
  for (let at = 0; at < 100_000; at++) listeners.tell(notice('empty'), 0)
  assert.ok(queue.weight <= waitingBytesMax + 1024)
})

test('what nobody has heard is for the first who listens, and for nobody else', async () => {
  const listeners = new Listeners()
  listeners.tell(notice('early'), 10)
  const [first, second] = [listeners.listen(new Stop()), listeners.listen(new Stop())]
  listeners.tell(notice('late'), 10)
  listeners.end()
  assert.deepEqual(await methodsOf(first), ['early', 'late'])
  assert.deepEqual(await methodsOf(second), ['late'])
  assert.deepEqual(await methodsOf(listeners.listen(new Stop())), [], 'nothing follows the end')
})

for (const [how, leave] of [
  ['returns', (queue: AsyncIterator<unknown>) => queue.return?.()],
  ['is stopped', (_: unknown, stop: Stop) => stop.stop('enough')],
] as const)
  test(`a listener that ${how} listens no more`, async () => {
    const listeners = new Listeners()
    const stop = new Stop()
    const queue = listeners.listen(stop)
    await leave(queue, stop)
    listeners.tell(notice('afterwards'), 10)
    const next = listeners.listen(new Stop())
    listeners.end()
    assert.deepEqual([await methodsOf(queue), await methodsOf(next)], [[], ['afterwards']])
  })
