import { dirname, join } from 'node:path'
import { Command } from 'commander'
import {
  type AdvisoryReport,
  type Check,
  supplyCheck as check,
  type Alert as GithubAlert,
  type SupplyReport,
} from '../../admin/operations/supply-check.ts'
import { type Alert, supplyWatch as look, type WatchRound } from '../../admin/operations/supply-watch.ts'
import { withStore } from '../../admin/with-store.ts'
import { loadConfig } from '../../config/load.ts'
import { systemClock } from '../../lib/clock.ts'
import { operator } from '../operator.ts'
import { told } from '../problems.ts'
import { jsonLine, plain, styled, table } from '../table.ts'
import { clientsOf } from './clients.ts'

interface Options {
  readonly config: string
  readonly lockfile: readonly string[]
  readonly clients?: true
  readonly home?: string
  readonly traffic?: true
  readonly alerts: readonly string[]
  readonly once?: true
  readonly all?: true
  readonly json?: true
}

const shared = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('-l, --lockfile <file...>', 'package-lock.json, uv.lock, poetry.lock, requirements.txt', [])
    .option('--clients', 'also what the clients of this machine start and call')
    .option('--home <folder>', 'of the clients: look under another home')
    .option('--traffic', 'also hosts that servers reached for, out of the audit log')
    .option('--json', 'machine-readable')

export const supplyCheck = (): Command =>
  shared('check', 'hold every component against the policy and the known vulnerabilities')
    .option('--alerts <file...>', 'what GitHub lists of its alerts: Dependabot, secret scanning, code scanning', [])
    .option('--all', 'also what is as it should be')
    .action(runCheck)

export const supplyWatch = (): Command =>
  shared('watch', 'the same again and again: say what is new, and disable servers where the configuration says so')
    .option('--once', 'look once')
    .action(runWatch)

/** As `supply verify` and grep: 0 is yes, 1 is no, and 2 that something could not be looked at. */
const exitCodes = { verified: 0, failed: 1, 'not-checked': 2 } as const

const runCheck = ({ config, lockfile, clients, home, traffic, alerts, json, all }: Options): Promise<void> =>
  told(
    config,
    async () => {
      const loaded = await loadConfig(config, undefined, { secrets: 'leave' })
      const report = await check({
        ...{ config: loaded, lockFiles: lockfile, clients: clientsOf(clients, home), traffic },
        alertFiles: alerts,
        now: systemClock.now(),
      })
      process.exitCode = exitCodes[report.outcome]
      process.stdout.write(json ? jsonLine(report) : reportText(report, all === true))
    },
    { json, exitCode: 2 },
  )

const runWatch = ({ config, lockfile, clients, home, traffic, json, once }: Options): Promise<void> =>
  told(
    config,
    () =>
      withStore(config, async (first, store) => {
        const memory = join(dirname(first.vault.keyFile), 'sekisho.supply.json')
        const round = async (): Promise<WatchRound> => {
          const loaded = await loadConfig(config, undefined, { secrets: 'leave' })
          const seen = await look({
            ...{ config: loaded, store, memory, lockFiles: lockfile, clients: clientsOf(clients, home), traffic },
            ...{ now: systemClock.now(), by: operator() },
          })
          process.stdout.write(json ? jsonLine(seen) : roundText(seen))
          return seen
        }
        if (once) {
          process.exitCode = exitCodes[(await round()).report.outcome]
          return
        }
        const minutes = first.supply.advisories?.everyMinutes ?? 360
        for (let ended = false; !ended; ended = await stoppedWithin(minutes * 60_000))
          await told(config, async () => void (await round()), { json, exitCode: 2 })
        process.exitCode = 0
      }),
    { json, exitCode: 2 },
  )

/** True as soon as somebody wants an end; false when the time is over. */
function stoppedWithin(milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isStopped: boolean): void => {
      clearTimeout(timer)
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
      resolve(isStopped)
    }
    const stop = (): void => end(true)
    const timer = setTimeout(() => end(false), milliseconds)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  })
}

