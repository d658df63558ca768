/**
 * One request to a token endpoint, and what came back (RFC 6749 sections 5.1 and 5.2). A token is only taken when it can be
 * shown as a bearer token; what is said about a failure is a code of the standard, never the text of the answer.
 */
import type { Clock } from '../../lib/clock.ts'
import { isLoopback } from '../../lib/loopback.ts'
import type { OutsideFetch } from './credential.ts'
import { TokenRefused, unreachable } from './failure.ts'

export interface Tokens {
  readonly accessToken: string
  /** Milliseconds since 1970. */
  readonly obtainedAt: number
  /** Undefined where the server did not say. */
  readonly expiresAt: number | undefined
  readonly refreshToken?: string | undefined
  readonly scope?: string | undefined
  /** RFC 8693 section 2.2.1. */
  readonly issuedTokenType?: string | undefined
}

/** Adds to a request what proves who we are (RFC 6749 section 2.3). */
export type ProveClient = (form: URLSearchParams, headers: Record<string, string>) => void | Promise<void>

export interface TokenRequest {
  readonly endpoint: string
  readonly form: Readonly<Record<string, string | undefined>>
  readonly prove: ProveClient
}

export interface Asking {
  readonly fetch: OutsideFetch
  readonly clock: Clock
}

export const answerCharsMax = 262_144
export const answerMsMax = 15_000
const tokenCharsMax = 16_384
const lifetimeSMax = 366 * 86_400

/** Throws {@link TokenRefused}. The request is never sent a second time, and never to where the endpoint redirects. */
export async function requestTokens({ fetch, clock }: Asking, { endpoint, form, prove }: TokenRequest): Promise<Tokens> {
  if (!isSafeEndpoint(endpoint)) throw new TokenRefused('unsafe_endpoint', 'the token endpoint is not https')
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(form)) if (value !== undefined) body.set(name, value)
  const headers: Record<string, string> = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
  await prove(body, headers)
  const request = {
    method: 'POST',
    headers,
    body: body.toString(),
    redirect: 'error',
    signal: AbortSignal.timeout(answerMsMax),
  } as const
  const response = await fetch(endpoint, request).catch(unreachable('the authorization server cannot be reached'))
  const answer = await answerOf(response)
  return response.ok ? tokensOf(answer, clock.now()) : refuse(response, answer, clock.now())
}

export const isSafeEndpoint = (value: string): boolean => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

type Answer = Readonly<Record<string, unknown>>

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text().catch(() => '')
  try {
    const answer: unknown = text.length > answerCharsMax ? undefined : JSON.parse(text)
    return typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? (answer as Answer) : {}
  } catch {
    return {}
  }
}

/** Visible ASCII without what would end a header field (RFC 6750 section 2.1). */
const isToken = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= tokenCharsMax && /^[\x21-\x7e]+$/.test(value)

export function tokensOf(answer: Answer, now: number): Tokens {
  const { access_token: accessToken, token_type: type, refresh_token: refreshToken, scope, issued_token_type: issued } = answer
  if (!isToken(accessToken))
    throw new TokenRefused('invalid_answer', 'the authorization server answered without a usable access token')
  const isJag = typeof type === 'string' && type.toLowerCase() === 'n_a' // RFC 8693 section 2.2.1: not an access token
  if (!isJag && (typeof type !== 'string' || type.toLowerCase() !== 'bearer'))
    throw new TokenRefused('invalid_answer', 'the authorization server answered with a token that is not a bearer token')
  const seconds = Number(answer['expires_in'] ?? Number.NaN) // Azure writes numbers as strings
  const isKnown = Number.isFinite(seconds) && seconds >= 0
  return {
    accessToken,
    obtainedAt: now,
    expiresAt: isKnown ? now + Math.min(seconds, lifetimeSMax) * 1000 : undefined,
    refreshToken: isToken(refreshToken) ? refreshToken : undefined,
    scope: typeof scope === 'string' ? scope : undefined,
    issuedTokenType: typeof issued === 'string' ? issued : undefined,
  }
}

function refuse(response: Response, answer: Answer, now: number): never {
  const { status } = response
  const { error, claims, error_codes: codes } = answer
  const code = typeof error === 'string' && /^[\w.-]{1,64}$/.test(error) ? error : `http_${status}`
  const [number] = Array.isArray(codes) ? (codes as unknown[]) : []
  const entra = Number.isSafeInteger(number) ? ` (AADSTS${number})` : ''
  const isPassing = status === 429 || status >= 500 || code === 'temporarily_unavailable' || code === 'slow_down'
  throw new TokenRefused(code, `the authorization server answered ${code}${entra}`, {
    isPassing,
    retryAfterMs: isPassing ? retryAfterMs(response.headers.get('retry-after'), now) : undefined,
    claims: code === 'interaction_required' || code === 'invalid_grant' ? claimsOf(claims) : undefined,
  })
}

const retryAfterMsMax = 3_600_000

/** Seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), retryAfterMsMax) : undefined
}

const claimsCharsMax = 4096

/** A claims challenge is JSON; anything else is not relayed. */
function claimsOf(claims: unknown): string | undefined {
  if (typeof claims !== 'string' || claims.length > claimsCharsMax) return undefined
  try {
    const parsed: unknown = JSON.parse(claims)
    return typeof parsed === 'object' && parsed !== null ? claims : undefined
  } catch {
    return undefined
  }
}
