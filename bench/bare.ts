/**
 * The bare proxy: node:http in front, an undici Pool behind, each body parsed and serialised again both ways, and not
 * one check. It is the floor for any JSON-reading proxy on Node, and the yardstick for what Sekisho's checks cost.
 *
 * `node bench/bare.ts UPSTREAM_URL` prints a ready line. Keep it this small.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Dispatcher, Pool } from 'undici'

const upstream = new URL(process.argv[2] ?? '')
const pool = new Pool(upstream.origin, { headersTimeout: 30_000, bodyTimeout: 0 })
const dropped = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive'])

const kept = (headers: IncomingMessage['headers']) =>
  Object.fromEntries(Object.entries(headers).filter(([key]) => !dropped.has(key)))
const reserialised = (text: string) => (text === '' ? '' : JSON.stringify(JSON.parse(text)))

async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) text += chunk
  const method = request.method as Dispatcher.HttpMethod
  const body = method === 'POST' ? reserialised(text) : null
  const answer = await pool.request({ path: upstream.pathname, method, headers: kept(request.headers), body })
  response.writeHead(answer.statusCode, kept(answer.headers))
  if (answer.headers['content-type'] !== 'application/json') return void answer.body.pipe(response)
  response.end(reserialised(await answer.body.text()))
}

const server = createServer((request, response) => {
  forward(request, response).catch(() => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
})
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ event: 'ready', listen: `http://127.0.0.1:${port}` })}\n`)
})
