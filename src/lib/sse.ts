/** Server-Sent Events (WHATWG HTML, 9.2): reading a stream of bytes, writing an event. */
export interface SseEvent {
  readonly event: string
  /** Undefined for an event without a `data` line (it is not dispatched by the standard, but carries ids and retry times). */
  readonly data: string | undefined
  readonly id: string | undefined
  /** Milliseconds to wait before reconnecting, as the server asks. */
  readonly retryMs: number | undefined
}

export class SseOverflow extends Error {
  override readonly name = 'SseOverflow'
}

/** Yields the events of a body. Throws {@link SseOverflow} when one event has more than `eventBytesMax` characters, and on invalid UTF-8. */
export async function* readEvents(body: AsyncIterable<Uint8Array>, eventBytesMax: number): AsyncGenerator<SseEvent> {
  // Node's decoder drops a U+FEFF in the middle when a chunk ends inside the first character; so the first one is dropped here.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let first = true
  let event = emptyEvent()
  let size = 0
  let line = '' // as far as it has arrived; only ever added to, so that a long line in small chunks stays cheap
  let afterReturn = false
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true })
    if (text === '') continue
    let start = (first && text.startsWith('\ufeff')) || (afterReturn && text.startsWith('\n')) ? 1 : 0
    first = false
    afterReturn = text.endsWith('\r')
    for (;;) {
      const end = lineEnd(text, start)
      line += text.slice(start, end?.at)
      size += (end?.at ?? text.length) - start
      if (size > eventBytesMax) throw new SseOverflow(`an event has more than ${eventBytesMax} bytes`)
      if (end === undefined) break
      start = end.next
      if (line !== '') addLine(event, line)
      else {
        if (event.touched) yield dispatch(event)
        event = emptyEvent()
        size = 0
      }
      line = ''
    }
  }
}

interface Pending {
  event: string
  data: string[] | undefined
  id: string | undefined
  retryMs: number | undefined
  touched: boolean
}
const emptyEvent = (): Pending => ({ event: 'message', data: undefined, id: undefined, retryMs: undefined, touched: false })
const dispatch = ({ event, data, id, retryMs }: Pending): SseEvent => ({ event, data: data?.join('\n'), id, retryMs })

/** A line ends at LF, CRLF or CR. After a CR at the very end of a chunk, an LF at the beginning of the next belongs to it. */
function lineEnd(text: string, from: number): { at: number; next: number } | undefined {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x0a) return { at, next: at + 1 }
    if (code === 0x0d) return { at, next: text.charCodeAt(at + 1) === 0x0a ? at + 2 : at + 1 }
  }
  return undefined
}

function addLine(event: Pending, line: string): void {
  const colon = line.indexOf(':')
  if (colon === 0) return // a comment: a keep-alive
  const field = colon === -1 ? line : line.slice(0, colon)
  const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
  event.touched = true
  if (field === 'data') (event.data ??= []).push(value)
  else if (field === 'event') event.event = value
  else if (field === 'id' && !value.includes('\0')) event.id = value
  else if (field === 'retry' && /^\d{1,9}$/.test(value)) event.retryMs = Number(value)
}

/** The text of one event. `data` has no line breaks of its own: it is one JSON text. */
export function writeEvent(data: string, id?: string, retryMs?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}${retryMs === undefined ? '' : `retry: ${retryMs}\n`}data: ${data}\n\n`
}
