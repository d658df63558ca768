/**
 * `npm run check`: everything about the code that can be known without running it, in seconds. One line for each fault, with
 * its place; with --publish also whether the package, built, is one that others can use.
 */
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from './build.ts'
import { root, runChild, seconds } from './child.ts'
import { documentChecks } from './docs/checks.ts'

/** Lines like `src/a.ts:12: what is wrong`; empty when all is well. */
type Check = () => Promise<readonly string[]> | readonly string[]

const bin = (name: string): string => `${root}/node_modules/.bin/${name}`

const types: Check = async () => {
  const { code, lines } = await runChild(bin('tsc'), ['--noEmit', '--pretty', 'false'])
  const faults = lines.filter((line) => /^\S/.test(line))
  return code === 0 ? [] : faults.map((line) => line.replace(/^(.+?)\((\d+),\d+\): (error )?/, '$1:$2: '))
}

/** Lint and format. The reporter for GitHub is the one with a line for each fault. */
const style: Check = async () => {
  const options = ['--reporter=github', '--max-diagnostics=none', '--colors=off', '--error-on-warnings']
  const { code, lines } = await runChild(bin('biome'), ['ci', ...options])
  const faults = lines.flatMap((line) => {
    const [, title, file, place, message] = /^::\w+ title=([^,]*),file=([^,]*),line=(\d+),.*?::(.*)$/.exec(line) ?? []
    return file === undefined ? [] : [`${relative(root, file)}:${place}: ${title}: ${message}`]
  })
  return code === 0 || faults.length > 0 ? faults : lines
}

/** Files, exports and dependencies that nothing uses. Printed as titles with a count, and lines under them. */
const unused: Check = async () => {
  const { code, lines } = await runChild(bin('knip'), ['--reporter', 'compact', '--no-progress', '--no-config-hints'])
  if (code === 0) return []
  let title = ''
  const faults = lines.flatMap((line) => {
    const heading = /^(\S.*) \(\d+\)$/.exec(line)?.[1]
    title = heading?.toLowerCase() ?? title
    const [file, what] = line.split(': ')
    return heading !== undefined || !file ? [] : [`${file}:1: ${title}${what ? `: ${what}` : ''}`]
  })
  return faults.length > 0 ? faults : ['knip failed']
}

const publishable: Check = async () => {
  const why = await build()
  if (why !== undefined) return [why]
  const { code, lines } = await runChild(bin('publint'), ['--strict'])
  return code === 0 ? [] : lines.filter((line) => /^\s*\d+\./.test(line)).map((line) => `package.json:1: ${line.trim()}`)
}

const { values: options } = parseArgs({ options: { publish: { type: 'boolean', default: false } } })
const checks: readonly (readonly [name: string, check: Check])[] = [
  ['types', types],
  ['style', style],
  ['unused', unused],
  ...documentChecks.map(({ name, check }) => [`docs: ${name}`, check] as const),
  ...(options.publish ? [['publish', publishable] as const] : []),
]

let failed = 0
for (const [name, check] of checks) {
  const began = performance.now()
  const faults = await check()
  if (faults.length > 0) failed++
  process.stdout.write(`check ${name}: ${faults.length === 0 ? 'ok' : `${faults.length} faults`}, ${seconds(began)}\n`)
  for (const fault of faults) process.stdout.write(`  ${fault}\n`)
}
process.stdout.write(`${checks.length - failed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
