/** A clock that runs, and that a test can put forward: hours of a token's life pass in no time. */
export interface StandInClock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  advance(ms: number): void
}

export function adjustableClock(base: { now(): number } = Date): StandInClock {
  let aheadMs = 0
  return {
    now: () => base.now() + aheadMs,
    advance: (ms) => {
      aheadMs += ms
    },
  }
}
