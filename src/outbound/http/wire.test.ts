import assert from 'node:assert/strict'
import test from 'node:test'
import { Stop } from '../../lib/stop.ts'
import type { HttpRequest, HttpResponse, Transport } from './transport.ts'
import { HttpWire } from './wire.ts'

interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** A server that answers like this, one request after the other. */
function answering(...answers: readonly Answer[]): Transport & { readonly requests: readonly HttpRequest[] } {
  const requests: HttpRequest[] = []
  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    const { status = 200, headers = {}, body = '' } = answers[requests.push(request) - 1] ?? { status: 405 }
    return {
      status,
      header: (name) => headers[name],
      body: (async function* () {
        yield Buffer.from(body)
      })(),
      bytes: async () => Buffer.from(body),
      discard: () => undefined,
    }
  }
  return { requests, send, close: async () => undefined }
}
const wireOver = (transport: Transport): HttpWire => new HttpWire({ server: 'x', transport, resultBytesMax: 1000, depthMax: 10 })
const stream = (body: string | Buffer): Answer => ({ headers: { 'content-type': 'text/event-stream' }, body })
const notice = stream('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n')

for (const [what, unreadable] of [
  ['an event that is too long', `data: ${'x'.repeat(2000)}\n\n`],
  ['an event that is not UTF-8', Buffer.from([0x64, 0xff, 0x0a])],
] as const)
  test(`${what} does not end the standing stream`, async () => {
    const transport = answering(stream('retry: 1\nid: 7\n\n'), stream(unreadable), notice)
    const wire = wireOver(transport)
    const { value } = await (await wire.events(() => ({}), new Stop())).next()
    assert.equal(value?.kind === 'notification' && value.method, 'notifications/tools/list_changed')
    assert.deepEqual(
      transport.requests.map(({ headers }) => headers['last-event-id']),
      [undefined, '7', undefined],
    )
    await wire.close()
  })

test('an initialize that fails does not lose the session', async () => {
  const opened = '{"jsonrpc":"2.0","id":1,"result":{}}'
  const wire = wireOver(answering({ headers: { 'mcp-session-id': 'one' }, body: opened }, { status: 503 }))
  const initialize = { kind: 'request', id: 1, method: 'initialize', params: {} } as const
  await wire.request(initialize, {}, new Stop())
  await assert.rejects(wire.request(initialize, {}, new Stop()), { status: 503 })
  assert.equal(wire.sessionId, 'one')
})
