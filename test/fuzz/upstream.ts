/**
 * The server behind the fuzzed gateway. It looks at every request as the most tolerant and the strictest reader would, and
 * keeps what the gateway must not have let through. `/hostile` and `/unfriendly` answer with rubbish of their own.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decoded } from './headers.ts'
import { ambiguity, nearMiss } from './json.ts'
import { jsonVocabulary } from './messages.ts'
import { mutated } from './mutate.ts'
import { memberOf, type Node, readPlainly, textOf } from './plain-json.ts'
import { Random } from './random.ts'
import { credential } from './requests.ts'

export interface Upstream {
  readonly port: number
  /** What should not have come, in a sentence with the request; emptied by whoever reads it. */
  readonly wrongs: string[]
  /** Requests of clients that came through. */
  readonly calls: () => number
  close(): Promise<void>
}

interface Message {
  readonly id?: string | number
  readonly method?: string
  readonly params?: {
    readonly name?: string
    readonly protocolVersion?: string
    readonly _meta?: { readonly progressToken?: unknown }
  }
}

const modernVersion = '2026-07-28'
const schema = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    at: { type: 'object', properties: { n: { type: 'integer', 'x-mcp-header': 'At-N' } } },
    on: { type: 'boolean', 'x-mcp-header': 'On' },
  },
}
const tools = ['read_file', 'write_file', 'forbidden_tool'].map((name) => ({ name, inputSchema: { type: 'object' } }))
const results: Readonly<Record<string, object>> = {
  'tools/list': { tools: [...tools, { name: 'region', inputSchema: schema }] },
  'tools/call': { content: [{ type: 'text', text: 'done' }] },
  'prompts/list': { prompts: [{ name: 'hello' }, { name: 'forbidden_prompt' }] },
  'prompts/get': { messages: [{ role: 'user', content: { type: 'text', text: 'hello' } }] },
  'resources/list': { resources: [{ uri: 'file:///a%20b.txt', name: 'a' }] },
  'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'file:///{path}', name: 't' }] },
  'resources/read': { contents: [{ uri: 'file:///a%20b.txt', text: 'a' }] },
  'resources/subscribe': {},
  'resources/unsubscribe': {},
  'completion/complete': { completion: { values: ['w'] } },
  'logging/setLevel': {},
  ping: {},
  'tasks/get': { taskId: 't-1', status: 'working' },
}
const capabilities = { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true }, logging: {}, completions: {} }
const serverInfo = { name: 'fuzzed', version: '1' }

