/**
 * What a gateway is without the controls under test: it reads the body with JSON.parse, decides on what it read, and sends
 * on the bytes and headers as they came. Every exploit here works through it, or directly.
 */
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Json } from './echo.ts'

export interface Naive {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** `allows` is the whole policy. */
export async function naive(upstream: string, allows: (message: Json) => boolean = () => true): Promise<Naive> {
  const target = new URL(upstream)
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const message = body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as Json)
      if (!allows(message)) return void response.writeHead(403).end('{}')
      const { host: _, 'content-length': __, 'transfer-encoding': ___, ...headers } = request.headers
      const options = { hostname: target.hostname, port: target.port, path: target.pathname, method: request.method, headers }
      const onward = httpRequest(options, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      onward.on('error', () => response.writeHead(502).end('{}'))
      onward.end(body)
    })
  })
  server.unref()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
