/**
 * The clock of this whole process, put forward: everything in it that asks for the time is then later together, libraries
 * included. Only for a test file that has its process for itself, as the files of node:test have.
 */
export interface Time {
  advance(ms: number): void
  restore(): void
}

export const minuteMs = 60_000
export const dayMs = 86_400_000

/** `monotonic`: what measures durations is put forward too. */
export function takeTime({ monotonic = false } = {}): Time {
  const { now } = Date
  const measured = performance.now.bind(performance)
  let aheadMs = 0
  Date.now = () => now.call(Date) + aheadMs
  if (monotonic) performance.now = () => measured() + aheadMs
  return {
    advance: (ms) => {
      aheadMs += ms
    },
    restore: () => {
      Date.now = now
      performance.now = measured
    },
  }
}
