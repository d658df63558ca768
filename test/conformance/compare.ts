/** Compares two outcomes check by check, and sets the differences against those that were reviewed. Pure. */
import type { Check, Outcome, Status } from './suite.ts'

/** `absent`: the suite made this check on the other side only. */
export type Verdict = Status | 'absent'

export interface Comparison {
  run: string
  scenario: string
  check: string
  direct: Verdict
  through: Verdict
  /** What the suite said about the side that is worse off, if anything. */
  message?: string
}

export interface ExpectedDifference {
  run: string
  scenario: string
  check: string
  direct: Verdict
  through: Verdict
  reason: string
}

/** One entry for each check that either side made; notes (INFO on both sides) are no checks. */
export function compare(run: string, direct: Outcome, through: Outcome): Comparison[] {
  const comparisons: Comparison[] = []
  for (const scenario of new Set([...direct.keys(), ...through.keys()])) {
    const ours = direct.get(scenario) ?? []
    const theirs = through.get(scenario) ?? []
    const split = new Set([...idsWithSeveralNames(ours), ...idsWithSeveralNames(theirs)])
    const before = byKey(ours, split)
    const after = byKey(theirs, split)
    for (const check of new Set([...before.keys(), ...after.keys()])) {
      const a = before.get(check)
      const b = after.get(check)
      if (isNote(a) && isNote(b)) continue
      const message = b?.errorMessage ?? a?.errorMessage
      comparisons.push({
        run,
        scenario,
        check,
        direct: a?.status ?? 'absent',
        through: b?.status ?? 'absent',
        ...(message && { message }),
      })
    }
  }
  return comparisons
}

export const differs = ({ direct, through }: Comparison): boolean => direct !== through

export interface Judgement {
  unexplained: Comparison[]
  explained: (Comparison & { reason: string })[]
  /** Reviewed lines that match nothing any more. */
  stale: ExpectedDifference[]
}

export function judge(comparisons: Comparison[], expected: ExpectedDifference[]): Judgement {
  const unused = new Map(expected.map((line) => [identity(line), line]))
  const judgement: Judgement = { unexplained: [], explained: [], stale: [] }
  for (const difference of comparisons.filter(differs)) {
    const line = unused.get(identity(difference))
    if (!line) judgement.unexplained.push(difference)
    else judgement.explained.push({ ...difference, reason: line.reason })
    unused.delete(identity(difference))
  }
  judgement.stale = [...unused.values()]
  return judgement
}

const identity = ({ run, scenario, check, direct, through }: Omit<Comparison, 'message'>): string =>
  [run, scenario, check, direct, through].join('\n')

const isNote = (check: Check | undefined): boolean => check === undefined || check.status === 'INFO'

function idsWithSeveralNames(checks: Check[]): string[] {
  const names = Map.groupBy(checks, ({ id }) => id)
  return [...names].filter(([, same]) => new Set(same.map(({ name }) => name)).size > 1).map(([id]) => id)
}

/** A check is known by its id, with its name where the id serves several, with a number where that repeats. */
function byKey(checks: Check[], split: ReadonlySet<string>): Map<string, Check> {
  const keyed = new Map<string, Check>()
  const seen = new Map<string, number>()
  for (const check of checks) {
    const key = split.has(check.id) ? `${check.id}/${check.name}` : check.id
    const count = (seen.get(key) ?? 0) + 1
    seen.set(key, count)
    keyed.set(count === 1 ? key : `${key}#${count}`, check)
  }
  return keyed
}