const marks: Readonly<Record<Check['outcome'] | AdvisoryReport['outcome'], readonly [Parameters<typeof styled>[0], string]>> = {
  verified: ['green', '✓'],
  'none-known': ['green', '✓'],
  absent: ['yellow', '–'],
  'not-checked': ['yellow', '?'],
  failed: ['red', '✗'],
  affected: ['red', '✗'],
}
const mark = (outcome: keyof typeof marks): string => styled(...marks[outcome])

function reportText({ components, advisories, alerts, database, outcome }: SupplyReport, all: boolean): string {
  const isShown = (one: keyof typeof marks): boolean => all || !['verified', 'none-known'].includes(one)
  const checked = components.flatMap(({ kind, name, usedBy, checks }) =>
    checks
      .filter((one) => isShown(one.outcome))
      .map(({ what, outcome: one, detail }) => [mark(one), kind, plain(name), what, plain(detail), plain(usedBy.join(', '))]),
  )
  const known = advisories
    .filter((one) => isShown(one.outcome))
    .flatMap(({ outcome: one, name, version = '', why, matches, usedBy }) => {
      const head = (text: string): string[] => [
        mark(one),
        'advisory',
        plain(`${name} ${version}`.trim()),
        ...split(text),
        plain(usedBy.join(', ')),
      ]
      return matches.length === 0
        ? [head(`none-known\t${why ?? ''}`)]
        : matches.map((match) => head(`${match.severity}\t${match.id}: ${match.summary}`))
    })
  const titles = ['', 'KIND', 'NAME', 'CHECK', '', 'USED BY'].map((title) => styled('bold', title))
  const rows = [...checked, ...known, ...alerts.filter(({ isOpen }) => all || isOpen).map(alertRow)]
  const source = 'why' in database ? `${mark('not-checked')}  advisories not checked: ${plain(database.why)}` : ageText(database)
  const end = {
    failed: styled('red', 'not as it should be'),
    'not-checked': styled('yellow', 'not all of it was checked'),
    verified: styled('green', 'ok'),
  }
  return `${rows.length === 0 ? '' : table([titles, ...rows])}${source}\n${end[outcome]}  ${components.length === 1 ? '1 component' : `${components.length} components`}\n`
}

const alertRow = ({ kind, severity, rule, says, where = '', isOpen, usedBy }: GithubAlert): string[] => [
  mark(isOpen ? 'failed' : 'verified'),
  kind,
  plain(where),
  severity,
  plain(`${rule}: ${says}${isOpen ? '' : ' (closed)'}`),
  plain(usedBy.join(', ')),
]

const split = (text: string): string[] => text.split('\t').map(plain)

const ageText = ({ records, ageDays = 0, unreadable }: Exclude<SupplyReport['database'], { why: string }>): string =>
  `advisories: ${records === 1 ? '1 record' : `${records} records`}, the newest ${ageDays === 1 ? '1 day' : `${ageDays} days`} old${unreadable === 0 ? '' : styled('yellow', `; ${unreadable} could not be read`)}`

function roundText({ report, fresh, gone, quarantined }: WatchRound): string {
  const line = ({ says, servers, severity }: Alert): string =>
    `${styled(severity === 'critical' || severity === 'high' ? ['red', 'bold'] : 'red', 'new')}   ${plain(says)}${servers.length === 0 ? '' : `; used by ${plain(servers.join(', '))}`}\n`
  const over = gone.map((key) => `${styled('green', 'over')}  ${plain(key)}\n`)
  const off = quarantined.map((id) => `${styled('yellow', 'disabled')}  ${id}; undo with: sekisho servers enable ${id}\n`)
  const source =
    'why' in report.database
      ? `${mark('not-checked')}  advisories not checked: ${plain(report.database.why)}`
      : ageText(report.database)
  return `${[...fresh.map(line), ...over, ...off].join('')}${source}\n`
}
