/**
 * Proof of possession (RFC 9449): a stolen token is of no use without the key that it is bound to. A proof is for one
 * request, one token and one minute, and is accepted once.
 */
import { hash } from 'node:crypto'
import { calculateJwkThumbprint, compactVerify, type JWK } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import { numberIn, parseToken, stringIn } from './parse.ts'
import { algorithms } from './verify.ts'

export interface ProvenRequest {
  readonly method: string
  /** As clients see it, without query and fragment. */
  readonly url: string
}

const proofSMax = 60
const remembered = 50_000
const jtiCharsMax = 256

export class Proofs {
  readonly #clock: Clock
  /** Proofs that were used, by when they stop counting anyway. In the order of their use. */
  readonly #used = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The thumbprint of the key that was proven; undefined for a proof that does not count (RFC 9449, 4.3). */
  async check(proof: string, token: string, request: ProvenRequest): Promise<string | undefined> {
    try {
      return await this.#check(proof, token, request)
    } catch {
      return undefined
    }
  }

  async #check(proof: string, token: string, { method, url }: ProvenRequest): Promise<string | undefined> {
    const { header, payload } = parseToken(proof)
    const jwk = header['jwk'] as JWK | undefined
    const alg = header['alg'] as string
    const isProof = header['typ'] === 'dpop+jwt' && header['crit'] === undefined && algorithms.some((one) => one === alg)
    if (!isProof || typeof jwk !== 'object' || jwk === null || 'd' in jwk || jwk.kty === 'oct') return undefined
    await compactVerify(proof, jwk, { algorithms: [alg] })
    const issuedAt = numberIn(payload, 'iat')
    const jti = stringIn(payload, 'jti')
    if (payload['htm'] !== method || !isSameUrl(payload['htu'], url)) return undefined
    if (payload['ath'] !== hash('sha256', token, 'base64url')) return undefined
    if (issuedAt === undefined || jti === undefined || jti.length > jtiCharsMax) return undefined
    const now = this.#clock.now() / 1000
    if (Math.abs(now - issuedAt) > proofSMax) return undefined
    const thumbprint = await calculateJwkThumbprint(jwk)
    return this.#use(`${thumbprint} ${jti}`, now, issuedAt + proofSMax) ? thumbprint : undefined
  }

  /** False for the second time. Where there is no room to remember it, a proof does not count. */
  #use(name: string, now: number, until: number): boolean {
    for (const [used, end] of this.#used) {
      if (end >= now) break
      this.#used.delete(used)
    }
    if (this.#used.has(name) || this.#used.size >= remembered) return false
    this.#used.set(name, until)
    return true
  }
}

/** Compared after normalisation of scheme and host, without query and fragment (RFC 9449, 4.3, 9). */
function isSameUrl(htu: unknown, url: string): boolean {
  if (typeof htu !== 'string' || !URL.canParse(htu)) return false
  const claimed = new URL(htu)
  return claimed.origin + claimed.pathname === url
}
