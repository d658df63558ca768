/**
 * Keeps one token fresh (TPT-C4): renewed before it runs out, by one request however many wait for it, and not asked for again
 * at once after a failure. It knows nothing of where tokens come from.
 */
import type { Clock } from '../../lib/clock.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import type { Challenge } from './challenge.ts'
import { explained, loggable, TokenRefused } from './failure.ts'
import type { Tokens } from './token-endpoint.ts'

/** Why a token is wanted: what the server said of the last one, or nothing where there was none, or it was old. */
export type Obtain = (challenge: Challenge | undefined, last: Tokens | undefined) => Promise<Tokens>

export interface KeeperOptions {
  readonly server: string
  readonly clock: Clock
  random(): number
  readonly obtain: Obtain
  /** False for tokens that only a person can replace; they are used to their end. */
  readonly canRenew?: (tokens: Tokens) => boolean
  log(line: string): void
}

/** A token is renewed when four fifths of its life are over, or a minute before the end, whichever is earlier; and never at the same moment as all others. */
const lifeShare = 0.8
const marginMs = 60_000
const jitterShare = 0.1
/** On the way to the server it must not run out. */
const skewMs = 5000
const backOffMsMin = 1000
const backOffMsMax = 60_000
/** What needs an operator is not asked for with every call. */
const lastingMs = 30_000
/** A token that is refused although it is so young will not be better for being replaced. */
const youngMs = 10_000

export class Keeper {
  readonly #options: KeeperOptions
  #tokens: Tokens | undefined
  #renewAt = 0
  #flight: Promise<Tokens> | undefined
  #failures = 0
  #notBefore = 0
  #failure: unknown
  /** When a token was last replaced because the server had refused it. */
  #replacedAt = Number.NEGATIVE_INFINITY

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** What is held, whether or not it is still good. */
  get held(): Tokens | undefined {
    return this.#tokens
  }

  /** Takes over tokens from elsewhere: a store, or a person who has just consented. */
  take(tokens: Tokens): void {
    this.#tokens = tokens
    this.#failures = 0
    this.#notBefore = 0
    this.#replacedAt = Number.NEGATIVE_INFINITY
    const { obtainedAt, expiresAt } = tokens
    if (expiresAt === undefined || this.#options.canRenew?.(tokens) === false) this.#renewAt = Number.POSITIVE_INFINITY
    else {
      const lifeMs = expiresAt - obtainedAt
      const at = Math.min(obtainedAt + lifeMs * lifeShare, Math.max(expiresAt - marginMs, obtainedAt + lifeMs / 2))
      this.#renewAt = at - lifeMs * jitterShare * this.#options.random()
    }
  }

  forget(): void {
    this.#tokens = undefined
  }

  /** A token to show. A promise only where there is none yet. Throws a Refusal. */
  get(): Tokens | Promise<Tokens> {
    const now = this.#options.clock.now()
    const tokens = this.#tokens
    if (tokens === undefined || (tokens.expiresAt !== undefined && now >= tokens.expiresAt - skewMs))
      return this.#obtain(undefined)
    if (now >= this.#renewAt && now >= this.#notBefore && this.#flight === undefined)
      void this.#fly(undefined).catch(() => undefined)
    return tokens
  }

  /** Replaces what was refused. False where that has been tried already, and just now. */
  async replace(refused: string, challenge: Challenge): Promise<boolean> {
    if (this.#tokens !== undefined && this.#tokens.accessToken !== refused) return true // somebody else was here first
    const { clock } = this.#options
    if (this.#flight === undefined && clock.monotonic() - this.#replacedAt < youngMs) return false
    const fresh = await this.#obtain(challenge)
    return fresh.accessToken !== refused
  }

  #obtain(challenge: Challenge | undefined): Promise<Tokens> {
    if (this.#flight === undefined && this.#options.clock.now() < this.#notBefore) return Promise.reject(this.#refusal())
    return this.#fly(challenge).catch(() => Promise.reject(this.#refusal()))
  }

  #refusal(): unknown {
    const { server, clock } = this.#options
    const error = this.#failure
    if (!(error instanceof TokenRefused) || error.claims !== undefined) return explained(server, error)
    const { error: code, message, isPassing } = error
    return explained(
      server,
      new TokenRefused(code, message, { isPassing, retryAfterMs: Math.max(this.#notBefore - clock.now(), 1000) }),
    )
  }

  /** One at a time: whoever comes meanwhile waits for the same answer. */
  #fly(challenge: Challenge | undefined): Promise<Tokens> {
    this.#flight ??= this.#options.obtain(challenge, this.#tokens).then(
      (tokens) => {
        this.take(tokens)
        if (challenge !== undefined) this.#replacedAt = this.#options.clock.monotonic()
        this.#flight = undefined
        return tokens
      },
      (error: unknown) => {
        this.#stumbled(error)
        this.#flight = undefined
        throw error
      },
    )
    return this.#flight
  }

  #stumbled(error: unknown): void {
    const { clock, random, log } = this.#options
    this.#failure = error
    const isPassing = error instanceof TokenRefused ? error.isPassing : true
    const grownMs = Math.min(backOffMsMin * 2 ** this.#failures++, backOffMsMax) * (0.5 + random() / 2)
    const asked = error instanceof TokenRefused ? error.retryAfterMs : undefined
    const isForCaller = error instanceof TokenRefused ? error.claims !== undefined : error instanceof Refusal
    this.#notBefore = isForCaller ? 0 : clock.now() + Math.max(asked ?? 0, isPassing ? grownMs : lastingMs)
    if (!isForCaller) log(`has no credential: ${loggable(error)}`)
  }
}
