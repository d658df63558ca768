/**
 * The JSON-RPC 2.0 envelope as MCP narrows it (2026-07-28 basic, Messages): who is a request, a notification, a response.
 * Nothing below the envelope is validated or dropped here; unknown members of params and results travel untouched.
 */
import { isRawNumber, type JsonObject, type JsonValue } from '../lib/strict-json.ts'

export type RequestId = string | number

export interface Request {
  readonly kind: 'request'
  readonly id: RequestId
  readonly method: string
  readonly params: JsonObject
}
export interface Notification {
  readonly kind: 'notification'
  readonly method: string
  readonly params: JsonObject
}
/** Which of the two members a response carries. */
export type Outcome = 'result' | 'error'
export interface Response {
  readonly kind: 'response'
  readonly id: RequestId | undefined
  readonly outcome: Outcome
  readonly body: JsonObject
}
export type Message = Request | Notification | Response

/** An envelope that is not JSON-RPC 2.0 as MCP uses it; `id` is the request's, where one could still be read. */
export class EnvelopeRefused extends Error {
  override readonly name = 'EnvelopeRefused'
  readonly id: RequestId | undefined
  constructor(message: string, id?: RequestId) {
    super(message)
    this.id = id
  }
}

/** The same few keys come with every message. */
const foldedKnown = new Map<string, string>()
const foldedKnownMax = 1000
const envelopeKeys = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
/** Keys whose near misses (`Name`, `arGuments`) another parser might read as the key itself (GHSA-4gph-2hhr-5mwg). */
const protocolKeys = folded([
  ...envelopeKeys,
  ...[
    '_meta',
    'name',
    'arguments',
    'uri',
    'cursor',
    'ref',
    'argument',
    'context',
    'level',
    'requestId',
    'progressToken',
    'taskId',
    'task',
  ],
  ...['requestState', 'inputResponses', 'inputRequests', 'resultType', 'notifications', 'protocolVersion', 'capabilities'],
  ...[
    'clientInfo',
    'serverInfo',
    'content',
    'structuredContent',
    'isError',
    'contents',
    'messages',
    'tools',
    'prompts',
    'resources',
  ],
  ...['resourceTemplates', 'nextCursor', 'ttlMs', 'cacheScope', 'instructions', 'code', 'message', 'data'],
  ...['protocolVersion', 'clientInfo', 'clientCapabilities', 'logLevel', 'subscriptionId', 'serverInfo'].map(
    (key) => `io.modelcontextprotocol/${key}`,
  ),
])

/** Members of `params` whose own keys say what a call is about; the same care for them. */
const decidingMembers: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  ref: folded(['type', 'name', 'uri']),
  notifications: folded(['toolsListChanged', 'promptsListChanged', 'resourcesListChanged', 'resourceSubscriptions', 'taskIds']),
}

function folded(keys: readonly string[]): Map<string, string> {
  return new Map(keys.map((key) => [fold(key), key]))
}

/** Case folding as tolerant parsers do it: `ſ` is an s and the Kelvin sign a k. */
function fold(key: string): string {
  let text = foldedKnown.get(key)
  if (text === undefined) {
    text = key.toUpperCase().toLowerCase()
    if (foldedKnown.size < foldedKnownMax && key.length < 64) foldedKnown.set(key, text)
  }
  return text
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)

/** A string as it is, and nothing for anything else: a raw number, for one, cannot even be converted. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const isId = (value: unknown): value is RequestId =>
  typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value))

/** Reads one message. Throws {@link EnvelopeRefused}. */
export function readMessage(value: JsonValue): Message {
  if (!isObject(value)) throw new EnvelopeRefused('a message is a JSON object')
  const id = isId(value['id']) ? value['id'] : undefined
  refuseNearMisses(value, id)
  for (const key in value)
    if (!envelopeKeys.has(key)) throw new EnvelopeRefused(`unknown member "${printable(key)}" beside "method"`, id)
  if (value['jsonrpc'] !== '2.0') throw new EnvelopeRefused('"jsonrpc" must be "2.0"', id)
  return 'method' in value ? readCall(value, id) : readResponse(value, id)
}

function readCall(value: JsonObject, id: RequestId | undefined): Request | Notification {
  const { method, params = {} } = value
  if (typeof method !== 'string' || method === '') throw new EnvelopeRefused('"method" must be a non-empty string', id)
  if ('result' in value || 'error' in value) throw new EnvelopeRefused('a request carries neither "result" nor "error"', id)
  if (!isObject(params)) throw new EnvelopeRefused('"params" must be an object', id)
  refuseNearMisses(params, id)
  for (const key in decidingMembers) {
    const inner = params[key]
    if (isObject(inner)) refuseNearMisses(inner, id, decidingMembers[key])
  }
  readMeta(params, id)
  if (!('id' in value)) return { kind: 'notification', method, params }
  if (id === undefined) throw new EnvelopeRefused('"id" must be a string or an integer, never null')
  return { kind: 'request', id, method, params }
}

function readResponse(value: JsonObject, id: RequestId | undefined): Response {
  if ('result' in value === 'error' in value) throw new EnvelopeRefused('a response carries either "result" or "error"', id)
  const outcome: Outcome = 'error' in value ? 'error' : 'result'
  const body = value[outcome]
  if (!isObject(body)) throw new EnvelopeRefused(`"${outcome}" must be an object`, id)
  if (outcome === 'error' && (!Number.isSafeInteger(body['code']) || typeof body['message'] !== 'string'))
    throw new EnvelopeRefused('"error" needs an integer "code" and a string "message"', id)
  if (id === undefined && (outcome === 'result' || ('id' in value && value['id'] !== null)))
    throw new EnvelopeRefused('"id" must be a string or an integer')
  refuseNearMisses(body, id)
  readMeta(body, id)
  return { kind: 'response', id, outcome, body }
}

function readMeta(holder: JsonObject, id: RequestId | undefined): void {
  const meta = holder['_meta']
  if (meta === undefined) return
  if (!isObject(meta)) throw new EnvelopeRefused('"_meta" must be an object', id)
  refuseNearMisses(meta, id)
}

function refuseNearMisses(holder: JsonObject, id: RequestId | undefined, keys: ReadonlyMap<string, string> = protocolKeys): void {
  for (const key in holder) {
    const meant = keys.get(fold(key))
    if (meant !== undefined && meant !== key)
      throw new EnvelopeRefused(`"${printable(key)}" is not "${meant}": keys are case-sensitive`, id)
  }
}

/** A stranger's word, short and plain enough to stand in an error message or a log line. */
export const printable = (text: string): string => text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?')

/** The wire form of a message. */
export function writeMessage(message: Message): JsonObject {
  switch (message.kind) {
    case 'request':
      return { jsonrpc: '2.0', id: message.id, method: message.method, params: message.params }
    case 'notification':
      return Object.keys(message.params).length === 0
        ? { jsonrpc: '2.0', method: message.method }
        : { jsonrpc: '2.0', method: message.method, params: message.params }
    case 'response':
      return message.id === undefined
        ? { jsonrpc: '2.0', [message.outcome]: message.body }
        : { jsonrpc: '2.0', id: message.id, [message.outcome]: message.body }
  }
}
