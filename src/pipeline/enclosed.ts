/**
 * Questions inside something else that a server says: the `inputRequests` of a task (SEP-2663), and the pages to which an
 * error sends the user (2025-11-25, URLElicitationRequiredError). A client obeys them as it obeys a question, so each is
 * judged as one, and left out unless it passes. Only what was judged is handed on.
 */
import { isRawNumber, type JsonObject, type JsonValue } from '../lib/strict-json.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { builtInMethods } from '../protocol/methods.ts'
import { askParcel, mayAsk } from './ask.ts'
import type { Judgement } from './judge.ts'
import { type Parcel, sealed } from './parcel.ts'

type Judge = (ask: Parcel) => Judgement | Promise<Judgement>

export function holdsQuestions({ sender, leg, member, body }: Parcel): boolean {
  if (sender !== 'server' || leg === 'ask') return false
  return member === 'error' ? requiresUrlElicitation(body) : 'inputRequests' in body || 'result' in body || 'error' in body
}

export async function withAllowedQuestions(parcel: Parcel, judge: Judge): Promise<Parcel> {
  const { body, member } = parcel
  const allowed: Allowed = async (method, params, question) => {
    const ask = mayAsk(parcel, method, params) ? askParcel(parcel, builtInMethods, method, params, question) : undefined
    const judgement = ask && (await judge(ask))
    return judgement && 'cleared' in judgement ? judgement.cleared.body : undefined
  }
  return sealed({ ...parcel, body: member === 'error' ? await errorWith(allowed, body) : await resultWith(allowed, body) })
}

/** The parameters with which a question may be asked, or undefined where it may not. */
type Allowed = (method: string, params: JsonObject, question: string) => Promise<JsonObject | undefined>

/** A result, a task, or a notice of one; a task holds the result or error of the call it was made of. */
async function resultWith(allowed: Allowed, body: JsonObject): Promise<JsonObject> {
  const { inputRequests, result, error } = body
  return {
    ...body,
    ...(inputRequests !== undefined && { inputRequests: await requestsWith(allowed, inputRequests) }),
    ...(isObject(result) && { result: await resultWith(allowed, result) }),
    ...(isObject(error) && { error: await errorWith(allowed, error) }),
  }
}

async function requestsWith(allowed: Allowed, requests: JsonValue): Promise<JsonObject> {
  const kept: Record<string, JsonObject> = {}
  for (const [question, request] of Object.entries(isObject(requests) ? requests : {})) {
    const { method, params = {} } = isObject(request) ? request : {}
    const asked = typeof method === 'string' && isObject(params) ? await allowed(method, params, question) : undefined
    if (asked) kept[question] = { method, params: asked }
  }
  return kept
}

/** An error that sends the user to pages needs all of them, so it names all or none. */
async function errorWith(allowed: Allowed, error: JsonObject): Promise<JsonObject> {
  if (!requiresUrlElicitation(error)) return error
  const { data, ...rest } = error
  const pages = isObject(data) && Array.isArray(data['elicitations']) ? (data['elicitations'] as readonly JsonValue[]) : []
  const elicitations: JsonObject[] = []
  for (const [at, page] of pages.entries()) {
    const asked = isObject(page) ? await allowed('elicitation/create', { ...page, mode: 'url' }, `${at}`) : undefined
    if (asked) elicitations.push(asked)
  }
  return elicitations.length === 0 || elicitations.length < pages.length ? rest : { ...rest, data: { elicitations } }
}

/** The code as a client may read it: inside a task, `-32042.0` is the same number. */
const requiresUrlElicitation = ({ code }: JsonObject): boolean => code === -32042 || isRawNumber(code)
