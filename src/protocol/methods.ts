/**
 * Every MCP method the gateway knows, and what it means to us. Nothing outside this table enumerates methods: a guard
 * sees a leg, a concern and a subject. A method without a row is refused; an operator may add a row in the configuration.
 * To add a method: one row, and a line in test/e2e/deny.test.ts is generated from it.
 */
import type { JsonObject } from '../lib/strict-json.ts'
import { isObject } from './json-rpc.ts'

/** What a guard may be asked about. Calls, asks and their replies are requests; a notice expects nothing back. */
export type Leg = 'call' | 'result' | 'catalog' | 'ask' | 'answer' | 'notice'
export const legs = ['call', 'result', 'catalog', 'ask', 'answer', 'notice'] as const satisfies readonly Leg[]
/** The kind of thing a message is about; policy has one list of patterns for each. */
export type Concern = 'server' | 'tool' | 'prompt' | 'resource' | 'task' | 'ask'
/** Who sends the message. */
export type Sender = 'client' | 'server' | 'either'
/** How much harm a call may do. A tool's own class comes from the configuration (see policy/). */
export type Class = 'read' | 'write' | 'destructive'
export const classes = ['read', 'write', 'destructive'] as const satisfies readonly Class[]

export interface Method {
  readonly sender: Sender
  readonly request: Leg
  /** Absent for notifications. */
  readonly reply?: Leg
  readonly concerns: Concern
  /** Names the tool, prompt, resource or task in `params`; absent where the whole server is meant. */
  readonly subject?: (params: JsonObject) => unknown
  /** The path of the subject inside `params`, where a name prefix has to be taken off. */
  readonly subjectPath?: readonly string[]
  /** `by-tool`: the class of the tool named. */
  readonly class: Class | 'by-tool'
  /** The era that has the method; absent where both have it. */
  readonly era?: 'legacy' | 'modern'
  /** Catalogs: the result's list, and the member by which an entry is named. */
  readonly list?: { readonly items: string; readonly key: string; readonly concerns: Concern }
  /** The parameter mirrored in `Mcp-Name` (2026-07-28, Standard Request Headers). */
  readonly nameHeader?: string
  /** The result carries `ttlMs` and `cacheScope` (2026-07-28, Caching). */
  readonly cacheable?: true
  /** Not a message: an act of the HTTP transport that passes through the house like one. A message of this name is refused. */
  readonly internal?: true
  /** `input_required` may be the answer (2026-07-28, Multi Round-Trip Requests). */
  readonly mayAsk?: true
  /** Brings answers to questions that were asked elsewhere (SEP-2663, `inputResponses`). */
  readonly answers?: true
}

const member = (key: string) => ({ subject: (params: JsonObject) => params[key], subjectPath: [key] })
const completionRef = (params: JsonObject): unknown => {
  const ref = params['ref']
  if (!isObject(ref)) return undefined
  return ref['type'] === 'ref/resource' ? ref['uri'] : ref['name']
}
const list = (items: string, key: string, concerns: Concern) =>
  ({
    sender: 'client',
    request: 'call',
    reply: 'catalog',
    concerns: 'server',
    class: 'read',
    list: { items, key, concerns },
    cacheable: true,
  }) as const
const call = { sender: 'client', request: 'call', reply: 'result' } as const
const ask = { sender: 'server', request: 'ask', reply: 'answer', concerns: 'ask', class: 'read' } as const
const task = { ...call, concerns: 'task', ...member('taskId'), nameHeader: 'taskId' } as const
const notice = { request: 'notice', concerns: 'server', class: 'read' } as const

