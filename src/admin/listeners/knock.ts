/**
 * Does MCP answer at this port? A few small requests without any credential, one after the other, bounded in time and bytes; no
 * redirect is followed, and a session that was opened is ended. What answers is written by a stranger: see answers.ts.
 */
import { type ClientRequest, type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import { implementation } from '../../lib/version.ts'
import { type Request, writeMessage } from '../../protocol/json-rpc.ts'
import { requestHeaders } from '../../protocol/revisions/2026-07-28/headers.ts'
import { metaKeys } from '../../protocol/revisions/2026-07-28/meta.ts'
import { modern, newestLegacy } from '../../protocol/revisions/index.ts'
import { type Answer, isSseEndpoint, type Speaker, speakerOf } from './answers.ts'
import type { Door } from './ports.ts'

/** `closed`: nobody listens. `mute`: no HTTP. `unclear`: no answer in time, or TLS with a certificate that nobody here trusts. */
export type Knocked =
  | ({ readonly kind: 'mcp'; readonly url: string; readonly transport: 'http' | 'sse' } & Speaker)
  | { readonly kind: 'closed' | 'mute' | 'http' }
  | { readonly kind: 'unclear'; readonly why: string }

export interface KnockOptions {
  /** As the person wrote it; the address stands in {@link Door}. */
  readonly host: string
  readonly timeoutMs?: number
}

interface Asked {
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const bytesMax = 65_536
const timeoutMsDefault = 2000
const agentName = `${implementation.name}/${implementation.version} (discover)`

const ownId = 'discover'

const posted = (path: string, { method, params }: Pick<Request, 'method' | 'params'>): Asked => ({
  method: 'POST',
  path,
  headers: {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(method === 'initialize' ? {} : requestHeaders(modern.version, method, undefined, params, [])),
  },
  body: JSON.stringify(writeMessage({ kind: 'request', id: ownId, method, params })),
})

const initialize = {
  method: 'initialize',
  params: { protocolVersion: newestLegacy, capabilities: {}, clientInfo: implementation },
}
const discover = {
  method: 'server/discover',
  params: {
    _meta: {
      [metaKeys.protocolVersion]: modern.version,
      [metaKeys.clientCapabilities]: {},
      [metaKeys.clientInfo]: implementation,
    },
  },
}

/** In this order; the first that is answered with MCP decides. */
const questions: readonly (readonly [transport: 'http' | 'sse', asked: Asked])[] = [
  ['http', posted('/mcp', initialize)],
  ['http', posted('/mcp', discover)],
  ['sse', { method: 'GET', path: '/sse', headers: { accept: 'text/event-stream' } }],
  ['http', posted('/', initialize)],
]
const nobody: Speaker = { name: undefined, version: undefined, isSekisho: false, wantsLogin: false }

export async function knock(door: Door, { host, timeoutMs = timeoutMsDefault }: KnockOptions): Promise<Knocked> {
  const plain = await ask(door, { host, timeoutMs, secure: false })
  if (plain.kind !== 'mute' && plain.kind !== 'http') return plain
  // Where TLS is spoken, some hang up on plain HTTP, and some answer in plain HTTP that it is none.
  const secure = await ask(door, { host, timeoutMs, secure: true })
  return secure.kind === 'mcp' || secure.kind === 'unclear' ? secure : plain
}

type Way = Required<KnockOptions> & { readonly secure: boolean }

async function ask(door: Door, way: Way): Promise<Knocked> {
  const base = `${way.secure ? 'https' : 'http'}://${way.host.includes(':') ? `[${way.host}]` : way.host}:${door.port}`
  for (const [transport, asked] of questions) {
    const answer = await answered(door, asked, way)
    if ('kind' in answer) return answer.kind === 'unclear' && asked !== questions[0]?.[1] ? { kind: 'http' } : answer
    const speaker = transport === 'sse' ? (isSseEndpoint(answer) ? nobody : undefined) : speakerOf(answer)
    await leave(door, asked, answer, way)
    if (speaker !== undefined) return { kind: 'mcp', url: base + asked.path, transport, ...speaker }
  }
  return { kind: 'http' }
}

/** 2025-06-18 transports, Session Management: a client that needs a session no longer ends it. */
async function leave(door: Door, { path }: Asked, { headers }: Answer, way: Way): Promise<void> {
  const session = headers['mcp-session-id']
  if (typeof session !== 'string') return
  await answered(door, { method: 'DELETE', path, headers: { 'mcp-session-id': session } }, way)
}

type NoAnswer = Exclude<Knocked, { kind: 'mcp' }>

function answered(door: Door, asked: Asked, { host, timeoutMs, secure }: Way): Promise<Answer | NoAnswer> {
  return new Promise((resolve) => {
    const { method, path, headers, body } = asked
    const settings: RequestOptions = {
      ...{ host: door.address, port: door.port, method, path, agent: false, maxHeaderSize: bytesMax },
      headers: { 'user-agent': agentName, host: `${host.includes(':') ? `[${host}]` : host}:${door.port}`, ...headers },
    }
    const request = secure
      ? secureRequest({ ...settings, servername: /^[\d.:]+$/.test(host) ? '' : host })
      : plainRequest(settings)
    const end = (answer: Answer | NoAnswer): void => {
      clearTimeout(late)
      resolve(answer)
      request.destroy()
    }
    const late = setTimeout(() => end({ kind: 'unclear', why: `no answer within ${timeoutMs} ms` }), timeoutMs)
    request.on('error', (error) => end(silence(error, secure)))
    request.on('response', (response) => read(request, response, late, end))
    request.end(body)
  })
}

/** A stream may begin with an empty event, or with notices: only our answer, or where messages go, is enough. */
const hasAnswered = new RegExp(`^(data:.*"${ownId}".*|event: ?endpoint\\r?\\ndata:.*)\\r?\\n\\r?\\n`, 'm')

/** Until it ends, until a stream has answered, or until it has said enough. */
function read(request: ClientRequest, response: IncomingMessage, late: NodeJS.Timeout, end: (answer: Answer) => void): void {
  const chunks: Buffer[] = []
  const isStream = /^text\/event-stream\b/i.test(response.headers['content-type'] ?? '')
  let bytes = 0
  const done = (): void => {
    const body = Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8')
    end({ status: response.statusCode ?? 0, headers: response.headers, body })
  }
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= bytesMax || (isStream && hasAnswered.test(Buffer.concat(chunks).toString('utf8')))) done()
  })
  for (const event of ['end', 'error', 'aborted'] as const) response.on(event, done)
  // A head that came in time tells enough, whatever becomes of the body.
  clearTimeout(late)
  const over = setTimeout(done, timeoutMsDefault)
  request.once('close', () => clearTimeout(over))
}

const unreachable = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'])

function silence(error: NodeJS.ErrnoException, secure: boolean): NoAnswer {
  const code = error.code ?? ''
  if (unreachable.has(code)) return { kind: 'closed' }
  if (secure && /CERT|SELF_SIGNED|ISSUER|ERR_TLS/.test(code))
    return { kind: 'unclear', why: `TLS with a certificate that is not trusted (${code})` }
  return { kind: 'mute' }
}
