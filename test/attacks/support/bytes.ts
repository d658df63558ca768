/** HTTP requests as bytes: what a client library would never send. */
import { modernParts, raw } from './client.ts'
import { until } from './house.ts'

/** A correct call of the tool `plain`, to be spoilt. */
export const { body, headers } = modernParts('tools/call', { name: 'plain', arguments: {} })
/** What an attacker would like to have read as a request of its own. */
export const smuggled = 'POST /x/mcp HTTP/1.1\r\nHost: smuggled\r\nContent-Length: 0\r\n\r\n'

export function lines(port: number, more: readonly string[] = []): string {
  const named = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`Host: 127.0.0.1:${port}`, 'Content-Type: application/json', ...named, ...more].map((line) => `${line}\r\n`).join('')
}

/** A POST of that call to the server `x`. */
export const post = (
  port: number,
  more: readonly string[] = [`Content-Length: ${body.length}`],
  content: string | Buffer = body,
): string => `POST /x/mcp HTTP/1.1\r\n${lines(port, more)}\r\n${content}`

/** Everything that came back until the other side closed, or nothing more came for a while. */
export async function answerTo(port: number, bytes: string | Buffer, options: { halfClose?: boolean } = {}): Promise<string> {
  const one = raw(port, '127.0.0.1', { allowHalfOpen: true })
  one.socket.write(bytes)
  if (options.halfClose) one.socket.end()
  let quietSince = performance.now()
  let size = -1
  await until('an answer', () => {
    if (one.text().length !== size) [size, quietSince] = [one.text().length, performance.now()]
    return one.isClosed() || one.socket.readableEnded || (size > 0 && performance.now() - quietSince > 150)
  })
  one.socket.destroy()
  return one.text()
}

export const statuses = (text: string): number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
