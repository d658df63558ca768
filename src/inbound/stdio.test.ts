import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { setImmediate as soon } from 'node:timers/promises'
import type { Frame, Reply } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { builtInMethods } from '../protocol/methods.ts'
import { StdioDoor } from './stdio.ts'

const notice = { leg: 'notice', method: 'notifications/tools/list_changed', member: 'params', body: {} } as Cleared
const opened = { leg: 'result', member: 'result', body: { protocolVersion: '2025-11-25' } } as unknown as Cleared

/** A client that has said initialize; `streams` is what comes of its standing stream, the first time, the second, … */
function initialised(t: TestContext, ...streams: readonly ((reply: Reply) => void)[]) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const [input, output] = [new PassThrough(), new PassThrough()]
  let opens = 0
  const pass = async ({ message, stop }: Frame, reply: Reply): Promise<void> => {
    if (message.method === 'initialize') await reply.deliver(opened)
    else if (opens < streams.length) streams[opens++]?.(reply)
    else await new Promise<void>((resolve) => stop.onStop(resolve))
  }
  const limits = { bodyBytesMax: 1000, depthMax: 10, batchMax: 1 }
  const door = new StdioDoor({ input, output, server: 'x', methods: builtInMethods, limits, pass })
  input.write('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}\n')
  const passes = async (ms: number): Promise<void> => {
    await soon()
    t.mock.timers.tick(ms)
    await soon()
  }
  return { door, passes, opens: () => opens, said: () => String(output.read() ?? '') }
}

test('a server that fell is listened to again', async (t) => {
  const fallen = (): void => undefined
  const refused = (reply: Reply): void => reply.refuse(new Refusal('UPSTREAM_UNAVAILABLE'))
  const { door, passes, said } = initialised(t, fallen, refused, (reply) => void reply.deliver(notice))
  for (let time = 0; time < 3; time++) await passes(30_000)
  assert.match(said(), /list_changed/)
  await door.close()
})

test('a stream that policy refuses is not asked for again', async (t) => {
  const denied = (reply: Reply): void => reply.refuse(new Refusal('POLICY_DENIED'))
  const { door, passes, opens } = initialised(t, denied, denied)
  for (let time = 0; time < 3; time++) await passes(30_000)
  assert.equal(opens(), 1)
  await door.close()
})
