/**
 * Whose account a link to `/oauth/connect/SERVER` is to connect (CD-C4; MCP 2026-07-28, URL mode elicitation, Phishing): the
 * one whose call was refused, and not that of whoever happens to be signed in where it is opened. Sealed, for an hour.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Seals } from './records.ts'

const purpose = 'identity/connect'
const goodMs = 3_600_000

export class ConnectLinks {
  readonly #seals: Pick<Seals, 'seal' | 'open'>
  readonly #clock: Clock
  constructor(seals: Pick<Seals, 'seal' | 'open'>, clock: Clock) {
    this.#seals = seals
    this.#clock = clock
  }

  /** `user`: a principal's id, `user:…`. */
  make(server: string, user: string): string {
    return this.#seals.seal(purpose, JSON.stringify({ user, until: this.#clock.now() + goodMs }), server)
  }

  /** Undefined for what was not made here for this server, and for what is over. */
  userOf(server: string, link: string): string | undefined {
    const text = this.#seals.open(purpose, link, server)
    if (text === undefined) return undefined
    const { user, until } = JSON.parse(text) as { readonly user: string; readonly until: number }
    return this.#clock.now() < until ? user : undefined
  }
}
