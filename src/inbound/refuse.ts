/** How a refusal is said: the JSON-RPC error, the tool result that a model can read, and the HTTP status. */

import type { JsonObject } from '../lib/strict-json.ts'
import type { Refusal } from '../pipeline/refusal.ts'
import type { RequestId, Response } from '../protocol/json-rpc.ts'
import { explain, type RefusalCode } from '../protocol/refusal-texts.ts'
import { type Era, modernVersions } from '../protocol/revisions/index.ts'

/** Our own key in `_meta` and `data` (2026-07-28 basic, `_meta`: reverse DNS, never a reserved prefix). */
export const refusalKey = 'dev.sekisho/refusal'

/** Decisions about what a tool may do: said as the tool's result, so that the model and the person read why. */
const saidInChat: ReadonlySet<RefusalCode> = new Set([
  'POLICY_DENIED',
  'NOT_APPROVED',
  'DEFINITION_CHANGED',
  'DEFINITION_REVOKED',
  'SERVER_CHANGED',
  'GUARD_FAILED',
  'APPROVAL_UNAVAILABLE',
  'RESULT_TOO_LARGE',
  'CREDENTIAL_NEEDED',
])
/** In the legacy era a status means something about the session or the transport; everything else travels as a 200. */
const legacyStatuses: ReadonlySet<RefusalCode> = new Set([
  ...([
    'PARSE',
    'INVALID_REQUEST',
    'BODY_TOO_LARGE',
    'UNSUPPORTED_MEDIA',
    'NOT_ACCEPTABLE',
    'METHOD_NOT_ALLOWED',
    'NOT_FOUND',
    'HOST_REFUSED',
  ] as const),
  ...([
    'ORIGIN_REFUSED',
    'UNAUTHENTICATED',
    'IDENTITY_UNAVAILABLE',
    'INSUFFICIENT_SCOPE',
    'STEP_UP_NEEDED',
    'CLAIMS_REQUIRED',
    'SESSION_REQUIRED',
    'SESSION_UNKNOWN',
    'RATE_LIMITED',
    'AUDIT_UNAVAILABLE',
    'SHUTTING_DOWN',
  ] as const),
])

export function refusalResponse(refusal: Refusal, id: RequestId | undefined, method: string | undefined, era: Era): Response {
  const { rpc, says, fix } = explain(refusal.code, refusal.facts)
  const reason = {
    code: refusal.code,
    fix,
    ...(refusal.facts['exchange'] !== undefined && { exchange: refusal.facts['exchange'] }),
  }
  if (method === 'tools/call' && saidInChat.has(refusal.code) && id !== undefined) {
    const text = `Sekisho did not let this pass. ${says}\n${fix}`
    const result = { content: [{ type: 'text', text }], isError: true, _meta: { [refusalKey]: reason } }
    return { kind: 'response', id, outcome: 'result', body: era === 'modern' ? { resultType: 'complete', ...result } : result }
  }
  return {
    kind: 'response',
    id,
    outcome: 'error',
    body: { code: rpc, message: `${says} ${fix}`, data: { ...details(refusal), [refusalKey]: reason } },
  }
}

function details({ code, facts }: Refusal): JsonObject {
  if (code === 'UNSUPPORTED_VERSION') return { supported: modernVersions, requested: String(facts['requested'] ?? '') }
  if (code === 'MISSING_CAPABILITY') return { requiredCapabilities: { [String(facts['detail']).split('/')[0] as string]: {} } }
  return {}
}

export const statusOf = ({ code, facts }: Refusal, era: Era): number =>
  era === 'modern' || legacyStatuses.has(code) ? explain(code, facts).http : 200

export function headersOf({ code, facts }: Refusal): Record<string, string> {
  if (code === 'RATE_LIMITED' || code === 'CREDENTIAL_UNAVAILABLE') return { 'retry-after': String(facts['retryAfterS'] ?? 1) }
  if (facts['challenge'] !== undefined) return { 'www-authenticate': String(facts['challenge']) }
  // Microsoft identity platform, claims challenges; ours are base64 already, which needs no escaping.
  if (code === 'CLAIMS_REQUIRED')
    return { 'www-authenticate': `Bearer error="insufficient_claims", claims="${facts['claims'] ?? ''}"` }
  if (code === 'UNAUTHENTICATED') return { 'www-authenticate': 'Bearer' }
  if (code === 'IDENTITY_UNAVAILABLE') return { 'retry-after': '5' }
  if (code === 'METHOD_NOT_ALLOWED') return { allow: 'POST, GET, DELETE' }
  return {}
}

/** The status of a reply that a modern server gave (2026-07-28 Streamable HTTP, Request Metadata; basic, Error Codes). */
export function relayedStatus({ outcome, body }: Pick<Response, 'outcome' | 'body'>): number {
  if (outcome === 'result') return 200
  const code = body['code'] as number
  if (code === -32601) return 404
  return code === -32020 || code === -32021 || code === -32022 ? 400 : 200
}
