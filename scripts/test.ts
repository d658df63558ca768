/**
 * `npm test`: everything that has to hold, in at most twelve minutes on two cores. `--only check|unit|e2e|conformance|fuzz`
 * runs one part. Says now and then how far it is; ends with one line of figures, and exit code 1 when anything failed.
 */
import { globSync } from 'node:fs'
import { relative } from 'node:path'
import { run } from 'node:test'
import { parseArgs } from 'node:util'
import { root, runChild, seconds } from './child.ts'

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
const crossing = [...files('test/e2e/*.test.ts'), ...files('test/attacks/*.test.ts')]

const parts: readonly Part[] = [
  { name: 'check', run: () => program('scripts/check.ts') },
  { name: 'unit', run: () => tests(unitFiles.filter((file) => !crossing.includes(file))) },
  { name: 'e2e', run: () => tests(crossing) },
  { name: 'conformance', run: () => program('test/conformance/run.ts') },
  { name: 'fuzz', run: () => program('test/fuzz/run.ts', '--seconds', '60') },
]

const progressMs = 10_000
const fileMsMax = 300_000

/** A program that says `N passed, N failed`. What it prints is handed on, but for that line. */
async function program(file: string, ...options: string[]): Promise<Count> {
  const figures = /^(\d+) passed, (\d+) failed$/
  const { code, lines } = await runChild('node', [file, ...options], (line) => figures.test(line) || say(line))
  const [, passed = '0', failed = '0'] = figures.exec(lines.findLast((line) => figures.test(line)) ?? '') ?? []
  return { passed: Number(passed), failed: code === 0 ? Number(failed) : Math.max(1, Number(failed)) }
}

/** Files of node:test, each in a process of its own, two at a time. */
async function tests(names: readonly string[]): Promise<Count> {
  const count = { passed: 0, failed: 0 }
  const stream = run({
    cwd: root,
    files: names.map((name) => `${root}/${name}`),
    concurrency: 2,
    timeout: fileMsMax,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const progress = setInterval(() => say(`  ${count.passed} passed, ${count.failed} failed so far`), progressMs)
  stream.on('test:fail', ({ name, file = '', line, details: { error } }) => {
    if ((error as { failureType?: string }).failureType === 'subtestsFailed') return
    const { cause } = error
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? error.message)
    const ours = why.replace(/\n +at [^\n]*node:[^\n]*/g, '')
    say(`FAIL ${relative(root, file)}:${line ?? 1} ${name}\n${ours.replace(/^/gm, '     ')}`)
  })
  stream.on('test:pass', ({ name, file = '', skip, details: { type } }) => {
    if (skip !== undefined) say(`SKIP ${relative(root, file)} ${name}: ${skip}`)
    else if (type !== 'suite') count.passed++
  })
  stream.on('test:fail', ({ details: { type } }) => {
    if (type !== 'suite') count.failed++
  })
  await stream.resume().toArray()
  clearInterval(progress)
  // The runner's own exit code would say a second time what the figures say.
  process.exitCode = 0
  return count.passed + count.failed === 0 ? { passed: 0, failed: 1 } : count
}

const { values: options } = parseArgs({ options: { only: { type: 'string' } } })
const wanted = parts.filter(({ name }) => options.only === undefined || options.only === name)
if (wanted.length === 0) {
  process.stderr.write(`--only is one of ${parts.map(({ name }) => name).join(', ')}\n`)
  process.exit(1)
}
const total = { passed: 0, failed: 0 }
for (const { name, run: runPart } of wanted) {
  const began = performance.now()
  say(`== ${name}`)
  const { passed, failed } = await runPart()
  say(`== ${name}: ${passed} passed, ${failed} failed, ${seconds(began)}`)
  total.passed += passed
  total.failed += failed
}
say(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)
