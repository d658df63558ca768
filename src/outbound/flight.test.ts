import assert from 'node:assert/strict'
import test from 'node:test'
import { Flight } from './flight.ts'

for (const [requestTimeoutMs, requestTimeoutMsMax, expired] of [
  [1, 600_000, 1],
  [600_000, 2, 2],
] as const)
  test(`a request that took too long names what it exceeded: ${expired} ms`, async () => {
    const request = { kind: 'request', id: 1, method: 'ping', params: {} } as const
    const wire = { request: () => new Promise<never>((_, reject) => (refuse = reject)) }
    let refuse: (error: unknown) => void = () => undefined
    const flight = new Flight(wire, request, {}, { requestTimeoutMs, requestTimeoutMsMax }, () => refuse(new Error('cancelled')))
    await assert.rejects(flight.next(), { code: 'UPSTREAM_TIMEOUT', facts: { detail: expired } })
  })
