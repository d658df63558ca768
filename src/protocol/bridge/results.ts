/** Results and errors of one era as a client of the other expects them. What is not named here travels untouched. */
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Outcome } from '../json-rpc.ts'
import type { Method } from '../methods.ts'
import type { Era } from '../revisions/index.ts'

/** A reply of a server of era `from`, for a client of era `to`. */
export function bridgeReply(body: JsonObject, outcome: Outcome, row: Method | undefined, from: Era, to: Era): JsonObject {
  if (from === to || to === 'legacy') return body
  if (outcome === 'error') return body['code'] === -32002 ? { ...body, code: -32602 } : body
  const cache = row?.cacheable ? { ttlMs: 0, cacheScope: 'private' } : {}
  const { inputRequests, requestState, ...said } = body // words that a legacy server has not, and that a modern client obeys
  return { ...cache, ...said, resultType: 'complete' }
}
