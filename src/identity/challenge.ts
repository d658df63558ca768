/**
 * What a caller is told who has not proven enough: where to get a token and for what (RFC 6750, 3; RFC 9728, 5.1;
 * RFC 9470, 3; 2026-07-28 authorization, Protected Resource Metadata Discovery and Scope Challenge Handling).
 */

export interface Challenge {
  readonly metadataUrl: string | undefined
  readonly error?: 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication' | 'insufficient_claims' | undefined
  readonly description?: string | undefined
  readonly scopes?: readonly string[] | undefined
  /** Authentication contexts, any of which will do, and the age of the login in seconds (RFC 9470, 3). */
  readonly contexts?: readonly string[] | undefined
  readonly maxAgeS?: number | undefined
  /** Base64 of a claims request (Microsoft identity platform, "Claims challenges"). */
  readonly claims?: string | undefined
}

/** The value of WWW-Authenticate. */
export function challengeHeader(challenge: Challenge, scheme: 'Bearer' | 'DPoP' = 'Bearer'): string {
  const { metadataUrl, error, description, scopes = [], contexts = [], maxAgeS, claims } = challenge
  const parameters: readonly (readonly [string, string | undefined])[] = [
    ['error', error],
    ['error_description', description],
    ['scope', scopes.length > 0 ? scopes.join(' ') : undefined],
    ['acr_values', contexts.length > 0 ? contexts.join(' ') : undefined],
    ['max_age', maxAgeS?.toString()],
    ['claims', claims],
    ['resource_metadata', metadataUrl],
  ]
  const given = parameters.filter(([, value]) => value !== undefined)
  return [scheme, given.map(([name, value]) => `${name}="${quotable(value as string)}"`).join(', ')].filter(Boolean).join(' ')
}

/** What may stand in a quoted string of a header without escapes (RFC 6750, 3: %x20-21 / %x23-5B / %x5D-7E). */
const quotable = (text: string): string => text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?')
