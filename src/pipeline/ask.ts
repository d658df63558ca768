/** What a server asks of a client: whether this client can be asked it, and the parcel that is judged. */
import type { JsonObject } from '../lib/strict-json.ts'
import type { MethodTable } from '../protocol/methods.ts'
import { alongside, type Parcel } from './parcel.ts'

/** A question of the server, or undefined when the method is not one that a server may ask. */
export function askParcel(
  call: Parcel,
  methods: MethodTable,
  method: string,
  params: JsonObject,
  question: string,
): Parcel | undefined {
  const row = methods(method)
  if (row?.request !== 'ask') return undefined
  return alongside(call, {
    leg: 'ask',
    method,
    concerns: 'ask',
    subject: shortWord(method),
    class: 'read',
    member: 'params',
    body: params,
    question,
  })
}

/** `elicitation/create` → `elicitation`: the word that roles use, and the capability that a client declares. */
const shortWord = (method: string): string => method.slice(0, method.indexOf('/'))

/**
 * True where the client said, on this very request, that it can answer such a question (2026-07-28 basic; MRTR). A client
 * that names no mode of elicitation knows forms (2026-07-28 Elicitation, Capabilities).
 */
export function mayAsk(call: Parcel, method: string, params: JsonObject): boolean {
  const declared = call.origin.capabilities[shortWord(method)]
  if (typeof declared !== 'object' || declared === null) return false
  if (method !== 'elicitation/create') return true
  const mode = params['mode'] ?? 'form'
  return Object.hasOwn(declared, String(mode)) || (mode === 'form' && Object.keys(declared).length === 0)
}
