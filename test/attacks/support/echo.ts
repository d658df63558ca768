/**
 * An upstream that keeps every byte it receives: request lines, headers, bodies. It speaks as little MCP as it can, in one
 * era, and a test puts its own answers in place of the usual ones. Nothing in it defends itself: that is the gateway's work.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Json = Record<string, unknown>

export interface Heard {
  /** `POST /mcp` */
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: string
  readonly message: Json
}

export interface Turn {
  readonly message: Json
  readonly params: Json
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Sends a message on the response, which becomes an event stream. */
  send(message: Json): void
}
/** The result of a request; undefined when it has answered by itself, or will. */
export type Answer = (turn: Turn) => Json | undefined | Promise<Json | undefined>

export interface Echo {
  readonly url: string
  readonly port: number
  readonly server: Server
  readonly heard: Heard[]
  /** Methods of the messages that came, in order. */
  methods(): string[]
  /** Everything that came, as one text to search in. */
  everything(): string
  /** Standing streams (GET) that are open. */
  readonly standing: Set<ServerResponse>
  close(): Promise<void>
}

export interface EchoOptions {
  readonly era?: 'legacy' | 'modern'
  readonly answers?: Readonly<Record<string, Answer>>
  readonly tools?: readonly Json[]
  /** In place of everything else. */
  readonly handler?: (heard: Heard, request: IncomingMessage, response: ServerResponse) => void
  readonly listen?: (listener: RequestListener) => Server
  readonly host?: string
}

const version = '2026-07-28'
const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  completions: {},
  logging: {},
}
export const tool = (name: string, more: Json = {}): Json => ({ name, inputSchema: { type: 'object' }, ...more })
export const saying = (text: string): Json => ({ content: [{ type: 'text', text }] })

const usual: Readonly<Record<string, (turn: Turn, options: EchoOptions) => Json>> = {
  initialize: ({ params }) => ({
    protocolVersion: params['protocolVersion'],
    capabilities,
    serverInfo: { name: 'echo', version: '1' },
  }),
  'server/discover': () => ({ supportedVersions: [version], capabilities, ttlMs: 0, cacheScope: 'private' }),
  'tools/list': (_, { tools = [tool('read_note'), tool('delete_note')] }) => ({ tools, ttlMs: 0, cacheScope: 'public' }),
  'tools/call': ({ params }) => saying(JSON.stringify({ name: params['name'], arguments: params['arguments'] })),
  'resources/read': ({ params }) => ({ contents: [{ uri: params['uri'], text: 'text' }], ttlMs: 0, cacheScope: 'public' }),
  'prompts/get': () => ({ messages: [] }),
  'completion/complete': () => ({ completion: { values: [] } }),
}

export async function echo(options: EchoOptions = {}): Promise<Echo> {
  const { era = 'modern', host = '127.0.0.1', listen = createServer } = options
  const heard: Heard[] = []
  const standing = new Set<ServerResponse>()
  const server = listen((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => {
      const one = read(request, Buffer.concat(chunks).toString('utf8'))
      heard.push(one)
      if (options.handler) options.handler(one, request, response)
      else void respond(one, request, response, options, era, standing)
    })
  })
  server.unref() // a test that fails before it closes must not keep the file from ending
  server.keepAliveTimeout = 0 // the clients let go of idle connections; were it both, a request would now and then meet a closed one
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${server.listenerCount('secureConnection') > 0 ? 'https' : 'http'}://${host}:${port}/mcp`,
    port,
    server,
    heard,
    standing,
    methods: () => heard.map(({ message }) => String(message['method'] ?? '')),
    everything: () => heard.map(({ line, rawHeaders, body }) => [line, ...rawHeaders, body].join('\n')).join('\n'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function read(request: IncomingMessage, body: string): Heard {
  const { method, url, headers, rawHeaders } = request
  let message: Json = {}
  try {
    message = JSON.parse(body) as Json
  } catch {
    // a GET, a DELETE, or nothing that we would understand
  }
  return { line: `${method} ${url}`, headers, rawHeaders: [...rawHeaders], body, message }
}

async function respond(
  { message }: Heard,
  request: IncomingMessage,
  response: ServerResponse,
  options: EchoOptions,
  era: 'legacy' | 'modern',
  standing: Set<ServerResponse>,
): Promise<void> {
  if (request.method === 'GET') {
    if (era === 'modern') return void response.writeHead(405).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    standing.add(response)
    return void response.once('close', () => standing.delete(response))
  }
  if (request.method !== 'POST') return void response.writeHead(200).end()
  const { method, id } = message as { method?: string; id?: unknown }
  if (method === undefined || id === undefined) return void response.writeHead(202).end()
  const send = (part: Json): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...part })}\n\n`)
  }
  const turn: Turn = { message, params: (message['params'] ?? {}) as Json, request, response, send }
  const known = eraOf(method) === undefined || eraOf(method) === era
  const answer = known ? (options.answers?.[method] ?? ((it: Turn) => usual[method]?.(it, options) ?? {})) : undefined
  if (!answer) {
    const error = era === 'modern' ? { code: -32022, message: 'only 2026-07-28' } : { code: -32601, message: 'no such method' }
    return void response
      .writeHead(era === 'modern' ? 400 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, error }))
  }
  const result = await answer(turn)
  if (result === undefined) return
  const isNew = method === 'initialize' && !response.hasHeader('mcp-session-id')
  const session = isNew ? { 'mcp-session-id': `upstream-session-${randomUUID()}` } : {}
  const whole = {
    id,
    ...('code' in result ? { error: result } : { result: era === 'modern' ? { resultType: 'complete', ...result } : result }),
  }
  if (!response.headersSent)
    return void response
      .writeHead(200, { 'content-type': 'application/json', ...session })
      .end(JSON.stringify({ jsonrpc: '2.0', ...whole }))
  send(whole)
  response.end()
}

const eraOf = (method: string): 'legacy' | 'modern' | undefined =>
  method === 'initialize' ? 'legacy' : method === 'server/discover' || method === 'subscriptions/listen' ? 'modern' : undefined
