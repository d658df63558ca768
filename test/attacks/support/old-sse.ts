/** An upstream of 2024-11-05 (HTTP+SSE) that keeps what it receives, and may lie about where to POST. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Heard, Json } from './echo.ts'

export interface OldSse {
  readonly url: string
  readonly heard: Heard[]
  everything(): string
  close(): Promise<void>
}

/** `endpoint`: what the first event says, given our own origin. */
export async function oldSse(endpoint: (origin: string) => string = () => '/messages?session=1'): Promise<OldSse> {
  const heard: Heard[] = []
  let stream: ServerResponse | undefined
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      const message = body === '' ? {} : (JSON.parse(body) as Json)
      heard.push({
        line: `${request.method} ${request.url}`,
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        body,
        message,
      })
      if (request.method === 'GET') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' })
        return void stream.write(
          `event: endpoint\ndata: ${endpoint(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)}\n\n`,
        )
      }
      if (request.url?.startsWith('/messages') !== true) return void response.writeHead(405).end()
      response.writeHead(202).end()
      const { id, method, params } = message as { id?: unknown; method?: string; params?: Json }
      if (id === undefined) return
      const opened = { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo: { name: 'old', version: '1' } }
      const result = method === 'initialize' ? opened : { content: [{ type: 'text', text: JSON.stringify(params) }] }
      stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`)
    })
  })
  server.unref()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`,
    heard,
    everything: () => heard.map(({ line, rawHeaders, body }) => [line, ...rawHeaders, body].join('\n')).join('\n'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
