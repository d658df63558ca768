/**
 * Runs the official conformance suite direct and through Sekisho, and compares check by check. Every check that passes
 * direct passes through Sekisho; any other difference is one line with its reason in expected-differences.yaml.
 *
 *   npm run conformance [-- --only NAME] [--direct] [--json]
 *
 * `--direct` runs only the direct side; `--json` prints the results for machines. Exit code 1 on any unexplained
 * difference, on a stale line, and on a check that the fixture fails by itself.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Comparison, compare, judge } from './compare.ts'
import { readExpectedDifferences } from './expected.ts'
import { details, type RunReport, sum, table } from './report.ts'
import { hasDirectSide, mayFailDirectly, RUNS, type Run } from './runs.ts'
import { createSides } from './sides.ts'

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, direct: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
})
const runs = RUNS.filter((run) => !options.direct || hasDirectSide(run))
const chosen = runs.filter(({ name }) => options.only === undefined || name === options.only)
if (chosen.length === 0) {
  process.stderr.write(`--only is one of ${runs.map(({ name }) => name).join(', ')}\n`)
  process.exit(1)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const expected = await readExpectedDifferences()
const results = await mkdtemp(join(tmpdir(), 'sekisho-conformance-results-'))
const sides = createSides(results)
const reports = await Promise.all(chosen.map(report))
const { passed, failed } = sum(reports, options.direct)

if (options.json) process.stdout.write(`${JSON.stringify({ passed, failed, runs: reports }, null, 2)}\n`)
else {
  const lines = [table(reports, options.direct), ...reports.flatMap(details)]
  if (failed > 0) lines.push(`The suite's files and what Sekisho printed are in ${results}`)
  process.stdout.write(`${lines.join('\n')}\n${passed} passed, ${failed} failed\n`)
}
if (failed === 0) await rm(results, { recursive: true, force: true })
process.exitCode = failed === 0 ? 0 : 1

async function report(run: Run): Promise<RunReport> {
  const running = sides.direct(run)
  const isAlone = options.direct || run.kind === 'broker' || run.kind === 'authorization'
  const [direct, through] = await Promise.allSettled([running, isAlone ? running : sides.through(run)])
  const errors = [direct, through].flatMap((side) => (side.status === 'rejected' ? [`did not run: ${side.reason}`] : []))
  const comparisons =
    direct.status === 'fulfilled' && through.status === 'fulfilled'
      ? compare(run.name, direct.value.outcome, through.value.outcome)
      : []
  return {
    run: run.name,
    scenarios: direct.status === 'fulfilled' ? direct.value.outcome.size : 0,
    comparisons,
    judgement: judge(comparisons, errors.length > 0 || options.direct ? [] : expected.filter((line) => line.run === run.name)),
    failedDirectly: comparisons.filter(failsDirectly),
    errors,
    seconds: {
      direct: direct.status === 'fulfilled' ? direct.value.seconds : 0,
      through: through.status === 'fulfilled' ? through.value.seconds : 0,
    },
  }
}

/** A fixture or client that fails by itself would prove nothing about the gateway. */
function failsDirectly({ direct, scenario }: Comparison): boolean {
  return (direct === 'FAILURE' || direct === 'WARNING') && !mayFailDirectly(scenario)
}
