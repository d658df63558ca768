/**
 * `npm run soak [-- --minutes N] [--only fuzz|kills|sinks|churn]`: what takes too long for every change. A million fuzzed
 * cases, 20 kills under load, a collector that is away for two minutes, connections that come and go. About a quarter of an
 * hour; --minutes makes every part smaller. A line every ten seconds.
 */
import { parseArgs } from 'node:util'
import { killNine } from '../test/e2e/kill-nine.test.ts'
import { freshSeed, fuzz } from '../test/fuzz/run.ts'
import { seconds } from './child.ts'
import { churn } from './soak/churn.ts'
import { sinkOutage } from './soak/sinks.ts'

const { values: options } = parseArgs({ options: { minutes: { type: 'string', default: '30' }, only: { type: 'string' } } })
const minutes = Number(options.minutes)
if (!(minutes > 0 && minutes <= 30)) throw new Error('--minutes is a number up to 30')

/** All of it takes this long on two cores; with less time, each part is that much smaller. */
const wholeMinutes = 15
const share = Math.min(1, minutes / wholeMinutes)
const began = performance.now()
let status = ''
const say = (line: string): void => {
  status = line
}
const print = (line: string): void => void process.stdout.write(`${seconds(began).padStart(7)}  ${line}\n`)

const parts: readonly (readonly [name: string, run: () => Promise<string>])[] = [
  ['fuzz', fuzzing],
  ['kills', async () => `${await killNine({ kills: Math.max(3, Math.round(20 * share)), say })} calls answered, all on record`],
  ['sinks', () => sinkOutage(Math.max(10, 120 * share), say)],
  ['churn', () => churn(Math.max(10, 180 * share), say)],
]

async function fuzzing(): Promise<string> {
  const seed = freshSeed()
  print(`fuzz: seed ${seed}`)
  const cases = Math.round(1_000_000 * share)
  const report = await fuzz({ seed, cases, print, beat: (fuzzer, done) => say(`${fuzzer}, ${done} of ${cases} cases`) })
  if (report.faults.length > 0) throw new Error(report.faults.join('\n'))
  return `${report.cases} cases, nothing found`
}

const chosen = parts.filter(([name]) => options.only === undefined || options.only === name)
if (chosen.length === 0) throw new Error(`--only is one of ${parts.map(([name]) => name).join(', ')}`)
// Whatever hangs, it ends.
setTimeout(() => {
  print(`not over after ${minutes} minutes: ${status}`)
  process.exit(1)
}, minutes * 60_000).unref()

let [passed, failed] = [0, 0]
for (const [name, run] of chosen) {
  status = 'begins'
  const progress = setInterval(() => print(`${name}: ${status}`), 10_000)
  try {
    print(`${name}: passed, ${await run()}`)
    passed++
  } catch (error) {
    print(`${name}: FAILED, ${error instanceof Error ? error.message : String(error)}`)
    failed++
  }
  clearInterval(progress)
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exit(failed === 0 ? 0 : 1)
