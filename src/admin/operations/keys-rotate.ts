import type { Records } from '../../identity/front/records.ts'
import { rotateSigning } from '../../identity/front/signing-numbers.ts'
import type { Clock } from '../../lib/clock.ts'

export interface KeyRotation {
  /** The number of the key that signs from now on. */
  readonly key: number
  /** Those before it that are still believed, until what they signed has expired. */
  readonly believed: readonly number[]
}

/** A new key for our own tokens. A running gateway signs with it within a second. The change and its act are one transaction. */
export async function keysRotate(records: Records, clock: Clock, by: string): Promise<KeyRotation> {
  const { newest, retired } = await rotateSigning(records, clock, by)
  return { key: newest, believed: retired.map(({ number }) => number) }
}
