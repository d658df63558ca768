/** A client that sends bytes as they are, and waits for an answer or the end of the connection, whichever comes. */
import { connect } from 'node:net'

export interface Heard {
  /** Undefined: the connection was closed without an answer. */
  readonly status: number | undefined
  readonly type: string
  readonly body: string
  /** `whole`: all of it came. `streaming`: it goes on. `closed`: it ended with the connection. `silent`: nothing came in time. */
  readonly ended: 'whole' | 'streaming' | 'closed' | 'silent'
}

const patienceMs = 250
const streamMs = 120
export const deadlineMs = 10_000

/** `framed`: the request is whole. Else the sending side is closed after a while, since the server may rightly wait for more. */
export function call(port: number, bytes: Buffer, framed: boolean): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const isHead = bytes.toString('latin1', 0, 5) === 'HEAD '
    let text = ''
    let streaming: NodeJS.Timeout | undefined
    const finish = (ended: Heard['ended']): void => {
      for (const timer of [patience, deadline, streaming]) clearTimeout(timer)
      socket.destroy()
      resolve({ ...answerIn(text, isHead), ended })
    }
    const patience = framed ? undefined : setTimeout(() => socket.end(), patienceMs)
    const deadline = setTimeout(() => finish('silent'), deadlineMs)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (isWhole(text, isHead)) finish('whole')
      else if (/^content-type: text\/event-stream/im.test(text)) streaming ??= setTimeout(() => finish('streaming'), streamMs)
    })
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('close', () => finish('closed'))
    socket.write(bytes)
  })
}

const partsOf = (text: string): { head: string; body: string } => {
  const last = text.replace(/^(HTTP\/1\.1 1\d\d[\s\S]*?\r\n\r\n)+/, '')
  const end = last.indexOf('\r\n\r\n')
  return end === -1 ? { head: '', body: '' } : { head: last.slice(0, end), body: last.slice(end + 4) }
}
const header = (head: string, name: string): string | undefined => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim()

function isWhole(text: string, isHead: boolean): boolean {
  const { head, body } = partsOf(text)
  if (head === '' || isHead) return head !== ''
  const length = header(head, 'content-length')
  if (length !== undefined) return body.length >= Number(length)
  if (header(head, 'transfer-encoding') === 'chunked') return body.endsWith('0\r\n\r\n')
  return /^HTTP\/1\.1 (202|204|304)/.test(head)
}

function answerIn(text: string, isHead: boolean): Pick<Heard, 'status' | 'type' | 'body'> {
  const { head, body } = partsOf(text)
  const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]
  const chunked = header(head, 'transfer-encoding') === 'chunked'
  const length = isHead ? 0 : Number(header(head, 'content-length') ?? body.length) // another answer may follow on the connection
  const bytes = Buffer.from(chunked ? unchunked(body) : body.slice(0, length), 'latin1')
  return {
    status: status === undefined ? undefined : Number(status),
    type: header(head, 'content-type') ?? '',
    body: bytes.toString(),
  }
}

function unchunked(body: string): string {
  let [text, rest] = ['', body]
  for (;;) {
    const [line = '', digits] = /^([0-9a-f]+)\r\n/.exec(rest) ?? []
    const size = Number.parseInt(digits ?? '0', 16)
    if (size === 0) return text
    text += rest.slice(line.length, line.length + size)
    rest = rest.slice(line.length + size + 2)
  }
}
