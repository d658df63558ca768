/**
 * Which of our signing keys are in force, by number. A rotation gives the next number to all processes at once; the key before
 * it goes on being believed until every token that it signed has expired, and then no longer.
 */
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Records } from './records.ts'

export interface SigningNumbers {
  /** The one that signs. */
  readonly newest: number
  readonly retired: readonly Retired[]
}
export interface Retired {
  readonly number: number
  /** When the next one took over; milliseconds since the epoch. */
  readonly at: number
}

const [kind, name] = ['signing', 'number']
const keptS = 315_360_000
/** The longest that `accessTokenMinutes` may be, and time for clocks and processes to differ. */
const believedMs = 3_720_000

export async function signingNumbers(records: Records): Promise<SigningNumbers> {
  const kept = await records.get(kind, name)
  const newest = kept?.['number']
  if (typeof newest !== 'number') return { newest: 1, retired: [] }
  return { newest, retired: (kept?.['retired'] ?? []) as unknown as readonly Retired[] }
}

/** The numbers of the keys that may have signed a token that is good now, newest first. */
export const believed = ({ newest, retired }: SigningNumbers, now: number): readonly number[] => [
  newest,
  ...retired.filter(({ at }) => now - at < believedMs).map(({ number }) => number),
]

/** Gives the next number. The change and its act are one transaction. */
export async function rotateSigning(records: Records, clock: Clock, by: string): Promise<SigningNumbers> {
  const before = await signingNumbers(records)
  const at = clock.now()
  const recent = before.retired.filter((one) => at - one.at < believedMs)
  const after = { newest: before.newest + 1, retired: [{ number: before.newest, at }, ...recent] }
  const value = { number: after.newest, retired: after.retired } as unknown as JsonObject
  const act = { action: 'signing.rotated', by, at, detail: `to key ${after.newest} of our own tokens` }
  await records.put(kind, name, value, keptS, undefined, act)
  return after
}