const rows: Readonly<Record<string, Method>> = {
  initialize: { sender: 'client', request: 'call', reply: 'catalog', concerns: 'server', class: 'read', era: 'legacy' },
  'server/discover': {
    sender: 'client',
    request: 'call',
    reply: 'catalog',
    concerns: 'server',
    class: 'read',
    era: 'modern',
    cacheable: true,
  },
  ping: { ...call, sender: 'either', concerns: 'server', class: 'read', era: 'legacy' },
  'tools/list': list('tools', 'name', 'tool'),
  'prompts/list': list('prompts', 'name', 'prompt'),
  'resources/list': list('resources', 'uri', 'resource'),
  'resources/templates/list': list('resourceTemplates', 'uriTemplate', 'resource'),
  'tools/call': { ...call, concerns: 'tool', ...member('name'), class: 'by-tool', nameHeader: 'name', mayAsk: true },
  'prompts/get': { ...call, concerns: 'prompt', ...member('name'), class: 'read', nameHeader: 'name', mayAsk: true },
  'resources/read': {
    ...call,
    concerns: 'resource',
    ...member('uri'),
    class: 'read',
    nameHeader: 'uri',
    cacheable: true,
    mayAsk: true,
  },
  'resources/subscribe': { ...call, concerns: 'resource', ...member('uri'), class: 'read', era: 'legacy' },
  'resources/unsubscribe': { ...call, concerns: 'resource', ...member('uri'), class: 'read', era: 'legacy' },
  'completion/complete': { ...call, concerns: 'prompt', subject: completionRef, subjectPath: ['ref', 'name'], class: 'read' },
  'logging/setLevel': { ...call, concerns: 'server', class: 'read', era: 'legacy' },
  'subscriptions/listen': { ...call, concerns: 'server', class: 'read', era: 'modern' },
  // io.modelcontextprotocol/tasks (SEP-2663) and the older vocabulary of 2025-11-25
  'tasks/get': { ...task, class: 'read' },
  'tasks/update': { ...task, class: 'write', era: 'modern', answers: true },
  'tasks/cancel': { ...task, class: 'write' },
  'tasks/result': { ...task, class: 'read', era: 'legacy' },
  'tasks/list': { ...call, concerns: 'server', class: 'read', era: 'legacy' },
  // io.modelcontextprotocol/skills (SEP-2640); MCP Apps add no method: their ui:// resources are read like any other
  'skills/list': { ...list('skills', 'uri', 'resource'), era: 'modern' },
  'skills/get': { ...call, concerns: 'resource', ...member('uri'), class: 'read', era: 'modern', cacheable: true },
  'resources/directory/read': { ...list('resources', 'uri', 'resource'), concerns: 'resource', ...member('uri'), era: 'modern' },
  // what a server may ask of a client
  'sampling/createMessage': ask,
  'elicitation/create': ask,
  'roots/list': ask,
  // a legacy session's standing stream (GET), its end (DELETE), and a response that became a stream or was let go of for a while
  'session/stream': { ...call, concerns: 'server', class: 'read', era: 'legacy', internal: true },
  'session/streaming': { ...notice, sender: 'server', era: 'legacy', internal: true },
  'session/paused': { ...notice, sender: 'server', era: 'legacy', internal: true },
  'session/delete': { ...notice, sender: 'client', era: 'legacy', internal: true },
  // notices
  'notifications/initialized': { ...notice, sender: 'client', era: 'legacy' },
  'notifications/roots/list_changed': { ...notice, sender: 'client', era: 'legacy' },
  'notifications/cancelled': { ...notice, sender: 'either' },
  'notifications/progress': { ...notice, sender: 'either' },
  'notifications/message': { ...notice, sender: 'server' },
  'notifications/tools/list_changed': { ...notice, sender: 'server' },
  'notifications/prompts/list_changed': { ...notice, sender: 'server' },
  'notifications/resources/list_changed': { ...notice, sender: 'server' },
  'notifications/resources/updated': { ...notice, sender: 'server', concerns: 'resource', ...member('uri') },
  'notifications/subscriptions/acknowledged': { ...notice, sender: 'server', era: 'modern' },
  'notifications/elicitation/complete': { ...notice, sender: 'server' },
  'notifications/tasks': { ...notice, sender: 'server', concerns: 'task', ...member('taskId'), era: 'modern' },
  'notifications/tasks/status': { ...notice, sender: 'either', concerns: 'task', ...member('taskId'), era: 'legacy' },
}

export type MethodTable = (method: string) => Method | undefined

/** The table, with the operator's own rows behind ours: a built-in row cannot be replaced. */
export function methodTable(own: Readonly<Record<string, Method>> = {}): MethodTable {
  const table = new Map([...Object.entries(own), ...Object.entries(rows)])
  return (method) => table.get(method)
}

export const builtInMethods = methodTable()
export const builtInMethodNames: readonly string[] = Object.keys(rows)

/** What a request is about, where its row names a subject: a string of whole characters, or undefined when it is not one. */
export function subjectOf(method: Method, params: JsonObject): string | undefined {
  return nameFrom(method.subject?.(params))
}

/**
 * A name that means the same wherever it is written: half a surrogate pair has no UTF-8, so whoever stores or forwards one puts
 * something else in its place, each in their own way (RFC 7493, section 2.1; RFC 8259, section 8.2).
 */
export const nameFrom = (value: unknown): string | undefined =>
  typeof value === 'string' && value.isWellFormed() ? value : undefined
