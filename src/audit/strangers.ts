/**
 * Requests without a valid credential. Anybody can send millions, and what cannot be written does not pass: the first are
 * recorded one by one like every exchange, and beyond an allowance they are counted, in one entry a second.
 */
import type { Clock } from '../lib/clock.ts'

const allowance = 200
const refillPerS = 2
const addressesMax = 5

export class Strangers {
  readonly #clock: Clock
  #left = allowance
  #at: number
  #uncounted = 0
  readonly #addresses = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.monotonic()
  }

  /** True where this one is recorded on its own; otherwise it has been counted. */
  admits(remote = 'an unknown address'): boolean {
    const now = this.#clock.monotonic()
    this.#left = Math.min(allowance, this.#left + ((now - this.#at) / 1000) * refillPerS)
    this.#at = now
    if (this.#left >= 1) {
      this.#left--
      return true
    }
    this.#uncounted++
    if (this.#addresses.size <= addressesMax) this.#addresses.add(remote)
    return false
  }

  /** What was counted since the last time, in words; undefined where nothing was. */
  take(): string | undefined {
    if (this.#uncounted === 0) return undefined
    const named = [...this.#addresses].slice(0, addressesMax).join(', ')
    const more = this.#addresses.size > addressesMax ? ' and others' : ''
    const detail = `${this.#uncounted} more requests without a valid credential, from ${named}${more}`
    this.#uncounted = 0
    this.#addresses.clear()
    return detail
  }
}
