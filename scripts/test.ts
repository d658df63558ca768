/**
 * `npm test`: everything that has to hold, in at most twelve minutes on two cores. `--only check|unit|e2e|conformance|fuzz`
 * runs one part. Says now and then how far it is; ends with one line of figures, and exit code 1 when anything failed.
 */
import { globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, runChild, seconds } from './child.ts'
import { mark, type Result } from './reporter.ts'

interface Count {
  readonly passed: number
  readonly failed: number
}
interface Part {
  readonly name: string
  run(): Promise<Count>
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const files = (...patterns: string[]): string[] => globSync(patterns, { cwd: root }).sort()
const unitFiles = files('src/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts', 'test/**/*.test.ts')
/** The large ones first: what is left for the end should be small, so that no core has to wait for another. */
const bySize = (names: readonly string[]): string[] =>
  names.toSorted((a, b) => statSync(join(root, b)).size - statSync(join(root, a)).size)
const crossing = bySize([...files('test/e2e/*.test.ts'), ...files('test/attacks/*.test.ts')])

const parts: readonly Part[] = [
  { name: 'check', run: () => program('scripts/check.ts') },
  { name: 'unit', run: () => tests(unitFiles.filter((file) => !crossing.includes(file))) },
  { name: 'e2e', run: () => tests(crossing) },
  { name: 'conformance', run: () => program('test/conformance/run.ts') },
  { name: 'fuzz', run: () => program('test/fuzz/run.ts', '--seconds', '60') },
]

/** One is a single process, and the other waits much. */
const alongside = ['conformance', 'fuzz']

const progressMs = 10_000
const fileMsMax = 240_000
const slowestShown = 8
/** One more than there are cores: much of what crosses rooms is waiting. */
const lanes = availableParallelism() + 1
const reporter = join(import.meta.dirname, 'reporter.ts')

/** A program that says `N passed, N failed`. What it prints is handed on, but for that line. */
async function program(file: string, ...options: string[]): Promise<Count> {
  const figures = /^(\d+) passed, (\d+) failed$/
  const { code, lines } = await runChild('node', [file, ...options], (line) => figures.test(line) || say(line))
  const [, passed = '0', failed = '0'] = figures.exec(lines.findLast((line) => figures.test(line)) ?? '') ?? []
  return { passed: Number(passed), failed: code === 0 ? Number(failed) : Math.max(1, Number(failed)) }
}

/** Files of node:test, each in a process of its own, a few at a time. One that does not end has failed. */
async function tests(names: readonly string[]): Promise<Count> {
  const count = { pass: 0, fail: 0, skip: 0 }
  const waiting = [...names]
  const took: { readonly file: string; readonly ms: number }[] = []
  const progress = setInterval(
    () => say(`  ${count.pass} passed, ${count.fail} failed, ${waiting.length} files to go`),
    progressMs,
  )
  const lane = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const began = performance.now()
      const { code, lines, late } = await runChild('node', [`--test-reporter=${reporter}`, file], undefined, fileMsMax)
      took.push({ file, ms: performance.now() - began })
      const results = lines.filter((line) => line.startsWith(mark)).map((line) => JSON.parse(line.slice(mark.length)) as Result)
      for (const { kind, name, line, why } of results) {
        count[kind]++
        if (kind === 'fail') say(`FAIL ${file}:${line} ${name}\n${why.replace(/^/gm, '     ')}`)
        if (kind === 'skip') say(`SKIP ${file}:${line} ${name}: ${why}`)
      }
      const isClean = code === 0 || results.some(({ kind }) => kind === 'fail')
      if (isClean && !late && (results.length > 0 || file.endsWith('fixture.test.ts'))) continue
      count.fail++
      const what = late ? `did not end in ${fileMsMax / 1000} s` : isClean ? 'has no tests' : `ended with ${code}`
      say(`FAIL ${file}:1 ${what}`)
      for (const line of lines.filter((one) => !one.startsWith(mark)).slice(-20)) say(`     ${line}`)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  clearInterval(progress)
  const slowest = took.toSorted((a, b) => b.ms - a.ms).slice(0, slowestShown)
  say(`  slowest: ${slowest.map(({ file, ms }) => `${basename(file)} ${(ms / 1000).toFixed(0)} s`).join(', ')}`)
  return { passed: count.pass, failed: count.fail }
}

const { values: options } = parseArgs({ options: { only: { type: 'string' } } })
const wanted = parts.filter(({ name }) => options.only === undefined || options.only === name)
if (wanted.length === 0) {
  process.stderr.write(`--only is one of ${parts.map(({ name }) => name).join(', ')}\n`)
  process.exit(1)
}
const total = { passed: 0, failed: 0 }
const runPart = async ({ name, run }: Part): Promise<void> => {
  const began = performance.now()
  say(`== ${name}`)
  const { passed, failed } = await run()
  say(`== ${name}: ${passed} passed, ${failed} failed, ${seconds(began)}`)
  total.passed += passed
  total.failed += failed
}
for (const part of wanted.filter(({ name }) => !alongside.includes(name))) await runPart(part)
await Promise.all(wanted.filter(({ name }) => alongside.includes(name)).map(runPart))
say(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)
