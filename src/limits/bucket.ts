/** What one caller has used of one measure: tokens of a bucket that fills at a steady rate, and calls under way. */
import type { Measure } from './schema.ts'

const minuteMs = 60_000

export class Bucket {
  /** Calls under way. */
  concurrent = 0
  #tokens = Number.POSITIVE_INFINITY
  #at = 0

  /** Seconds to wait for the next token, 0 when there is one. */
  waitS(measure: Measure, now: number): number {
    if (measure.perMinute === 'unlimited') return 0
    this.#fill(measure, now)
    // The tolerance forgives floating point: a token that has filled but for a billionth is a token.
    return this.#tokens > 1 - 1e-9 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) * minuteMs) / measure.perMinute / 1000))
  }

  isCrowded(measure: Measure): boolean {
    return measure.concurrent !== 'unlimited' && this.concurrent >= measure.concurrent
  }

  take(measure: Measure): void {
    if (measure.perMinute !== 'unlimited') this.#tokens = Math.max(0, this.#tokens - 1)
    this.concurrent++
  }

  /** True when a new bucket would be no different. */
  isIdle(measure: Measure, now: number): boolean {
    if (this.concurrent > 0) return false
    if (measure.perMinute === 'unlimited') return true
    this.#fill(measure, now)
    return this.#tokens >= measure.burst
  }

  #fill({ perMinute, burst }: Measure, now: number): void {
    if (perMinute === 'unlimited') return
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#at) * perMinute) / minuteMs)
    this.#at = now
  }
}
