import assert from 'node:assert/strict'
import { PassThrough, type Writable } from 'node:stream'
import test from 'node:test'
import { drained } from './drained.ts'

/** A stream that takes no more until somebody reads it. */
function full(): PassThrough {
  const stream = new PassThrough({ highWaterMark: 1 })
  while (stream.write('x'));
  return stream
}
const listeners = (stream: Writable): number[] => ['drain', 'close'].map((event) => stream.listenerCount(event))

test('however many wait for a stream, they are told together and leave no listener behind', async () => {
  const stream = full()
  const before = listeners(stream)
  const waits = Array.from({ length: 50 }, () => drained(stream))
  assert.deepEqual(
    listeners(stream),
    before.map((count) => count + 1),
  )
  stream.resume()
  await Promise.all(waits)
  assert.deepEqual(listeners(stream), before)
})

test('a stream that is closed is waited for no longer', async () => {
  const stream = full()
  const wait = drained(stream)
  stream.destroy()
  await wait
  await drained(stream)
})
