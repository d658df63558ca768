import assert from 'node:assert/strict'
import test from 'node:test'
import type { Dispatcher } from 'undici'
import { Stop } from '../../lib/stop.ts'
import { Incoming } from './incoming.ts'

/** A server that sends these chunks, and waits while it is held back. */
function sending(texts: readonly string[]): Incoming {
  const incoming = new Incoming(new Stop())
  const left = [...texts]
  const controller = {
    paused: false,
    pause() {
      this.paused = true
    },
    resume() {
      if (!this.paused) return
      this.paused = false
      go()
    },
    abort(reason: Error) {
      left.length = 0
      incoming.onResponseError(dispatched, reason)
    },
  }
  const dispatched = controller as unknown as Dispatcher.DispatchController
  const go = (): void => {
    while (!controller.paused && left.length > 0) incoming.onResponseData(dispatched, Buffer.from(left.shift() as string))
    if (!controller.paused) incoming.onResponseEnd()
  }
  incoming.onRequestStart(dispatched)
  incoming.onResponseStart(dispatched, 200, {})
  go()
  return incoming
}
const chunks = Array.from({ length: 100 }, (_, at) => `${at},`)
const tooLong = (): Error => new Error('too long')

test('a body is gathered whole, though its server was held back before anybody wanted it', async () => {
  const bytes = await sending(chunks).bytes(1000, tooLong)
  assert.equal(bytes.toString(), chunks.join(''))
})

test('a body that is too long is refused, held back or not', async () => {
  await assert.rejects(sending(chunks).bytes(200, tooLong), /too long/)
  await assert.rejects(sending(chunks).bytes(10, tooLong), /too long/)
})

test('a body that is read as it comes holds its server back, and loses nothing', async () => {
  const read = await Array.fromAsync(sending(chunks).body)
  assert.equal(Buffer.concat(read).toString(), chunks.join(''))
})

test('a request that is stopped before there is a connection fails at once, and is not sent', async () => {
  const stop = new Stop()
  const incoming = new Incoming(stop)
  stop.stop(new Error('enough'))
  await assert.rejects(incoming.head, /enough/)
  const aborted: Error[] = []
  incoming.onRequestStart({ abort: (reason: Error) => aborted.push(reason) } as unknown as Dispatcher.DispatchController)
  assert.equal(aborted.length, 1)
})
