/** What a fuzzer is, and the loop that drives it. A case is made from a seed and its number alone, so it can be made again. */
import { Random } from './random.ts'

/** What the code under test must never do. The message says what it did. */
export class Finding extends Error {
  override readonly name = 'Finding'
}

export interface Fuzzer {
  readonly name: string
  /** Its part of the cases, and of the seconds, of a run of all fuzzers; relative to the others. */
  readonly share: { readonly cases: number; readonly seconds: number }
  open(): Promise<Target<unknown>> | Target<unknown>
}

export interface Target<Input> {
  /** Cases at once. */
  readonly lanes: number
  make(random: Random): Input
  /** True for an input that was accepted; throws what was found. */
  check(input: Input): boolean | Promise<boolean>
  /** The input as it is kept for whoever looks into a finding. */
  show(input: Input): string | Uint8Array
  /** May find something too: what only shows when everything is over. */
  close(): Promise<void> | void
}

export interface Found {
  readonly fuzzer: string
  readonly seed: number
  /** The case it was found in; undefined where it showed only at the end. */
  readonly at: number | undefined
  readonly error: unknown
  /** The input, and with it those that were under way at the same time. */
  readonly inputs: readonly { readonly at: number; readonly input: string | Uint8Array }[]
}

export interface Tally {
  readonly fuzzer: string
  readonly cases: number
  readonly accepted: number
  readonly seconds: number
  readonly found: Found | undefined
}

export interface Limits {
  readonly seed: number
  /** The number of the first case. */
  readonly from?: number
  /** Whichever comes first. */
  readonly cases: number
  readonly seconds: number
  /** Told now and then how far it is. */
  beat?(cases: number): void
}

/** A case that takes longer has hung, or is on the way to it. */
const caseMsMax = 2000
const sliceMs = 200

/** Runs until the limits, or the first finding. */
export async function drive(fuzzer: Fuzzer, { seed, from = 0, cases, seconds, beat }: Limits): Promise<Tally> {
  const target = await fuzzer.open()
  const began = performance.now()
  const end = began + seconds * 1000
  const underway = new Map<number, unknown>()
  let [next, accepted, done] = [from, 0, 0]
  let found: Found | undefined
  const keep = (at: number | undefined, error: unknown): void => {
    const inputs = [...underway].map(([number, input]) => ({ at: number, input: target.show(input) }))
    found ??= { fuzzer: fuzzer.name, seed, at, error, inputs }
  }
  const lane = async (): Promise<void> => {
    let pause = performance.now() + sliceMs
    while (found === undefined && next < from + cases && performance.now() < end) {
      const at = next++
      const started = performance.now()
      try {
        const input = target.make(new Random(seed, at))
        underway.set(at, input)
        const verdict = target.check(input)
        if (typeof verdict === 'boolean' ? verdict : await verdict) accepted++
        if (typeof verdict === 'boolean' && performance.now() - started > caseMsMax)
          throw new Finding(`took ${Math.round(performance.now() - started)} ms`)
      } catch (error) {
        keep(at, error)
      }
      underway.delete(at)
      done++
      if (performance.now() < pause) continue
      beat?.(done)
      await new Promise((resolve) => setImmediate(resolve))
      pause = performance.now() + sliceMs
    }
  }
  await Promise.all(Array.from({ length: target.lanes }, lane))
  const elapsed = (performance.now() - began) / 1000
  try {
    await target.close()
  } catch (error) {
    keep(undefined, error)
  }
  return { fuzzer: fuzzer.name, cases: done, accepted, seconds: elapsed, found }
}

/** Throws a finding unless it is so. */
export function must(so: boolean, message: () => string): void {
  if (!so) throw new Finding(message())
}
