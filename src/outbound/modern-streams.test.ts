import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setImmediate as soon } from 'node:timers/promises'
import { Stop } from '../lib/stop.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Message } from '../protocol/json-rpc.ts'
import { builtInMethods } from '../protocol/methods.ts'
import type { ModernLink } from './modern-link.ts'
import { Subscriptions } from './modern-streams.ts'
import { WireError } from './wire.ts'

type Listening = () => Promise<Message>
const call = { principal: { id: 'ada', holder: 'ada' }, origin: { session: 's' } } as unknown as Cleared
const notice: Listening = async () => ({ kind: 'notification', method: 'notifications/tools/list_changed', params: {} })
const failing =
  (error: Error): Listening =>
  () =>
    Promise.reject(error)
const answering =
  (outcome: 'result' | 'error', body: object): Listening =>
  async () =>
    ({ kind: 'response', id: 1, outcome, body }) as Message

/** A stream over a server whose listenings go like this, one after the other. */
function over(t: TestContext, closed: Promise<void>, ...listenings: readonly Listening[]) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let begun = 0
  const link = {
    options: { methods: builtInMethods },
    closed,
    fly: () => ({ next: listenings[begun++] ?? notice, heed: () => undefined, close: () => undefined }),
  } as unknown as ModernLink
  const stop = new Stop()
  const first = new Subscriptions().stream(link, call, stop).next()
  const passes = async (): Promise<void> => {
    await soon()
    t.mock.timers.tick(30_000)
    await soon()
  }
  return { first, stop, passes, begun: () => begun }
}
const never = new Promise<void>(() => undefined)

const passing: Readonly<Record<string, Listening>> = {
  'the server is gone': failing(new Refusal('UPSTREAM_UNAVAILABLE')),
  'it said something unreadable': failing(new Refusal('UPSTREAM_INVALID')),
  'it said too much': failing(new Refusal('RESULT_TOO_LARGE')),
  'it is not itself': failing(new WireError(503, 'HTTP 503')),
  'it ended the subscription': answering('result', { resultType: 'complete' }),
  'it answered with an error': answering('error', { code: -32603, message: 'not now' }),
}
for (const [why, listening] of Object.entries(passing))
  test(`${why}: the stream goes on with another listening`, async (t) => {
    const { first, passes } = over(t, never, listening, listening)
    await passes()
    await passes()
    assert.equal((await first).value?.method, 'notifications/tools/list_changed')
  })

const lasting: Readonly<Record<string, Listening>> = {
  'method not found': answering('error', { code: -32601, message: 'Method not found' }),
  'HTTP 405': failing(new WireError(405, 'HTTP 405')),
}
for (const [why, listening] of Object.entries(lasting))
  test(`${why}: the server is not asked again`, async (t) => {
    const { first, passes, stop, begun } = over(t, never, listening)
    await passes()
    await passes()
    assert.equal(begun(), 1)
    stop.stop(new Refusal('CANCELLED'))
    await first
  })

test('a connection that is gone ends the stream', async (t) => {
  const { first } = over(t, Promise.resolve(), failing(new Refusal('UPSTREAM_UNAVAILABLE')))
  await assert.rejects(first, { code: 'UPSTREAM_UNAVAILABLE' })
})
