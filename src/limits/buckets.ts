/**
 * All buckets, within a bound that callers cannot move. A bucket is dropped only when it is idle, so dropping one forgives
 * nothing. Where a family is full of busy buckets (someone calls thousands of invented tools), newcomers share one.
 */
import { Bucket } from './bucket.ts'
import type { Measure } from './schema.ts'

const sweepEveryMs = 1000

export class Buckets {
  readonly #families = new Map<string, Family>()
  readonly #familyMax: number
  readonly #familiesMax: number
  #sweptAt = Number.NEGATIVE_INFINITY

  /** `familyMax` buckets in each of `familiesMax` families. */
  constructor(familyMax: number, familiesMax: number) {
    this.#familyMax = familyMax
    this.#familiesMax = familiesMax
  }

  find(familyName: string, member: string, measure: Measure, now: number): Bucket {
    const family = this.#family(familyName, measure, now)
    let bucket = family.members.get(member)
    if (bucket !== undefined) return bucket
    if (family.members.size >= this.#familyMax) family.sweep(measure, now)
    if (family.members.size >= this.#familyMax) return family.shared
    family.members.set(member, (bucket = new Bucket()))
    return bucket
  }

  #family(name: string, measure: Measure, now: number): Family {
    let family = this.#families.get(name)
    if (family !== undefined) return family
    if (this.#families.size >= this.#familiesMax) this.#sweep(measure, now)
    if (this.#families.size >= this.#familiesMax) return this.#crowd
    this.#families.set(name, (family = new Family()))
    return family
  }

  /** Everyone for whom there is no family left. */
  readonly #crowd = new Family()

  #sweep(measure: Measure, now: number): void {
    if (now - this.#sweptAt < sweepEveryMs) return
    this.#sweptAt = now
    for (const [name, family] of this.#families) {
      family.sweep(measure, now)
      if (family.members.size === 0 && family.shared.isIdle(measure, now)) this.#families.delete(name)
    }
  }
}

class Family {
  readonly members = new Map<string, Bucket>()
  readonly shared = new Bucket()
  #sweptAt = Number.NEGATIVE_INFINITY

  /** Not more often than once a second, because a full family is asked at every call. */
  sweep(measure: Measure, now: number): void {
    if (now - this.#sweptAt < sweepEveryMs) return
    this.#sweptAt = now
    for (const [name, bucket] of this.members) if (bucket.isIdle(measure, now)) this.members.delete(name)
  }
}
