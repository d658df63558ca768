/** Many requests down one connection, as bytes: paths and headers arrive as they are written here. */
import assert from 'node:assert/strict'
import { raw } from './client.ts'
import { until } from './house.ts'

export interface Attempt {
  readonly verb: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string
}

export interface Answered {
  readonly status: number
  readonly text: string
  readonly attempt: Attempt
}

/** All of them down one connection, as bytes: the only way to send paths as they are. */
export async function attemptAll(at: string, attempts: readonly Attempt[]): Promise<readonly Answered[]> {
  const { port, host } = new URL(at)
  const results: Answered[] = []
  while (results.length < attempts.length) {
    const socket = raw(Number(port))
    const answered = results.length
    const written = attempts.slice(answered).map(({ verb, path, headers, body }) => {
      const lines = Object.entries({ host, ...headers, 'content-length': Buffer.byteLength(body) }).map(
        ([name, value]) => `${name}: ${value}\r\n`,
      )
      return `${verb} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
    })
    socket.socket.write(written.join(''))
    const answers = (): string[] => split(socket.text(), attempts.slice(answered))
    await until(
      'all answers',
      () => socket.isClosed() || (count(socket.text()) >= written.length && answers().length === written.length),
    )
    for (const text of answers())
      results.push({ status: Number(text.slice(9, 12)), text, attempt: attempts[results.length] as Attempt })
    socket.socket.destroy()
    assert.ok(results.length > answered, `no answer to ${attempts[answered]?.verb} ${attempts[answered]?.path}: ${socket.text()}`)
  }
  return results
}

const count = (text: string): number => text.split('HTTP/1.1 ').length - 1

/** The responses in what came back, whole ones only. */
function split(text: string, attempts: readonly Attempt[]): string[] {
  const found: string[] = []
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n\r\n', at)
    if (end === -1) break
    const bare = attempts[found.length]?.verb === 'HEAD'
    const length = bare ? 0 : Number(/^content-length: (\d+)/im.exec(text.slice(at, end))?.[1] ?? 0)
    if (end + 4 + length > text.length) break
    found.push(text.slice(at, end + 4 + length))
    at = end + 4 + length
  }
  return found
}
