/**
 * `npm run bench`: the same tools/call through Sekisho and its peers, side by side in one run, as ratios.
 *
 *   --quick         2 rounds of 2 s instead of 5 of 3 s
 *   --only TABLE    http, stdio, streams, startup or micro
 *   --case FILTER   cells whose name contains it, for example small/c16 or 64KB/c1/modern
 *   --json          the raw data on stdout instead of the tables
 *
 * Progress goes to stderr. It takes about 30 minutes in full, 10 with --quick.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { cellsMatching } from './cases.ts'
import { Generator } from './generator.ts'
import { measureStartUp, measureStreams } from './idle.ts'
import { openIssuer } from './issuer.ts'
import { machine } from './machine.ts'
import { measureMicro } from './micro.ts'
import { type Report, reportText } from './report.ts'
import { measureTable, type Table } from './rounds.ts'
import { type Ground, startProcess } from './started.ts'
import { verdicts } from './verdict.ts'
import { generatorCeiling } from './wrk.ts'

const tableNames = ['http', 'stdio', 'streams', 'startup', 'micro']

function options() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      case: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  })
  if (values.only !== undefined && !tableNames.includes(values.only)) throw new Error(`--only takes ${tableNames.join(', ')}`)
  if (cellsMatching(values.case).length === 0) throw new Error(`no cell matches --case ${values.case}`)
  return values
}

const began = performance.now()
function progress(line: string): void {
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}\n`)
}

async function measure(asked: ReturnType<typeof options>, ground: Ground): Promise<Report> {
  const facts = machine()
  const pace = asked.quick ? { rounds: 2, seconds: 2 } : { rounds: 5, seconds: 3 }
  const wanted = (name: string) => asked.only === undefined || asked.only === name
  const cells = cellsMatching(asked.case)
  const generator = new Generator()
  const table = (front: Table['front']) => (wanted(front) ? measureTable(front, cells, pace, ground, generator, progress) : null)
  const ceiling = wanted('http') ? await generatorCeiling(ground, generator) : ''
  const http = await table('http')
  const stdio = await table('stdio')
  generator.end()
  const streams = wanted('streams') ? await measureStreams(ground, progress) : []
  const startUp = wanted('startup') ? await measureStartUp(pace.rounds, ground, progress) : []
  const micro = wanted('micro') ? await measureMicro() : []
  const tables = [http, stdio].filter((found) => found !== null)
  return { machine: facts, pace, ceiling, tables, streams, startUp, micro, verdicts: verdicts(http, stdio) }
}

/** A quick or partial run gets a name of its own, so that it never replaces a full one. */
function keep(report: Report, asked: ReturnType<typeof options>): string {
  const folder = join(import.meta.dirname, 'results')
  const kind = asked.only !== undefined || asked.case !== '' ? '-partial' : asked.quick ? '-quick' : ''
  const name = `${report.machine.date}-${report.machine.commit}${kind}`
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(report, null, 1)}\n`)
  writeFileSync(join(folder, `${name}.md`), reportText(report, 'markdown'))
  return `bench/results/${name}`
}

/** A mistyped option is a sentence, not a stack. */
function optionsOrExit(): ReturnType<typeof options> {
  try {
    return options()
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(2)
  }
}

const asked = optionsOrExit()
const root = dirname(import.meta.dirname)
mkdirSync(join(root, '.sekisho'), { recursive: true })
const scratch = mkdtempSync(join(root, '.sekisho', 'bench-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

const issuer = await openIssuer()
const upstreamArgv = [process.execPath, join(root, 'bench/upstream.ts')]
const upstream = await startProcess({ argv: upstreamArgv, endpoint: '/mcp', ready: 'line' }, join(scratch, 'upstream'), 0)
const report = await measure(asked, { root, scratch, upstreamUrl: upstream.url, issuer })
issuer.close()
await upstream.stop()
const kept = keep(report, asked)
process.stdout.write(asked.json ? `${JSON.stringify(report, null, 1)}\n` : `\n${reportText(report, 'terminal')}`)
progress(`kept as ${kept}.json and ${kept}.md`)
