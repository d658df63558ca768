import assert from 'node:assert/strict'
import test from 'node:test'
import { Stop } from '../lib/stop.ts'
import { Flight, untimed } from './flight.ts'
import type { Wire } from './wire.ts'

const request = { kind: 'request', id: 1, method: 'ping', params: {} } as const
/** Answers nothing, until it is stopped. */
const never: Wire['request'] = (_request, _headers, stop) => new Promise((_, reject) => stop.onStop(() => reject(stop.reason)))

for (const [requestTimeoutMs, requestTimeoutMsMax, expired] of [
  [1, 600_000, 1],
  [600_000, 2, 2],
] as const)
  test(`a request that took too long names what it exceeded: ${expired} ms`, async () => {
    const flight = new Flight({ request: never }, request, {}, { requestTimeoutMs, requestTimeoutMsMax }, () => undefined)
    await assert.rejects(flight.next(), { code: 'UPSTREAM_TIMEOUT', facts: { detail: expired } })
  })

test('a flight ends with what it is part of, and with nothing that it was part of', async () => {
  const flight = new Flight({ request: never }, request, {}, untimed, () => undefined)
  const [first, second] = [new Stop(), new Stop()]
  flight.heed(first)
  flight.heed(second)
  first.stop(new Error('the first'))
  second.stop(new Error('the second'))
  await assert.rejects(flight.next(), /the second/)
})
