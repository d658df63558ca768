/**
 * Whoever is here now: every exchange under way, with its principal. A principal that is revoked is shown out at once, in
 * the middle of whatever it does; a stream that stands open ends with the token that opened it (SES-C1).
 */
import type { Clock } from '../lib/clock.ts'
import type { Stop } from '../lib/stop.ts'
import type { Principal } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'

export interface PresenceOptions {
  readonly clock: Clock
  isRevoked(principal: Principal): boolean
}

interface Visit {
  readonly principal: Principal
  readonly stop: Stop
  readonly isStanding: boolean
}

const reviewMs = 500

export class Presence {
  readonly #options: PresenceOptions
  readonly #visits = new Set<Visit>()
  readonly #timer: NodeJS.Timeout

  constructor(options: PresenceOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.review(), reviewMs)
    this.#timer.unref()
  }

  /** From now on `stop` is stopped when the principal may no longer be here. Call what it returns when the exchange is over. */
  enter(principal: Principal, stop: Stop, isStanding: boolean): () => void {
    const visit: Visit = { principal, stop, isStanding }
    this.#visits.add(visit)
    return () => void this.#visits.delete(visit)
  }

  /** Looks at everybody again; called by itself every half second. */
  review(): void {
    const now = this.#options.clock.now() / 1000
    for (const { principal, stop, isStanding } of this.#visits) {
      const isOver = isStanding && principal.claims !== undefined && principal.claims.expiresAt <= now
      if (isOver || this.#options.isRevoked(principal)) stop.stop(new Refusal('UNAUTHENTICATED'))
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#visits.clear()
  }
}
