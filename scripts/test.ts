/**
 * `npm test`: everything that has to hold, in at most twelve minutes on two cores. `--only check|unit|e2e|conformance|fuzz`
 * runs one part. Ends with one line of figures; the exit code is 1 when anything failed.
 */
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

interface Count {
  readonly passed: number
  readonly failed: number
}
interface Part {
  readonly name: string
  run(): Promise<Count>
}

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'sekisho-test-'))
const crossing = ['test/e2e/*.test.ts', 'test/attacks/*.test.ts']

const parts: readonly Part[] = [
  { name: 'check', run: () => program('scripts/check.ts') },
  {
    name: 'unit',
    run: () => tests('unit', without(globs('src/**/*.test.ts', 'test/**/*.test.ts', 'bench/*.test.ts'), globs(...crossing)), 2),
  },
  { name: 'e2e', run: () => tests('e2e', globs(...crossing), 2) },
  { name: 'conformance', run: () => program('test/conformance/run.ts') },
  { name: 'fuzz', run: () => program('test/fuzz/run.ts', '--seconds', '60') },
]

/** A program that says `N passed, N failed`, or whose exit code alone counts. */
async function program(file: string, ...options: string[]): Promise<Count> {
  const { code, output } = await node([file, ...options])
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? []
  const count =
    passed === undefined ? { passed: code === 0 ? 1 : 0, failed: 0 } : { passed: Number(passed), failed: Number(failed) }
  return code !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count
}

/** Files of node:test. A file that executes no test at all counts as failed. */
async function tests(name: string, files: readonly string[], concurrency: number): Promise<Count> {
  const tap = join(folder, `${name}.tap`)
  const reporters = [
    '--test-reporter=dot',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${tap}`,
  ]
  const { code } = await node(['--test', `--test-concurrency=${concurrency}`, ...reporters, ...files])
  const summary = readFileSync(tap, 'utf8')
  const figure = (word: string): number => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(summary)?.[1] ?? 0)
  const failed = figure('fail') + figure('cancelled')
  return { passed: figure('pass'), failed: code !== 0 && failed === 0 ? 1 : failed }
}

const globs = (...patterns: string[]): string[] => globSync(patterns, { cwd: root }).sort()
const without = (all: readonly string[], some: readonly string[]): string[] => all.filter((file) => !some.includes(file))

function node(options: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...options], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
      process.stdout.write(chunk)
    })
    child.on('exit', (code) => resolve({ code: code ?? 1, output }))
  })
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const wanted = parts.filter(({ name }) => values.only === undefined || values.only === name)
if (wanted.length === 0) {
  process.stderr.write(`--only takes one of ${parts.map(({ name }) => name).join(', ')}\n`)
  process.exit(2)
}
const total = { passed: 0, failed: 0 }
for (const { name, run } of wanted) {
  const began = performance.now()
  process.stdout.write(`\n== ${name}\n`)
  const { passed, failed } = await run()
  process.stdout.write(`== ${name}: ${passed} passed, ${failed} failed, ${Math.round((performance.now() - began) / 1000)} s\n`)
  total.passed += passed
  total.failed += failed
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
process.exit(total.failed === 0 ? 0 : 1)
