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
/** Of one key: 80 requests a second, without end. */
const perKeyMax = 10_000
const rememberedMax = 200_000
const jtiCharsMax = 256

export class Proofs {
  readonly #clock: Clock
  readonly #used = new UsedProofs()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Whether it proves the key with this thumbprint, to which the token is bound; false for a proof that does not count
   * (RFC 9449, 4.3). Only what proves a key that a good token is bound to is remembered: a stranger's takes no room.
   */
  async check(proof: string, token: string, thumbprint: string, request: ProvenRequest): Promise<boolean> {
    try {
      return await this.#check(proof, token, thumbprint, request)
    } catch {
      return false
    }
  }

  async #check(proof: string, token: string, thumbprint: string, { method, url }: ProvenRequest): Promise<boolean> {
    const { header, payload } = parseToken(proof)
    const jwk = header['jwk'] as JWK | undefined
    const alg = header['alg'] as string
    const isProof = header['typ'] === 'dpop+jwt' && header['crit'] === undefined && algorithms.some((one) => one === alg)
    if (!isProof || typeof jwk !== 'object' || jwk === null || 'd' in jwk || jwk.kty === 'oct') return false
    if ((await calculateJwkThumbprint(jwk)) !== thumbprint) return false
    await compactVerify(proof, jwk, { algorithms: [alg] })
    const issuedAt = numberIn(payload, 'iat')
    const jti = stringIn(payload, 'jti')
    if (payload['htm'] !== method || !isSameUrl(payload['htu'], url)) return false
    if (payload['ath'] !== hash('sha256', token, 'base64url')) return false
    if (issuedAt === undefined || jti === undefined || jti.length > jtiCharsMax) return false
    const now = this.#clock.now() / 1000
    if (Math.abs(now - issuedAt) > proofSMax) return false
    return this.#used.add(thumbprint, jti, now, issuedAt + proofSMax)
  }
}

/** Proofs that were used, for as long as they could be used again. Each key has its own room. */
class UsedProofs {
  readonly #byKey = new Map<string, Set<string>>()
  /** By the second in which they stop counting anyway. */
  readonly #byEnd = new Map<number, { readonly thumbprint: string; readonly name: string }[]>()
  #size = 0
  #sweptS = 0

  /** False for the second time. Where there is no room to remember it, a proof does not count. */
  add(thumbprint: string, jti: string, now: number, until: number): boolean {
    this.#sweep(Math.floor(now))
    const names = this.#byKey.get(thumbprint) ?? new Set()
    const name = hash('sha256', jti, 'base64url')
    if (names.has(name) || names.size >= perKeyMax || this.#size >= rememberedMax) return false
    this.#byKey.set(thumbprint, names.add(name))
    const end = Math.ceil(until)
    const ending = this.#byEnd.get(end)
    if (ending === undefined) this.#byEnd.set(end, [{ thumbprint, name }])
    else ending.push({ thumbprint, name })
    this.#size += 1
    return true
  }

  #sweep(nowS: number): void {
    if (this.#sweptS === nowS) return
    this.#sweptS = nowS
    for (const [end, ending] of this.#byEnd) {
      if (end >= nowS) continue
      this.#byEnd.delete(end)
      this.#size -= ending.length
      for (const { thumbprint, name } of ending) {
        const names = this.#byKey.get(thumbprint)
        names?.delete(name)
        if (names?.size === 0) this.#byKey.delete(thumbprint)
      }
    }
  }
}

/** Compared after normalisation of scheme and host, without query and fragment (RFC 9449, 4.3, 9). */
function isSameUrl(htu: unknown, url: string): boolean {
  if (typeof htu !== 'string' || !URL.canParse(htu)) return false
  const claimed = new URL(htu)
  return claimed.origin + claimed.pathname === url
}
