import assert from 'node:assert/strict'
import test from 'node:test'
import { Stop } from '../lib/stop.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Message, Response } from '../protocol/json-rpc.ts'
import { builtInMethods } from '../protocol/methods.ts'
import { LegacyLink } from './legacy-link.ts'
import type { LinkOptions } from './link.ts'
import { type SessionWire, WireError, type WireHeaders } from './wire.ts'

/** A server that forgets its session when it is told to, and what it was told, with the session each message came in. */
class Forgetful implements Pick<SessionWire, 'request' | 'send' | 'sessionId'> {
  sessionId: string | undefined
  readonly closed = new Promise<void>(() => undefined)
  readonly heard: string[] = []
  /** What a message has to wait for on its way. */
  slow: Promise<void> = Promise.resolve()
  #sessions = 0

  async request(message: Message, headers: WireHeaders): Promise<Response> {
    const { id, method } = message as Message & { kind: 'request' }
    if (method === 'initialize') {
      this.heard.push(method)
      await this.slow
      this.sessionId = `session ${++this.#sessions}`
      return { kind: 'response', id, outcome: 'result', body: { protocolVersion: '2025-11-25', capabilities: {} } }
    }
    const session = headers['mcp-session-id']
    this.heard.push(`${method} in ${session}`)
    await Promise.resolve()
    if (session !== `session ${this.#sessions}`) throw new WireError(404, 'HTTP 404')
    return { kind: 'response', id, outcome: 'result', body: {} }
  }

  async send(message: Message): Promise<void> {
    await this.slow
    this.heard.push((message as { method: string }).method)
  }

  forget(): void {
    this.#sessions++
  }
}

function linkOver(wire: Forgetful): LegacyLink {
  const options = {
    methods: builtInMethods,
    timeouts: { requestTimeoutMs: 1000, requestTimeoutMsMax: 1000 },
    states: { redeem: () => ({}) },
    http: true,
    log: () => undefined,
  } as unknown as LinkOptions
  const introduction = { protocolVersion: '2025-11-25', clientInfo: {}, capabilities: {} }
  return new LegacyLink(wire as unknown as SessionWire, introduction, options)
}
const call = { method: 'tools/call', leg: 'call', origin: { era: 'legacy' }, body: { name: 'x' } } as unknown as Cleared
const calls = (link: LegacyLink, count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, () => link.forward(call, [], new Stop()).next()))
const count = (wire: Forgetful, what: string): number => wire.heard.filter((heard) => heard === what).length

test('a session that the server has forgotten is opened again once, however many requests find out', async () => {
  const wire = new Forgetful()
  const link = linkOver(wire)
  await calls(link, 1)
  wire.forget()
  await calls(link, 3)
  assert.deepEqual([count(wire, 'initialize'), count(wire, 'notifications/initialized')], [2, 2])
  assert.equal(count(wire, 'tools/call in session 3'), 3)
})

test('a session is opened again as often as it is forgotten', async () => {
  const wire = new Forgetful()
  const link = linkOver(wire)
  for (let time = 0; time < 3; time++) {
    await calls(link, 2)
    wire.forget()
  }
  assert.equal(count(wire, 'initialize'), 3)
})

test('no call overtakes notifications/initialized', async () => {
  const wire = new Forgetful()
  const link = linkOver(wire)
  await link.initialize()
  wire.slow = new Promise((resolve) => setImmediate(resolve))
  await calls(link, 3)
  assert.deepEqual(wire.heard, ['initialize', 'notifications/initialized', ...Array(3).fill('tools/call in session 1')])
})
