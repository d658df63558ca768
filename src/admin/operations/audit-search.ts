import type { Passage } from '../../audit/passage.ts'
import { type Filter, search } from '../../audit/search.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'

export type { Passage } from '../../audit/passage.ts'
export type { Filter } from '../../audit/search.ts'

const spans: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** The latest passages that fit. `since` and `until` may also be spans before now: 30m, 2h, 7d. */
export function auditSearch(
  { path, ...filter }: Filter & { readonly path: string },
  clock: Clock = systemClock,
): readonly Passage[] {
  return search(path, { ...filter, since: moment(filter.since, clock), until: moment(filter.until, clock) })
}

function moment(time: string | undefined, clock: Clock): string | undefined {
  const [, amount, unit] = /^(\d{1,6})([smhdw])$/.exec(time ?? '') ?? []
  if (amount === undefined || unit === undefined) return time
  return new Date(clock.now() - Number(amount) * (spans[unit] as number)).toISOString()
}
