/** The few things that are changed after the last guard, and why. Everything else is sent as it was judged. */
import type { JsonObject, JsonValue } from '../lib/strict-json.ts'
import type { Frame } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import type { MethodTable } from '../protocol/methods.ts'
import { metaKeys, metaOf, withMeta } from '../protocol/revisions/2026-07-28/meta.ts'

/** A cacheable result holds what this principal may see, so no cache may give it to another (2026-07-28, Caching). */
export function asDelivered(parcel: Parcel, methods: MethodTable): JsonObject {
  const { body } = parcel
  if (parcel.member === 'error' || !methods(parcel.method)?.cacheable || body['resultType'] === 'input_required') return body
  return body['cacheScope'] === 'private' ? body : { ...body, cacheScope: 'private' }
}

/** What is sent on a subscription names the client's own request, not ours to the server (2026-07-28, Subscriptions). */
export function asNotice({ message }: Frame, parcel: Parcel, body: JsonObject): JsonObject {
  if (message.method !== 'subscriptions/listen' || message.kind !== 'request')
    return parcel.leg === 'notice' ? withoutSubscription(body) : body
  if (parcel.member === 'error') return body
  return withMeta(body, { [metaKeys.subscriptionId]: message.id })
}

/** Only what is sent on a subscription may claim to be. */
function withoutSubscription(body: JsonObject): JsonObject {
  const meta = metaOf(body)
  if (meta[metaKeys.subscriptionId] === undefined) return body
  const { [metaKeys.subscriptionId]: _, ...rest } = meta
  return { ...body, _meta: rest }
}

/** Questions that a modern client answers with its next request: gathered, and put into the result that tells it so. */
export class Questions {
  readonly #asked: Record<string, JsonValue> = {}

  add({ method, body, question }: Cleared): void {
    this.#asked[question as string] = { method, params: body }
  }

  into(body: JsonObject): JsonObject {
    return body['resultType'] === 'input_required' && Object.keys(this.#asked).length > 0
      ? { ...body, inputRequests: this.#asked }
      : body
  }
}