export async function startUpstream(): Promise<Upstream> {
  const wrongs: string[] = []
  let calls = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const wrong = request.method === 'POST' ? wrongWith(request, body) : undefined
      if (wrong !== undefined)
        wrongs.push(`${wrong}\n${request.method} ${request.url}\n${request.rawHeaders.join('\n')}\n\n${body.toString('latin1')}`)
      if (/"method":"(tools\/call|prompts\/get|resources\/read)"/.test(body.toString('latin1'))) calls++
      answer(request, response, body.toString())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    wrongs,
    calls: () => calls,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const never = [
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-forwarded-for',
  'x-forwarded-host',
  'forwarded',
  'origin',
  'referer',
]
const once = ['mcp-method', 'mcp-name', 'mcp-protocol-version', 'mcp-session-id', 'content-type', 'content-length', 'host']

/** What is wrong with a request that the gateway sent, as far as two readers of it could differ, or policy was passed by. */
export function wrongWith(
  { rawHeaders, url = '' }: Pick<IncomingMessage, 'rawHeaders' | 'url'>,
  body: Uint8Array,
): string | undefined {
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
  const foreign = names.find((name) => never.includes(name))
  if (foreign !== undefined) return `the header ${foreign} of the caller was passed on`
  // Whoever writes it into a parameter of a tool's wants it passed on.
  if (names.some((name, at) => !name.startsWith('mcp-param-') && rawHeaders[at * 2 + 1]?.includes(credential)))
    return 'a credential of the caller was passed on'
  const twice = once.find((name) => names.filter((other) => other === name).length > 1)
  if (twice !== undefined) return `the header ${twice} comes twice`
  if (!isUtf8(body)) return 'the body is not UTF-8'
  const plain = readPlainly(Buffer.from(body).toString(), 200)
  if (plain === undefined) return 'the body is not JSON'
  if (plain.kind !== 'object') return 'the body is not one message'
  const why = ambiguity(plain)
  if (why !== undefined) return why
  const near = nearMiss(plain)
  if (near !== undefined) return `the key ${JSON.stringify(near)} is taken for another by a tolerant reader`
  const header = (name: string): string | undefined => rawHeaders[names.indexOf(name) * 2 + 1]
  return url === '/legacy' ? forbidden(plain) : (mismatch(plain, header) ?? forbidden(plain))
}

function subjectIn(plain: Node): Node | undefined {
  const params = memberOf(plain, 'params')
  switch (textOf(memberOf(plain, 'method'))) {
    case 'tools/call':
    case 'prompts/get':
      return memberOf(params, 'name')
    case 'resources/read':
    case 'resources/subscribe':
      return memberOf(params, 'uri')
    case 'completion/complete':
      return memberOf(memberOf(params, 'ref'), 'name')
  }
  return undefined
}

/** The policy of the fuzzed gateway denies everything with this word, to everyone. */
function forbidden(plain: Node): string | undefined {
  const subject = textOf(subjectIn(plain))
  return subject !== undefined && /^(file:\/\/\/)?forbidden/.test(subject)
    ? `policy denies ${JSON.stringify(subject)}, and it came`
    : undefined
}

/** A modern request: the headers say what the body says. */
function mismatch(plain: Node, header: (name: string) => string | undefined): string | undefined {
  const method = textOf(memberOf(plain, 'method'))
  if (method === undefined || header('mcp-method') === undefined) return undefined
  if (header('mcp-method') !== method) return `the Mcp-Method header is ${header('mcp-method')}`
  const version = textOf(memberOf(memberOf(memberOf(plain, 'params'), '_meta'), 'io.modelcontextprotocol/protocolVersion'))
  if (header('mcp-protocol-version') !== version) return `the MCP-Protocol-Version header is ${header('mcp-protocol-version')}`
  const subject = method === 'completion/complete' || method === 'resources/subscribe' ? undefined : subjectIn(plain)
  if (subject !== undefined && decoded(header('mcp-name') ?? '') !== textOf(subject))
    return `the Mcp-Name header is ${header('mcp-name')}`
  return undefined
}

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const json = (status: number, value: object, headers = {}): void =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
  const url = request.url ?? ''
  if (request.method === 'GET') return standing(response, url)
  if (request.method === 'DELETE') return void response.writeHead(200).end()
  const { id, method = '', params = {} } = JSON.parse(body) as Message
  if (id === undefined || method === '') return void response.writeHead(202).end()
  if (url.startsWith('/hostile') && method !== 'initialize') return hostile(response, id, body)
  if (url.startsWith('/unfriendly')) return hostile(response, id, body)
  if (method === 'initialize') {
    const version =
      ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'].find((one) => one === params.protocolVersion) ?? '2025-11-25'
    return json(
      200,
      { jsonrpc: '2.0', id, result: { protocolVersion: version, capabilities, serverInfo } },
      { 'mcp-session-id': 'upstream-session' },
    )
  }
  const isModern = url.startsWith('/modern')
  const extra = isModern ? { resultType: 'complete', ttlMs: 1000, cacheScope: 'private' } : {}
  if (method === 'server/discover' && isModern)
    return json(200, { jsonrpc: '2.0', id, result: { supportedVersions: [modernVersion], capabilities, ...extra } })
  if (method === 'subscriptions/listen' && isModern) return listened(response, id)
  const result = results[method]
  if (result === undefined)
    return json(isModern ? 404 : 200, { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })
  if (method === 'tools/call' && params.name === 'write_file')
    return streamed(response, id, { ...result, ...extra }, params._meta?.progressToken, isModern)
  json(200, { jsonrpc: '2.0', id, result: { ...result, ...extra } })
}

/** The answer as an event stream: progress, and on the old wire a question that nobody has to answer. */
function streamed(
  response: ServerResponse,
  id: string | number,
  result: object,
  progressToken: unknown,
  isModern: boolean,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (progressToken !== undefined) say(response, { method: 'notifications/progress', params: { progressToken, progress: 1 } })
  if (!isModern)
    say(response, {
      id: 'u1',
      method: 'elicitation/create',
      params: { message: 'Really?', requestedSchema: { type: 'object', properties: {} } },
    })
  setTimeout(() => {
    say(response, { id, result })
    response.end()
  }, 5)
}

