import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as soon } from 'node:timers/promises'
import { Stop } from '../../lib/stop.ts'
import { fetchTransport, type HttpResponse } from './transport.ts'

class CountedStop extends Stop {
  readonly listeners = new Set<() => void>()
  override onStop(listener: () => void): void {
    this.listeners.add(listener)
    super.onStop(listener)
  }
  override offStop(listener: () => void): void {
    this.listeners.delete(listener)
    super.offStop(listener)
  }
}
const tooLong = (): Error => new Error('too long')
const uses: Readonly<Record<string, (response: HttpResponse) => unknown>> = {
  gathered: (response) => response.bytes(100, tooLong),
  'too long': (response) => assert.rejects(response.bytes(1, tooLong)),
  'read as it comes': (response) => Array.fromAsync(response.body),
  discarded: (response) => response.discard(),
}
for (const [how, use] of Object.entries(uses))
  for (const body of ['a body', null])
    test(`nobody waits for the end of an answer that is ${how} (${body})`, async () => {
      if (body === null && how === 'too long') return
      const stop = new CountedStop()
      await use(await fetchTransport(() => new Response(body)).send({ method: 'POST', headers: {}, stop }))
      await soon()
      assert.equal(stop.listeners.size, 0)
    })

test('nor for that of one that failed', async () => {
  const stop = new CountedStop()
  const failing = fetchTransport(() => Promise.reject(new Error('broken')))
  await assert.rejects(failing.send({ method: 'POST', headers: {}, stop }), /broken/)
  assert.equal(stop.listeners.size, 0)
})

test('a function in this process sees that its answer is no longer wanted, before it and during it', async () => {
  for (const headFirst of [false, true]) {
    const stop = new Stop()
    let signal: AbortSignal | undefined
    const transport = fetchTransport((request) => {
      signal = request.signal
      return headFirst ? new Response(new ReadableStream()) : new Promise<Response>(() => undefined)
    })
    const sent = transport.send({ method: 'POST', headers: {}, stop })
    if (headFirst) await sent
    stop.stop(new Error('enough'))
    if (!headFirst) await assert.rejects(sent, /enough/)
    assert.equal(signal?.aborted, true)
  }
})
