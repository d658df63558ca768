/**
 * Advisories about commits (OSV 1.7, ranges of the type GIT). Which commits lie between two others only the history of the repository
 * tells, and that is not at hand: what can be said without it is said, and everything else is not known, which is not a no.
 */
import type { Bound } from './advisories-records.ts'
import { repositoryName } from './repository-name.ts'

export interface GitRange {
  /** As {@link repositoryName} spells it. */
  readonly repository: string
  /** Their versions are commits; `0` is the beginning. */
  readonly bounds: readonly Bound[]
}

interface Json {
  readonly [key: string]: unknown
}

/** Undefined for a range of another type, or one that names no repository. */
export function gitRangeOf({ type, repo }: Json, bounds: readonly Bound[]): GitRange | undefined {
  const repository = type === 'GIT' ? repositoryName(repo) : undefined
  return repository === undefined ? undefined : { repository, bounds }
}

/** Whether the commit has it. `unknown`: its history would have to be looked at. */
export function commitIn({ bounds }: GitRange, commit: string): 'affected' | 'not-affected' | 'unknown' {
  const is = (kind: Bound['kind']): boolean =>
    bounds.some((bound) => bound.kind === kind && bound.version.toLowerCase() === commit)
  if (is('fixed')) return 'not-affected'
  if (is('introduced') || is('last')) return 'affected'
  const hasEnd = bounds.some(({ kind }) => kind !== 'introduced')
  const isAlways = bounds.some(({ kind, version }) => kind === 'introduced' && version === '0')
  return isAlways && !hasEnd ? 'affected' : 'unknown'
}
