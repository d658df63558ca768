/**
 * A server on the low-level API of the official SDK 1.32, which knows no revision after 2025-11-25. Its tools have the
 * names of the conformance fixture's, so that one table of checks serves both, and a few more for trouble.
 *
 *   node test/e2e/support/upstream-one.ts --transport stdio|http|sse [--port 0] [--bare] [--noisy]
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import * as mcp from '@modelcontextprotocol/sdk/types.js'

const { transport, port, bare, noisy } = parseArgs({
  options: {
    transport: { type: 'string', default: 'http' },
    port: { type: 'string', default: '0' },
    bare: { type: 'boolean' },
    noisy: { type: 'boolean' },
  },
}).values
/** Over 64 characters once a server id stands before it. */
const longName = `look_up_${'a_very_long_name_'.repeat(3)}indeed`
const watchedUri = 'test://watched-resource'
const servers = new Set<Server>()
const witnessed: string[] = []
let extraListed = false

type Extra = RequestHandlerExtra<mcp.ServerRequest, mcp.ServerNotification>
interface Call {
  readonly server: Server
  readonly given: Record<string, unknown>
  readonly extra: Extra
  readonly token: string | number | undefined
}
const text = (words: string): mcp.CallToolResult => ({ content: [{ type: 'text', text: words }] })
const answers = (answer: unknown): mcp.CallToolResult => text(`Answers: ${JSON.stringify(answer)}`)
const everywhere = (tell: (server: Server) => Promise<void>): void =>
  servers.forEach((server) => void tell(server).catch(() => undefined))

const tools: Readonly<Record<string, (call: Call) => mcp.CallToolResult | Promise<mcp.CallToolResult>>> = {
  test_simple_text: () => text('Plain text from the fixture.'),
  test_error_handling: () => ({ ...text('This tool fails on purpose.'), isError: true }),
  async test_tool_with_progress({ extra, token }) {
    for (const progress of [0, 50, 100])
      if (token !== undefined)
        await extra.sendNotification({ method: 'notifications/progress', params: { progressToken: token, progress, total: 100 } })
    return text('Reported progress.')
  },
  async test_tool_with_logging({ extra }) {
    for (const data of ['Started', 'Half way', 'Finished'])
      await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } })
    return text('Logged three messages.')
  },
  async test_sampling({ given, extra }) {
    const params = {
      messages: [{ role: 'user' as const, content: { type: 'text' as const, text: String(given['prompt']) } }],
      maxTokens: 100,
    }
    return answers(await extra.sendRequest({ method: 'sampling/createMessage', params }, mcp.CreateMessageResultSchema))
  },
  async test_elicitation({ given, extra }) {
    const requestedSchema = {
      type: 'object' as const,
      properties: { username: { type: 'string' as const } },
      required: ['username'],
    }
    return answers(
      await extra.sendRequest(
        { method: 'elicitation/create', params: { message: String(given['message']), requestedSchema } },
        mcp.ElicitResultSchema,
      ),
    )
  },
  test_input_required_result_list_roots: async ({ extra }) =>
    answers(await extra.sendRequest({ method: 'roots/list' }, mcp.ListRootsResultSchema)),
  test_trigger_tool_change() {
    extraListed = !extraListed
    everywhere((server) => server.sendToolListChanged())
    return text('changed')
  },
  test_trigger_resource_change() {
    everywhere((server) => server.sendResourceUpdated({ uri: watchedUri }))
    return text('changed')
  },
  async wait({ given, extra }) {
    witnessed.push(`began ${given['name']}`)
    await new Promise<void>((resolve) => extra.signal.addEventListener('abort', () => resolve(), { once: true }))
    witnessed.push(`cancelled ${given['name']}`)
    return text('cancelled')
  },
  witness: () => text(JSON.stringify(witnessed)),
  pid: () => text(String(process.pid)),
  environment: ({ given }) => text(process.env[String(given['name'])] ?? ''),
  die: () => process.exit(7),
  /** Answers, and is gone before anybody has read the answer. */
  last_words() {
    setImmediate(() => process.exit(0))
    return text('Farewell.')
  },
  /** From now on, the end of stdin alone does not end the process; for longer than any test, but not for ever. */
  linger() {
    setTimeout(() => undefined, 60_000)
    return text('I stay.')
  },
  /** Reports progress until it is cancelled, and never answers. */
  async drip({ given, extra, token }) {
    for (let progress = 1; !extra.signal.aborted; progress++) {
      if (token !== undefined)
        await extra.sendNotification({ method: 'notifications/progress', params: { progressToken: token, progress } })
      await wait(100)
    }
    witnessed.push(`cancelled ${given['name']}`)
    return text('cancelled')
  },
  /** Starts a process of its own that does not end by itself while a test runs. */
  orphan: () => text(String(spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' }).pid)),
  [longName]: () => text('The long one.'),
  show: () => text('See for yourself.'),
}

function describe(name: string): mcp.Tool {
  const ui = name === 'show' ? { _meta: { ui: { resourceUri: 'ui://panel/main.html' } } } : {}
  return { name, description: `The tool ${name}`, inputSchema: { type: 'object' }, ...ui }
}

function assemble(): Server {
  const capabilities = {
    tools: { listChanged: true },
    prompts: {},
    resources: { subscribe: true, listChanged: true },
    logging: {},
    completions: {},
  }
  const server = new Server(
    { name: 'upstream-one', version: '1.32.0' },
    { capabilities: bare ? { tools: {} } : capabilities, instructions: 'An old friend.' },
  )
  server.setRequestHandler(mcp.ListToolsRequestSchema, () => ({
    tools: [...Object.keys(tools), ...(extraListed ? ['test_extra_tool'] : [])].map(describe),
  }))
  server.setRequestHandler(mcp.CallToolRequestSchema, ({ params }, extra) => {
    const tool = Object.hasOwn(tools, params.name) ? tools[params.name] : undefined
    if (!tool) throw new mcp.McpError(mcp.ErrorCode.InvalidParams, `Tool ${params.name} not found`)
    return tool({ server, given: params.arguments ?? {}, extra, token: params._meta?.progressToken })
  })
  if (bare) return server
  server.setRequestHandler(mcp.ListPromptsRequestSchema, () => ({ prompts: [{ name: 'test_simple_prompt' }] }))
  server.setRequestHandler(mcp.GetPromptRequestSchema, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'Say hello.' } }],
  }))
  server.setRequestHandler(mcp.ListResourcesRequestSchema, () => ({
    resources: [
      { uri: 'test://static-text', name: 'text' },
      { uri: watchedUri, name: 'watched' },
    ],
  }))
  server.setRequestHandler(mcp.ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'by id' }],
  }))
  server.setRequestHandler(mcp.ReadResourceRequestSchema, ({ params: { uri } }) => {
    if (!uri.startsWith('test://') && !uri.startsWith('ui://')) throw new mcp.McpError(-32002, `Resource ${uri} not found`)
    return { contents: [{ uri, text: uri === 'test://static-text' ? 'Text that never changes.' : `This is ${uri}` }] }
  })
  server.setRequestHandler(mcp.SubscribeRequestSchema, () => ({}))
  server.setRequestHandler(mcp.UnsubscribeRequestSchema, () => ({}))
  server.setRequestHandler(mcp.CompleteRequestSchema, ({ params }) => ({
    completion: { values: [`${params.argument.value}is`] },
  }))
  return server
}

