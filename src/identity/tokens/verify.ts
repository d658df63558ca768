/**
 * May this token be believed? Every question of AUTH-C4, in the order in which it is asked, cheap and public ones first
 * (RFC 9068, 4; RFC 8725; RFC 7519, 7.2). Any doubt, and there is no principal.
 */
import { compactVerify } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import { type Fault, TokenRefused } from './fault.ts'
import type { ClaimCheck, Subject, TokenIssuer } from './issuer.ts'
import { numberIn, parseToken, stringIn, type UnverifiedToken } from './parse.ts'
import type { SigningKey } from './signing-keys.ts'

/** Asymmetric ones alone: with a shared secret, whoever can check a token can make one. Never `none`. */
export const algorithms = ['RS256', 'PS256', 'ES256', 'RS384', 'PS384', 'ES384', 'RS512', 'PS512', 'ES512', 'EdDSA'] as const

export interface Expectations {
  /** Whom the token has to be issued for: the resource that is called, or what the operator wrote in its place. */
  readonly audiences: readonly string[]
  /** Clients that are accepted; undefined for any. */
  readonly clients: readonly string[] | undefined
  /** Claims that have to be there, with one of these values. */
  readonly required: Readonly<Record<string, readonly string[]>>
  readonly skewS: number
  readonly lifetimeSMax: number
}

export interface Verified {
  readonly token: UnverifiedToken
  readonly subject: Subject
  /** At the earliest; 0 where it is not known. In seconds since the epoch, as is the other. */
  readonly issuedAt: number
  readonly expiresAt: number
}

const keysPerTokenMax = 8

/** Rejects with {@link TokenRefused}; with any other error when the issuer's keys cannot be had. */
export async function verifyToken(text: string, issuer: TokenIssuer, expected: Expectations, clock: Clock): Promise<Verified> {
  const token = parseToken(text)
  refuse(headerFault(token))
  const source = issuer.keysFor(token)
  if (typeof source === 'string') throw new TokenRefused(source)
  const key = await signer(token, await source.find(stringIn(token.header, 'kid')))
  const checks = [...issuer.checks, audience(expected), time(expected, clock), required(expected)]
  for (const check of checks) refuse(check(token, key))
  const subject = issuer.subjectOf(token)
  if (typeof subject === 'string') throw new TokenRefused(subject)
  refuse(clientFault(subject, expected))
  const expiresAt = numberIn(token.payload, 'exp') as number
  return { token, subject, expiresAt, issuedAt: issuedAtOf(token, subject, expected) }
}

/**
 * By the earliest that it can be, so that none escapes a revocation: the clock of an issuer may be ahead of ours, and what
 * does not say when it was issued is older than everything. Our own tokens go by our own clock.
 */
function issuedAtOf({ payload }: UnverifiedToken, { originAt }: Subject, { skewS }: Expectations): number {
  const issuedAt = numberIn(payload, 'iat')
  if (originAt !== undefined) return Math.min(originAt, issuedAt ?? originAt)
  return issuedAt === undefined ? 0 : issuedAt - skewS
}

function refuse(fault: Fault | undefined): void {
  if (fault !== undefined) throw new TokenRefused(fault)
}

function headerFault({ header }: UnverifiedToken): Fault | undefined {
  if (!algorithms.includes(header['alg'] as (typeof algorithms)[number])) return 'algorithm'
  if (header['crit'] !== undefined || header['b64'] !== undefined) return 'critical'
  if (header['kid'] !== undefined && typeof header['kid'] !== 'string') return 'malformed'
  const type = header['typ']
  const isAccessToken = type === undefined || (typeof type === 'string' && /^((application\/)?at\+jwt|jwt)$/i.test(type))
  return isAccessToken ? undefined : 'type'
}

/** The key that signed it. Keys and certificates that the token brings along (`jwk`, `jku`, `x5c`) are not looked at. */
async function signer({ text, header }: UnverifiedToken, keys: readonly SigningKey[]): Promise<SigningKey> {
  const alg = header['alg'] as string
  const candidates = keys.filter((key) => key.alg === undefined || key.alg === alg).slice(0, keysPerTokenMax)
  if (candidates.length === 0) throw new TokenRefused('key')
  for (const candidate of candidates) {
    try {
      await compactVerify(text, candidate.key, { algorithms: [alg] })
      return candidate
    } catch {
      // Not this key: the signature is another's, or the key is of another kind than the algorithm.
    }
  }
  throw new TokenRefused('signature')
}

/** At least one of the token's audiences is one of ours, spelt exactly so (2026-07-28 authorization, Token Handling). */
const audience =
  ({ audiences }: Expectations): ClaimCheck =>
  ({ payload }) => {
    const { aud } = payload
    const list = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : []
    if (list.length === 0 || list.some((one) => typeof one !== 'string')) return 'audience'
    return list.some((one) => audiences.includes(one as string)) ? undefined : 'audience'
  }

const time =
  ({ skewS, lifetimeSMax }: Expectations, clock: Clock): ClaimCheck =>
  ({ payload }) => {
    const now = clock.now() / 1000
    const [exp, nbf, iat] = ['exp', 'nbf', 'iat'].map((name) => payload[name])
    if (typeof exp !== 'number' || !Number.isFinite(exp) || now - skewS >= exp) return 'expired'
    for (const begin of [nbf, iat]) {
      if (begin === undefined) continue
      if (typeof begin !== 'number' || !Number.isFinite(begin) || now + skewS < begin) return 'early'
    }
    return exp - now > lifetimeSMax ? 'lifetime' : undefined
  }

const required =
  ({ required }: Expectations): ClaimCheck =>
  ({ payload }) => {
    for (const [name, values] of Object.entries(required)) {
      const given = payload[name]
      const list = Array.isArray(given) ? given : [given]
      if (!list.some((one) => typeof one === 'string' && values.includes(one))) return 'claims'
    }
    return undefined
  }

const clientFault = ({ claims }: Subject, { clients }: Expectations): Fault | undefined =>
  clients === undefined || (claims.client !== undefined && clients.includes(claims.client)) ? undefined : 'client'
