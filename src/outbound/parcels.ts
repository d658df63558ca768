/** What comes back from a server, as parcels of the exchange that asked. */
import type { JsonObject } from '../lib/strict-json.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import type { Notification, Outcome, RequestId } from '../protocol/json-rpc.ts'
import { type MethodTable, subjectOf } from '../protocol/methods.ts'

/** The reply to the call itself. */
export function replyParcel(call: Parcel, methods: MethodTable, outcome: Outcome, body: JsonObject): Parcel {
  const row = methods(call.method)
  const leg = outcome === 'error' ? 'result' : (row?.reply ?? 'result')
  return alongside(call, { leg, member: outcome, body, list: row?.list })
}

/** A notice of the server, or undefined when no row lets it pass. */
export function noticeParcel(call: Parcel, methods: MethodTable, { method, params }: Notification): Parcel | undefined {
  const row = methods(method)
  if (row?.request !== 'notice' || row.sender === 'client' || row.internal) return undefined
  return alongside(call, {
    leg: 'notice',
    method,
    concerns: row.concerns,
    subject: subjectOf(row, params),
    class: row.class === 'by-tool' ? 'write' : row.class,
    member: 'params',
    body: params,
  })
}

/** `params` with our own progress token instead of the client's, where the client asked for progress. */
export function withProgressToken(params: JsonObject, token: RequestId): JsonObject {
  const meta = params['_meta'] as JsonObject | undefined
  return meta?.['progressToken'] === undefined ? params : { ...params, _meta: { ...meta, progressToken: token } }
}

/** A progress notice with the client's token put back; undefined when the client never asked for progress. */
export function progressFor(call: Parcel, notice: Notification): Notification | undefined {
  const token = (call.body['_meta'] as JsonObject | undefined)?.['progressToken']
  return token === undefined ? undefined : { ...notice, params: { ...notice.params, progressToken: token } }
}