async function connect(to: Transport): Promise<void> {
  const server = assemble()
  servers.add(server)
  server.onclose = () => void servers.delete(server)
  await server.connect(to)
}

const streamable = new Map<string, StreamableHTTPServerTransport>()
const sse = new Map<string, SSEServerTransport>()

async function serveStreamable(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = request.headers['mcp-session-id']
  const known = typeof id === 'string' ? streamable.get(id) : undefined
  if (known) return known.handleRequest(request, response)
  if (id !== undefined) return void response.writeHead(404).end('no such session')
  const fresh = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (opened) => void streamable.set(opened, fresh),
    onsessionclosed: (closed) => void streamable.delete(closed),
  })
  await connect(fresh as Transport)
  await fresh.handleRequest(request, response)
}

/** HTTP+SSE of 2024-11-05: GET /mcp is the stream, POSTs go to the path it names, and a POST to /mcp is nothing. */
async function serveSse(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const known = sse.get(url.searchParams.get('sessionId') ?? '')
  if (request.method === 'POST' && url.pathname === '/messages' && known) return known.handlePostMessage(request, response)
  if (request.method !== 'GET' || url.pathname !== '/mcp') return void response.writeHead(404).end('nothing here')
  const fresh = new SSEServerTransport('/messages', response)
  sse.set(fresh.sessionId, fresh)
  await connect(fresh)
}

if (transport === 'stdio') {
  if (noisy) process.stdout.write('Welcome to my server!\n{"level":"info"}\n')
  process.stderr.write('this line is on stderr and belongs in no message\n')
  await connect(new StdioServerTransport())
} else {
  const serve = transport === 'sse' ? serveSse : serveStreamable
  const http = createServer((request, response) => void serve(request, response))
  http.listen(Number(port), '127.0.0.1', () =>
    process.stderr.write(`listening http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp\n`),
  )
}
