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

export function takeTime(): Time {
  const { now } = Date
  let aheadMs = 0
  Date.now = () => now.call(Date) + aheadMs
  return {
    advance: (ms) => {
      aheadMs += ms
    },
    restore: () => {
      Date.now = now
    },
  }
}
