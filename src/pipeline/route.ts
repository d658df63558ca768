/** Addressing: from what a door handed in to a parcel with a server, a subject and a class. Refuses what has no address. */
import { isObject, printable } from '../protocol/json-rpc.ts'
import { type Class, type Method, type MethodTable, subjectOf } from '../protocol/methods.ts'
import { paramMismatch } from '../protocol/revisions/2026-07-28/headers.ts'
import type { Declaration } from '../protocol/revisions/2026-07-28/param-headers.ts'
import type { Frame, Routed } from './exchange.ts'
import { noHeaders, type Parcel, type Principal, sealed } from './parcel.ts'
import { Refusal } from './refusal.ts'

export interface Map {
  readonly methods: MethodTable
  /** Throws SERVER_UNKNOWN or SERVER_DISABLED. */
  mustServe(server: string): void
  classOf(server: string, principal: Principal, tool: string): Class
  /** The `Mcp-Param-*` headers that a tool's schema declares, as far as they are known; asking the server is a promise. */
  declarations(call: Parcel, fresh: boolean): readonly Declaration[] | Promise<readonly Declaration[]>
}

export function route(frame: Frame, principal: Principal, map: Map): Routed | Promise<Routed> {
  const { message, server } = frame
  const row = rowFor(frame, map.methods)
  if (server === undefined) throw new Refusal('SERVER_UNKNOWN', { detail: '' })
  map.mustServe(server)
  const subject = subjectOf(row, message.params)
  if (row.subject !== undefined && subject === undefined)
    throw new Refusal('INVALID_PARAMS', { detail: `"${row.subjectPath?.join('.')}" must be a string` })
  const call = sealed({
    exchange: frame.exchange,
    leg: row.request,
    principal,
    origin: frame.origin,
    server,
    method: message.method,
    concerns: row.concerns,
    subject,
    class: row.class === 'by-tool' ? map.classOf(server, principal, subject ?? '') : row.class,
    member: 'params',
    body: message.params,
    question: undefined,
    list: undefined,
    strayHeaders: noHeaders,
  })
  const answers = row.mayAsk && frame.origin.era === 'modern' ? answersIn(call) : none
  const mirrored = frame.origin.era === 'modern' && frame.origin.door !== 'stdio' && row.concerns === 'tool'
  if (!mirrored) return { call, answers }
  const declared = map.declarations(call, false)
  if (!(declared instanceof Promise) && declared.length === 0 && !hasParamHeader(frame)) return { call, answers }
  return checkParams(frame, call, map).then((checked) => ({ call: checked, answers }))
}

function hasParamHeader({ headers }: Frame): boolean {
  for (const name in headers) if (name.startsWith('mcp-param-')) return true
  return false
}

const none: readonly Parcel[] = Object.freeze([])

/** Throws UNKNOWN_METHOD for a method without a row, of another era, of another sender, or in another form. */
function rowFor({ message, origin, act }: Frame, methods: MethodTable): Method {
  const row = methods(message.method)
  const unknown =
    row === undefined ||
    row.sender === 'server' ||
    (row.era !== undefined && row.era !== origin.era) ||
    Boolean(row.internal) !== Boolean(act) ||
    (row.request === 'notice') !== (message.kind === 'notification')
  if (unknown) throw new Refusal('UNKNOWN_METHOD', { detail: printable(message.method) })
  return row
}

/** Answers to questions of an earlier exchange, each a parcel of its own (2026-07-28, Multi Round-Trip Requests). */
function answersIn(call: Parcel): readonly Parcel[] {
  const responses = call.body['inputResponses']
  if (responses === undefined) return none
  if (!isObject(responses)) throw new Refusal('INVALID_PARAMS', { detail: '"inputResponses" must be an object' })
  return Object.entries(responses).map(([question, body]) => {
    if (!isObject(body)) throw new Refusal('INVALID_PARAMS', { detail: 'every entry of "inputResponses" must be an object' })
    return sealed({
      ...call,
      leg: 'answer',
      concerns: 'ask',
      subject: undefined,
      class: 'read',
      member: 'result',
      body,
      question,
    })
  })
}

/**
 * `Mcp-Param-*` of a modern HTTP request against its arguments. A schema that may be old is asked for again before
 * anything is refused. What no schema declares is let through by the specification, so it becomes part of the parcel.
 */
async function checkParams(frame: Frame, call: Parcel, map: Map): Promise<Parcel> {
  const given = Object.keys(frame.headers).filter((name) => name.startsWith('mcp-param-'))
  const args = isObject(call.body['arguments']) ? call.body['arguments'] : {}
  let declared = await map.declarations(call, false)
  let fault = paramMismatch(frame.headers, declared, args)
  if (fault !== undefined) {
    declared = await map.declarations(call, true)
    fault = paramMismatch(frame.headers, declared, args)
  }
  if (fault !== undefined) throw new Refusal('HEADER_MISMATCH', { detail: fault })
  const known = new Set(declared.map(({ header }) => `mcp-param-${header.toLowerCase()}`))
  const stray = given.filter((name) => !known.has(name))
  if (stray.length === 0) return call
  if (stray.length > strayHeadersMax)
    throw new Refusal('INVALID_PARAMS', { detail: `more than ${strayHeadersMax} Mcp-Param headers` })
  return sealed({ ...call, strayHeaders: Object.fromEntries(stray.map((name) => [name, frame.headers[name] as string])) })
}
const strayHeadersMax = 32
