/**
 * Groups and roles as providers write them. A deny rule may hang on each: what cannot be read whole, or is kept elsewhere, is
 * never taken for none.
 */
import type { JsonObject } from '../../lib/strict-json.ts'

/** A list of texts, or a single one; none where there is no such claim. Undefined for anything else. */
export function namesIn(payload: JsonObject, claim: string): readonly string[] | undefined {
  const value = payload[claim]
  if (value === undefined) return []
  if (typeof value === 'string') return [value]
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined
}

/**
 * The claim names a source instead (OpenID Connect Core 1.0, 5.6.2), as Entra does where there are more groups than fit. The
 * URL in it is never followed.
 */
export function isElsewhere(payload: JsonObject, claim: string): boolean {
  const names = payload['_claim_names']
  const isNamed = typeof names === 'object' && names !== null && Object.hasOwn(names, claim)
  return payload[claim] === undefined && isNamed
}

/** The same of groups, with the short form of Entra's (`hasgroups`). */
export const hasOverage = (payload: JsonObject, claim = 'groups'): boolean =>
  isElsewhere(payload, claim) || (payload[claim] === undefined && payload['hasgroups'] === true)
