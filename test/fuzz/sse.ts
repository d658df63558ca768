/** Bytes → readEvents: however they are cut into chunks, the events are those of the standard, and the limit holds. */
import { isDeepStrictEqual } from 'node:util'
import { readEvents, type SseEvent, SseOverflow } from '../../src/lib/sse.ts'
import { type Fuzzer, must, type Target } from './fuzzer.ts'
import { chunked, cuts, mutated, type Vocabulary } from './mutate.ts'
import type { Random } from './random.ts'

interface Input {
  readonly bytes: Uint8Array
  readonly cuts: readonly number[]
  readonly eventBytesMax: number
}

const vocabulary: Vocabulary = {
  seeds: [
    'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
    'id: abc_1\nevent: message\ndata: one\ndata: two\n\n: keep-alive\n\ndata: three\n\n',
    'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
    'retry: 1000\n\nid: 7\ndata:\n\nevent: endpoint\ndata: /messages?id=1\n\n',
    '\ufeffdata: 世界 \ud83d\ude00\n\nunknown: x\n\ndata\n\n',
    ':\n\n\n\nid\nid: a\u0000b\nretry: 1e3\ndata:  two spaces\n\n',
  ],
  token: /\r\n|\r|\n|: ?|data|id|event|retry|[^\r\n:]/gu,
  words: [
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\r\n\r\n',
    ':',
    ': ',
    ' ',
    'data',
    'data: ',
    'data:x\n',
    'id: ',
    'id',
    'event: ',
    'retry: ',
    'retry: 5\n',
    '\u0000',
    '\u2028',
    '\u0085',
    '世',
    '\ufeff',
    'x'.repeat(70),
  ],
}

function make(random: Random): Input {
  const bytes = Buffer.from(mutated(random, vocabulary, 6))
  if (random.once(12) && bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256)
  return { bytes, cuts: cuts(random, bytes.length), eventBytesMax: random.once(3) ? 1 + random.below(80) : 1_000_000 }
}

export type ReadEvents = typeof readEvents

/** `read` is replaced only to show that the fuzzer finds what it looks for. */
export const sseFuzzer = (read: ReadEvents = readEvents): Fuzzer => ({
  name: 'sse',
  share: { cases: 15, seconds: 5 },
  open: (): Target<Input> => ({
    lanes: 1,
    make,
    check: (input) => accepts(input, read),
    show: ({ bytes, cuts: places, eventBytesMax }) =>
      `${JSON.stringify({ text: Buffer.from(bytes).toString('latin1'), cuts: places, eventBytesMax })}\n`,
    close: () => undefined,
  }),
})

async function accepts({ bytes, cuts: places, eventBytesMax }: Input, read: ReadEvents): Promise<boolean> {
  const { events, overflow, heldMost } = expected(bytes, eventBytesMax)
  for (const chunks of [[bytes], chunked(bytes, places)]) {
    const got = await gather(read, chunks, eventBytesMax)
    if (textIn(bytes) !== undefined) {
      must(
        isDeepStrictEqual(got.events, events),
        () => `in ${chunks.length} chunks: ${JSON.stringify(got.events)}, and the standard says ${JSON.stringify(events)}`,
      )
      must(
        got.error === (overflow ? 'SseOverflow' : undefined),
        () => `in ${chunks.length} chunks: ended with ${got.error}, and ${heldMost} of ${eventBytesMax} were held`,
      )
    } else {
      must(
        isDeepStrictEqual(got.events, events.slice(0, got.events.length)),
        () => `in ${chunks.length} chunks, before what is not UTF-8: ${JSON.stringify(got.events)}`,
      )
      must(got.error === 'TypeError' || overflow, () => `in ${chunks.length} chunks: what is not UTF-8 ended with ${got.error}`)
    }
  }
  return events.length > 0 && !overflow
}

async function gather(
  read: ReadEvents,
  chunks: readonly Uint8Array[],
  eventBytesMax: number,
): Promise<{ events: SseEvent[]; error: string | undefined }> {
  const events: SseEvent[] = []
  let arrived = Buffer.alloc(0)
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) {
      // Asked for more, the reader holds what has arrived of an event that is not over.
      const { overflow, heldMost } = expected(arrived, eventBytesMax)
      must(!overflow, () => `reads on with ${heldMost} characters of one event, and ${eventBytesMax} are allowed`)
      arrived = Buffer.concat([arrived, chunk])
      yield chunk
    }
  }
  try {
    for await (const event of read(body(), eventBytesMax)) events.push(event)
    return { events, error: undefined }
  } catch (error) {
    if (error instanceof SseOverflow || error instanceof TypeError) return { events, error: error.constructor.name }
    throw error
  }
}

/** The text, without a last character that has only begun; undefined for what is not UTF-8. */
function textIn(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true }) // in one piece
  } catch {
    return undefined
  }
}

/** WHATWG HTML 9.2.6, on the whole text at once. Up to the first event that is larger than it may be. */
function expected(bytes: Uint8Array, eventBytesMax: number): { events: SseEvent[]; overflow: boolean; heldMost: number } {
  const lines = (
    textIn(bytes) ??
    Buffer.from(bytes)
      .toString('utf8')
      .replace(/^\ufeff/, '')
  ).split(/\r\n|\r|\n/)
  const last = lines.pop() as string
  const events: SseEvent[] = []
  let [held, heldMost] = [0, 0]
  let fields: (readonly [string, string])[] = []
  for (const line of lines) {
    held += line.length
    heldMost = Math.max(held, heldMost)
    if (held > eventBytesMax) return { events, overflow: true, heldMost }
    if (line === '') {
      if (fields.length > 0) events.push(eventOf(fields))
      fields = []
      held = 0
    } else if (!line.startsWith(':')) {
      const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? []
      fields.push([field, value])
    }
  }
  heldMost = Math.max(heldMost, held + last.length)
  return { events, overflow: held + last.length > eventBytesMax, heldMost }
}

function eventOf(fields: readonly (readonly [string, string])[]): SseEvent {
  const of = (wanted: string): string[] => fields.filter(([field]) => field === wanted).map(([, value]) => value)
  const data = of('data')
  const retry = of('retry').findLast((value) => /^[0-9]{1,9}$/.test(value))
  return {
    event: of('event').at(-1) ?? 'message',
    data: data.length === 0 ? undefined : data.join('\n'),
    id: of('id').findLast((value) => !value.includes('\u0000')),
    retryMs: retry === undefined ? undefined : Number(retry),
  }
}
