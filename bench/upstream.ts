/**
 * The MCP server behind every subject: raw JSON-RPC over HTTP or stdio, both eras, no SDK, as little work per call as
 * possible, so that what is measured is the proxy. Its one tool `echo` returns prose of the length asked for.
 *
 * `node bench/upstream.ts` serves HTTP on a free port and prints a ready line; `--stdio` serves stdin and stdout.
 * Never imported by a subject, only spawned: its processes are recognised by this file's name (see processes.ts).
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { legacyVersion, modernVersion } from './cases.ts'

interface Message {
  id?: string | number
  method?: string
  params?: { arguments?: { size?: number }; protocolVersion?: string; _meta?: Record<string, unknown> }
}

const textBytesMax = 1_048_576
const sentence = 'The quick brown fox walks past the lazy dog, and nobody minds. '
const serverInfo = { name: 'bench-upstream', version: '1.0.0' }
const capabilities = { tools: {} }
const tools = [
  {
    name: 'echo',
    description: 'Returns a text of the given size.',
    inputSchema: { type: 'object', properties: { size: { type: 'integer', minimum: 0 } }, required: ['size'] },
    annotations: { readOnlyHint: true },
  },
]
const modernMark = { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo } }
const cacheable = { ttlMs: 60_000, cacheScope: 'public' }
const legacyVersions = [legacyVersion, '2025-06-18', '2025-03-26', '2024-11-05']

/** Results as JSON text, one for each size and era: the same few are asked for a million times. */
const echoed = new Map<number, string>()

function echo(size: number, modern: boolean): string {
  const key = modern ? size : -1 - size
  let known = echoed.get(key)
  if (known === undefined) {
    const text = sentence.repeat(Math.ceil(size / sentence.length)).slice(0, size)
    known = JSON.stringify({ content: [{ type: 'text', text }], isError: false, ...(modern ? modernMark : {}) })
    if (echoed.size < 64) echoed.set(key, known)
  }
  return known
}

function result(message: Message, modern: boolean): string | null {
  const params = message.params ?? {}
  const size = params.arguments?.size
  switch (message.method) {
    case 'tools/call':
      return typeof size === 'number' && size >= 0 && size <= textBytesMax ? echo(size, modern) : null
    case 'tools/list':
      return JSON.stringify(modern ? { tools, ...cacheable, ...modernMark } : { tools })
    case 'ping':
      return modern ? null : '{}'
    case 'initialize': {
      const asked = params.protocolVersion ?? ''
      const protocolVersion = legacyVersions.includes(asked) ? asked : legacyVersion
      return JSON.stringify({ protocolVersion, capabilities, serverInfo })
    }
    case 'server/discover':
      return JSON.stringify({ supportedVersions: [modernVersion], capabilities, ...cacheable, ...modernMark })
    default:
      return null
  }
}

/** The answer as JSON text, or null where none is due (notifications and responses). */
function answer(message: Message): string | null {
  if (message.id === undefined || message.method === undefined) return null
  const modern = message.params?._meta?.['io.modelcontextprotocol/protocolVersion'] !== undefined
  const found = result(message, modern)
  const body = found === null ? '"error":{"code":-32601,"message":"Method not found"}' : `"result":${found}`
  return `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},${body}}`
}

const sessions = new Set<string>()

function post(request: IncomingMessage, response: ServerResponse, body: string): void {
  const message = JSON.parse(body) as Message
  const session = request.headers['mcp-session-id']
  if (typeof session === 'string' && !sessions.has(session)) return void response.writeHead(404).end()
  const text = answer(message)
  if (text === null) return void response.writeHead(202).end()
  const headers: Record<string, string | number> = { 'content-type': 'application/json', 'content-length': text.length }
  if (message.method === 'initialize') {
    const opened = randomUUID()
    sessions.add(opened)
    headers['mcp-session-id'] = opened
  }
  response.writeHead(200, headers).end(text)
}

function serveHttp(): void {
  const server = createServer((request, response) => {
    const session = request.headers['mcp-session-id']
    if (request.method === 'GET') {
      if (typeof session !== 'string' || !sessions.has(session)) return void response.writeHead(405).end()
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
      return void response.write(': open\n\n')
    }
    if (request.method === 'DELETE') {
      if (typeof session === 'string') sessions.delete(session)
      return void response.writeHead(200).end()
    }
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      try {
        post(request, response, body)
      } catch {
        response.writeHead(400).end()
      }
    })
  })
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    process.stdout.write(`${JSON.stringify({ event: 'ready', listen: `http://127.0.0.1:${port}` })}\n`)
  })
}

function serveStdio(): void {
  let rest = ''
  process.stdin.setEncoding('utf8')
  process.stdin.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    let out = ''
    for (const line of lines) {
      if (line.trim() === '') continue
      const text = answer(JSON.parse(line) as Message)
      if (text !== null) out += `${text}\n`
    }
    if (out !== '') process.stdout.write(out)
  })
  process.stdin.on('end', () => process.exit(0))
}

if (process.argv.includes('--stdio')) serveStdio()
else serveHttp()