const say = (response: ServerResponse, message: object): void =>
  void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
const changes: readonly object[] = [
  { method: 'notifications/tools/list_changed' },
  { method: 'notifications/resources/updated', params: { uri: 'file:///a' } },
  { method: 'notifications/message', params: { level: 'info', data: 'x' } },
]
const streamMs = 300

/** A modern subscription, acknowledged and soon over. */
function listened(response: ServerResponse, id: string | number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const _meta = { 'io.modelcontextprotocol/subscriptionId': String(id) }
  const notifications = { toolsListChanged: true, resourceSubscriptions: ['file:///a'] }
  say(response, { method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta } })
  for (const { method, params } of changes as { method: string; params?: object }[])
    say(response, { method, params: { ...params, _meta } })
  setTimeout(() => {
    say(response, { id, result: { resultType: 'complete' } })
    response.end()
  }, streamMs)
}

let streams = 0

/** The standing stream of a legacy session: changes, a question, and from the hostile one whatever it likes. */
function standing(response: ServerResponse, url: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const random = new Random(++streams)
  if (url.startsWith('/hostile'))
    for (let count = random.below(6); count > 0; count--)
      response.write(
        `data: ${mutated(random, jsonVocabulary, 3, JSON.stringify(random.pick([...changes.map((change) => ({ jsonrpc: '2.0', ...change })), ...replies])))}\n\n`,
      )
  else {
    for (const change of changes) say(response, change)
    say(response, { id: 'u2', method: 'roots/list' })
  }
  setTimeout(() => response.end(), streamMs)
}

const replies = [
  { jsonrpc: '2.0', id: 0, result: { content: [{ type: 'text', text: 'x' }], resultType: 'complete' } },
  {
    jsonrpc: '2.0',
    id: 0,
    result: {
      tools: [{ name: 'read_file', inputSchema: { type: 'object' } }, { name: 'forbidden_tool' }],
      resultType: 'complete',
      ttlMs: 5,
      cacheScope: 'public',
    },
  },
  {
    jsonrpc: '2.0',
    id: 0,
    result: {
      resultType: 'input_required',
      inputRequests: { q: { method: 'elicitation/create', params: { message: 'm' } } },
      requestState: 's',
    },
  },
  {
    jsonrpc: '2.0',
    id: 0,
    result: { contents: [{ uri: 'ui://x', text: 'y' }], content: [{ type: 'resource_link', uri: 'file:///a' }] },
  },
  { jsonrpc: '2.0', id: 0, error: { code: -32602, message: 'no', data: { a: 1 } } },
  { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } },
  { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'file:///a' } },
  { jsonrpc: '2.0', id: 'ask', method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } },
  { jsonrpc: '2.0', id: 'ask', method: 'roots/list' },
  {
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: { resourceSubscriptions: ['file:///a'] } },
  },
]

/** Rubbish that depends on the request alone, so that it is the same the next time. */
function hostile(response: ServerResponse, id: string | number, body: string): void {
  const random = new Random(createHash('sha256').update(body).digest().readUInt32LE(0))
  const reply = (): string =>
    mutated(random, jsonVocabulary, 3, JSON.stringify(random.pick(replies)).replace('"id":0', `"id":${JSON.stringify(id)}`))
  switch (random.below(12)) {
    case 0:
      return void response.destroy()
    case 1:
      return void response
        .writeHead(random.pick([204, 301, 401, 404, 429, 500, 503]), { location: 'http://127.0.0.1:1/', 'mcp-session-id': 'x y' })
        .end(reply())
    case 2:
      return void response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': 10_000 })
        .end(reply(), () => response.destroy())
    case 3:
      return void response
        .writeHead(200, {
          'content-type': random.pick(['text/html', '', 'application/json; charset=utf-16', 'text/event-stream']),
        })
        .end(reply())
    case 4:
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(reply().repeat(20_000))
    case 5:
      return void setTimeout(() => response.destroy(), 2000).unref() // longer than the gateway waits
    case 6:
    case 7:
    case 8: {
      const events = Array.from(
        { length: 1 + random.below(5) },
        () =>
          `${random.once(4) ? `id: ${random.below(9)}\n` : ''}data: ${reply()}${random.pick(['\n\n', '\r\n\r\n', '\n', '\n\n\n'])}`,
      )
      return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''))
    }
    default:
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(reply())
  }
}
