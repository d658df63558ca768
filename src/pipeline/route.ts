/** Addressing: from what a door handed in to a parcel with a server, a subject and a class. Refuses what has no address. */
import { isObject, printable } from '../protocol/json-rpc.ts'
import { type Class, type Method, type MethodTable, subjectOf } from '../protocol/methods.ts'
import type { Frame, Routed } from './exchange.ts'
import { noHeaders, type Parcel, type Principal, sealed } from './parcel.ts'
import { Refusal } from './refusal.ts'

export interface Directory {
  readonly methods: MethodTable
  /** Throws SERVER_UNKNOWN or SERVER_DISABLED. */
  mustServe(server: string): void
  classOf(server: string, principal: Principal, tool: string): Class
}

export function route(frame: Frame, principal: Principal, directory: Directory): Routed {
  const { message, server } = frame
  const row = rowFor(frame, directory.methods)
  if (server === undefined) throw new Refusal('SERVER_UNKNOWN', { detail: '' })
  directory.mustServe(server)
  const subject = subjectOf(row, message.params)
  if (row.subject !== undefined && subject === undefined)
    throw new Refusal('INVALID_PARAMS', { detail: `"${row.subjectPath?.join('.')}" must be a string` })
  const call = sealed({
    exchange: frame.exchange,
    whole: frame.whole,
    leg: row.request,
    sender: 'client',
    principal,
    origin: frame.origin,
    server,
    method: message.method,
    concerns: row.concerns,
    subject,
    class: row.class === 'by-tool' ? directory.classOf(server, principal, subject ?? '') : row.class,
    member: 'params',
    body: message.params,
    question: undefined,
    list: undefined,
    paramHeaders: row.concerns === 'tool' ? paramHeadersOf(frame) : noHeaders,
  })
  const answers = (row.mayAsk || row.answers) && frame.origin.era === 'modern' ? answersIn(call) : none
  return { call, answers }
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
 * The `Mcp-Param-*` of a modern HTTP request. Whether they agree with the arguments is known only with the tool's schema,
 * which is asked for when the call may go there at all (outbound/param-check.ts); until then they are part of what is judged.
 */
function paramHeadersOf({ headers, origin }: Frame): Readonly<Record<string, string>> {
  if (origin.era !== 'modern') return noHeaders
  let found: Record<string, string> | undefined
  for (const name in headers) if (name.startsWith('mcp-param-')) (found ??= {})[name] = headers[name] as string
  if (found === undefined) return noHeaders
  if (Object.keys(found).length > paramHeadersMax)
    throw new Refusal('INVALID_PARAMS', { detail: `more than ${paramHeadersMax} Mcp-Param headers` })
  return found
}
const paramHeadersMax = 64
