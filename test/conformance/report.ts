/** What a reader gets: a table of counts, then every difference, then one line with the sum. Pure. */
import type { Comparison, Judgement, Verdict } from './compare.ts'

const LINES_MAX = 40
const MESSAGE_CHARS_MAX = 240

export interface RunReport {
  run: string
  scenarios: number
  comparisons: Comparison[]
  judgement: Judgement
  /** Checks the fixture or the bare client fails by itself. */
  failedDirectly: Comparison[]
  /** Why a side did not run at all. */
  errors: string[]
  seconds: { direct: number; through: number }
}

export interface Sum {
  passed: number
  failed: number
}

/** Counts checks compared: passed is equal or explained. Of the direct side alone, passed is what the suite says. */
export function sum(reports: RunReport[], directOnly: boolean): Sum {
  let passed = 0
  let failed = 0
  for (const { comparisons, judgement, failedDirectly, errors } of reports) {
    const wrong = new Set([...judgement.unexplained, ...failedDirectly])
    passed += comparisons.filter((each) => (directOnly ? each.direct === 'SUCCESS' : !wrong.has(each))).length
    failed += wrong.size + judgement.stale.length + errors.length
  }
  return { passed, failed }
}

const count = (verdicts: Verdict[]): string => {
  const of = (status: Verdict) => verdicts.filter((verdict) => verdict === status).length
  const warnings = of('WARNING')
  return `${of('SUCCESS')}/${of('FAILURE')}${warnings ? ` (${warnings} warned)` : ''}`
}

/** Counts are checks passed/failed, as the suite counts them. */
export function table(reports: RunReport[], directOnly: boolean): string {
  const head = ['run', 'scenarios', 'direct', ...(directOnly ? [] : ['through', 'explained', 'unexplained', 'stale'])]
  const rows = reports.map(({ run, scenarios, comparisons, judgement, errors }) => {
    const direct = count(comparisons.map((comparison) => comparison.direct))
    if (directOnly) return [run, String(scenarios), errors.length > 0 ? 'did not run' : direct]
    const through = errors.length > 0 ? 'did not run' : count(comparisons.map((comparison) => comparison.through))
    const { explained, unexplained, stale } = judgement
    return [
      run,
      String(scenarios),
      direct,
      through,
      ...[explained, unexplained, stale].map(({ length }) => String(length || '-')),
    ]
  })
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)))
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** One line for each thing wrong; a difference is written so that it can be pasted into expected-differences.yaml. */
export function details({ run, judgement, failedDirectly, errors }: RunReport): string[] {
  const lines = [
    ...errors,
    ...failedDirectly.map((failure) => `fails direct: ${failure.scenario} ${failure.check}${said(failure)}`),
    ...judgement.stale.map((line) => `stale, no longer occurs: ${asYaml(line)}`),
    ...judgement.unexplained.map((difference) => `${asYaml(difference)}${said(difference)}`),
  ]
  const shown = lines.slice(0, LINES_MAX)
  if (lines.length > shown.length) shown.push(`and ${lines.length - shown.length} more; --json shows all`)
  return shown.length === 0 ? [] : [`${run}:`, ...shown.map((line) => `  ${line}`)]
}

const asYaml = ({ run, scenario, check, direct, through }: Omit<Comparison, 'message'>): string =>
  `- { run: ${run}, scenario: ${scenario}, check: ${check}, direct: ${direct}, through: ${through}, reason: "" }`

const said = ({ message }: Comparison): string =>
  message ? ` # ${message.replaceAll(/\s+/g, ' ').slice(0, MESSAGE_CHARS_MAX)}` : ''
