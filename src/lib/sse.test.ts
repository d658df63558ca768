import assert from 'node:assert/strict'
import test from 'node:test'
import { readEvents, type SseEvent, SseOverflow, writeEvent } from './sse.ts'

async function* chunks(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}
const read = (body: AsyncIterable<Uint8Array>, eventBytesMax = 1000): Promise<SseEvent[]> =>
  Array.fromAsync(readEvents(body, eventBytesMax))
const data = async (body: AsyncIterable<Uint8Array>): Promise<(string | undefined)[]> =>
  (await read(body)).map((event) => event.data)

test('an event larger than allowed ends the stream, also when its line never ends', async () => {
  await assert.rejects(read(chunks('data: 12345\n\n'), 10), SseOverflow)
  await assert.rejects(read(chunks('data: ', '12345'), 10), SseOverflow)
  await assert.rejects(read(chunks('a\n', 'b\n', 'c'), 2), SseOverflow)
  assert.equal((await read(chunks('data: 1234\r', '\n\r\n'), 10)).length, 1)
})

test('what is not UTF-8 ends the stream', async () => {
  await assert.rejects(read(chunks('data: a\n\n', Buffer.from([0x64, 0xff, 0x0a]))), TypeError)
})

// WHATWG HTML, 9.2.6. Found by the fuzzer: the last two.
const streams: readonly [what: string, texts: readonly (string | Uint8Array)[], data: readonly (string | undefined)[]][] = [
  ['LF, CRLF and CR end a line', ['data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\n'], ['a', 'b', 'c', 'd']],
  ['CRLF may be cut in two', ['data: a\r', '\n\r', '\ndata: b\n\n'], ['a', 'b']],
  ['an event that does not end is no event', ['data: a\n\ndata: b\n'], ['a']],
  ['several data lines are one text', ['data: a\ndata\ndata:  b\n\n'], ['a\n\n b']],
  ['comments and a byte order mark are not data', ['\ufeff: hello\ndata: a\n\n:\n\n'], ['a']],
  ['a CR at the very end ends the event', ['data: a\r\r'], ['a']],
  [
    'a mark that is not the first character stays',
    [Buffer.from([0xe4]), Buffer.from([0xb8, 0x96]), ':\ufeff\ndata: \ufeffx\n\n'],
    ['\ufeffx'],
  ],
]
for (const [what, texts, wanted] of streams)
  test(what, async () => {
    assert.deepEqual(await data(chunks(...texts)), wanted)
  })

test('fields', async () => {
  const [event] = await read(chunks('event: e\nid: 7\nid: a\0b\nretry: 10\nretry: x\nother: y\ndata: d\n\n'))
  assert.deepEqual(event, { event: 'e', data: 'd', id: '7', retryMs: 10 })
})

test('what is written is read', async () => {
  const [event] = await read(chunks(writeEvent('{"a":1}', 's_1', 500)))
  assert.deepEqual(event, { event: 'message', data: '{"a":1}', id: 's_1', retryMs: 500 })
})

// A server that sends a large event in small pieces must not keep everybody waiting: the work is linear.
test('a long line in small chunks is cheap: this ends', { timeout: 60_000 }, async () => {
  const piece = 'x'.repeat(200)
  const pieces = 20_000
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('data: ')
    for (let at = 0; at < pieces; at++) yield Buffer.from(piece)
    yield Buffer.from('\n\n')
  }
  const [event] = await read(slow(), 10_000_000)
  assert.equal(event?.data?.length, piece.length * pieces)
})
