/**
 * Runs the fuzzers, each for its share of the time or of the cases.
 *
 *   node test/fuzz/run.ts --seconds N | --cases N [--seed N] [--only NAME] [--from N]
 *
 * Prints the seed first. The first finding ends a fuzzer: the input goes into a file, the exit code is 1, and the same
 * seed with `--from` and `--cases 1` makes the same case again.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { configFuzzer } from './config.ts'
import { drive, type Found, type Fuzzer, type Tally } from './fuzzer.ts'
import { gatewayFuzzer } from './gateway.ts'
import { headersFuzzer } from './headers.ts'
import { jsonFuzzer } from './json.ts'
import { linesFuzzer } from './lines.ts'
import { scanFuzzer } from './scan.ts'
import { sseFuzzer } from './sse.ts'
import { stdioFuzzer } from './stdio.ts'
import { Watchdog } from './watchdog.ts'

const fuzzers: readonly Fuzzer[] = [
  jsonFuzzer(),
  headersFuzzer(),
  sseFuzzer(),
  linesFuzzer(),
  configFuzzer(),
  scanFuzzer(),
  gatewayFuzzer(),
  stdioFuzzer(),
]
export const fuzzerNames: readonly string[] = fuzzers.map(({ name }) => name)

export interface FuzzOptions {
  readonly seed: number
  /** For all fuzzers together. */
  readonly cases?: number | undefined
  readonly seconds?: number | undefined
  readonly only?: string | undefined
  readonly from?: number | undefined
  print(line: string): void
  /** Told now and then how far the whole is. */
  beat?(fuzzer: string, cases: number): void
}

export interface FuzzReport {
  readonly cases: number
  readonly tallies: readonly Tally[]
  /** What is wrong, for each fuzzer that found something; empty when all is well. */
  readonly faults: readonly string[]
}

/** Less would mean that nearly everything ends at the first check, or that nothing is ever refused. */
const acceptedShare = { min: 0.05, max: 0.95, fromCases: 500 }

/** The fuzzers one after the other, in this process. */
export async function fuzz({ seed, cases, seconds, only, from, print, beat }: FuzzOptions): Promise<FuzzReport> {
  const chosen = fuzzers.filter(({ name }) => only === undefined || name === only)
  const whole = (key: 'cases' | 'seconds'): number => chosen.reduce((sum, { share }) => sum + share[key], 0)
  const tallies: Tally[] = []
  const faults: string[] = []
  for (const fuzzer of chosen) {
    const watchdog = new Watchdog(`${fuzzer.name}, seed ${seed}`)
    const tally = await drive(fuzzer, {
      seed,
      ...(from !== undefined && { from }),
      cases: cases === undefined ? Number.MAX_SAFE_INTEGER : Math.ceil((cases * fuzzer.share.cases) / whole('cases')),
      seconds: seconds === undefined ? Number.MAX_SAFE_INTEGER : (seconds * fuzzer.share.seconds) / whole('seconds'),
      beat: (done) =>
        beat?.(
          fuzzer.name,
          tallies.reduce((sum, one) => sum + one.cases, done),
        ),
    })
    await watchdog.stop()
    tallies.push(tally)
    print(lineOf(tally))
    const share = tally.accepted / tally.cases
    if (tally.found) faults.push(kept(tally.found))
    else if (tally.cases >= acceptedShare.fromCases && (share < acceptedShare.min || share > acceptedShare.max))
      faults.push(`${fuzzer.name}: ${percent(share)} were accepted: such cases test too little`)
  }
  return { cases: tallies.reduce((sum, one) => sum + one.cases, 0), tallies, faults }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const lineOf = ({ fuzzer, cases, accepted, seconds, found }: Tally): string =>
  `fuzz ${fuzzer.padEnd(8)} ${String(cases).padStart(8)} cases ${String(Math.round(cases / seconds)).padStart(7)}/s  accepted ${percent(accepted / cases).padStart(6)}  ${found ? 'FOUND SOMETHING' : 'nothing found'}`

/** Writes the inputs down, and says how to make the case again. */
function kept({ fuzzer, seed, at, error, inputs }: Found): string {
  const folder = mkdtempSync(join(tmpdir(), `sekisho-fuzz-${fuzzer}-`))
  for (const { at: number, input } of inputs) writeFileSync(join(folder, `case-${number}`), input)
  writeFileSync(join(folder, 'finding.txt'), `${error instanceof Error ? error.stack : String(error)}\n`)
  const again = at === undefined ? '' : ` --from ${at} --cases 1`
  const what = (error instanceof Error ? error.message : String(error)).split('\n')[0]
  return `${fuzzer}: ${what}
  the input is in ${folder}; again: node scripts/run.mjs test/fuzz/run.ts --only ${fuzzer} --seed ${seed}${again}`
}

export const freshSeed = (): number => Math.floor(Math.random() * 0x1_0000_0000)

if (import.meta.main) {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { seconds: text, cases: text, seed: text, only: text, from: text } })
  const number = (name: 'seconds' | 'cases' | 'seed' | 'from'): number | undefined => {
    const given = values[name]
    if (given !== undefined && !/^\d+$/.test(given)) throw new Error(`--${name} is a whole number`)
    return given === undefined ? undefined : Number(given)
  }
  if (values.only !== undefined && !fuzzerNames.includes(values.only))
    throw new Error(`--only is one of ${fuzzerNames.join(', ')}`)
  const seed = number('seed') ?? freshSeed()
  process.stdout.write(`seed ${seed}\n`)
  const print = (line: string): void => void process.stdout.write(`${line}\n`)
  const [cases, from] = [number('cases'), number('from')]
  const report = await fuzz({
    seed,
    cases,
    seconds: number('seconds') ?? (cases === undefined ? 60 : undefined),
    only: values.only,
    from,
    print,
  })
  for (const fault of report.faults) print(fault)
  print(`${report.tallies.length - report.faults.length} passed, ${report.faults.length} failed`)
  process.exit(report.faults.length === 0 ? 0 : 1)
}
