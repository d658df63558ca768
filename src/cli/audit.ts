/** `sekisho audit`: is the record intact, and what does it say? What strangers chose to be called is printed without its control characters. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { auditSearch, type Passage } from '../admin/operations/audit-search.ts'
import { auditTail, type Entry } from '../admin/operations/audit-tail.ts'
import { auditTrace, type Trace } from '../admin/operations/audit-trace.ts'
import { auditVerify, type Verification } from '../admin/operations/audit-verify.ts'
import { loadConfig } from '../config/load.ts'
import { told } from './problems.ts'
import { progressLine } from './progress.ts'
import { jsonLine, plain, type Style, styled, table } from './table.ts'

interface Where {
  readonly config: string
  readonly path?: string
  readonly anchor?: string
  readonly json?: true
}

export function auditCommand(): Command {
  const verify = shared(new Command('verify'))
    .description('check every entry against the signed checkpoints; exit code 1, and what and where, if something was changed')
    .option('--anchor <file>', 'the anchor, instead of the one beside --path or in the configuration')
    .option('--public-key <file>', 'the key that must have signed (PEM), instead of the one that the anchor names')
    .action((options) => tell(options, () => runVerify(options)))
  const search = shared(new Command('search'))
    .description('find exchanges, and what operators did')
    .option('--since <time>', 'not before: 2026-11-21T08:00:00Z, or a span such as 30m, 2h, 7d', time)
    .option('--until <time>', 'not after', time)
    .option('--principal <id>', 'who asked: key:ci')
    .option('--server <id>', 'which server was asked')
    .option('--method <name>', 'for example tools/list')
    .option('--subject <name>', 'the tool, prompt or resource')
    .option('--ending <ending>', 'delivered, suspended, refused, cancelled, or unknown', ending)
    .option('--code <code>', 'the code of a refusal: POLICY_DENIED')
    .option('--text <text>', 'anywhere in the entry')
    .option('--limit <count>', 'the latest so many', count, 100)
    .action((options) => tell(options, () => runSearch(options)))
  const trace = shared(new Command('trace'))
    .description('everything about one exchange')
    .argument('<exchange>', 'its id, as in an error message')
    .action((exchange, options) => tell(options, () => runTrace(exchange, options)))
  const tail = shared(new Command('tail'))
    .description('the latest entries')
    .option('-n, --lines <count>', 'how many', count, 10)
    .option('-f, --follow', 'go on with what is written from now on')
    .action((options) => tell(options, () => runTail(options)))
  const audit = new Command('audit').description('read the record, and check that nobody has changed it')
  return audit.addCommand(verify).addCommand(search).addCommand(trace).addCommand(tail)
}

const shared = (command: Command): Command =>
  command
    .option('-c, --config <file>', 'the configuration, which says where the log is', './sekisho.yaml')
    .option('--path <file>', 'the log, instead of the one in the configuration')
    .option('--json', 'machine-readable')

/** As grep: 0 is yes, 1 is no, and 2 that nobody could look. */
const tell = ({ config, json }: Where, work: () => Promise<void>): Promise<void> => told(config, work, { json, exitCode: 2 })

async function logOf({ config, path }: Where): Promise<string> {
  return path ?? (await loadConfig(config, undefined, { secrets: 'leave' })).audit.path
}

async function logAndAnchorOf({ config, path, anchor }: Where) {
  if (path !== undefined && anchor !== undefined) return { path, anchor }
  const beside = path === undefined ? undefined : anchorBeside(path)
  if (path !== undefined && !existsSync(config)) {
    if (beside === undefined) throw noAnchor(path, config)
    return { path, anchor: beside, anchorIsGuessed: true }
  }
  const { audit } = await loadConfig(config, undefined, { secrets: 'leave' })
  if (path === undefined || resolve(path) === audit.path) return { path: audit.path, anchor: anchor ?? audit.anchor }
  return { path, anchor: beside ?? audit.anchor, anchorIsGuessed: true }
}

/** As `sekisho run` names it, and as the configuration does where it says nothing of it. */
function anchorBeside(path: string): string | undefined {
  const anchor = `${path.replace(/\.db$/, '')}.anchor`
  return existsSync(anchor) ? anchor : undefined
}

const noAnchor = (path: string, config: string): Error =>
  Object.assign(
    new Error(`${existsSync(path) ? `beside ${path} there is no anchor` : `there is no log at ${path}`}, and no ${config}`),
    {
      fix: 'give both files: --path LOG.db --anchor LOG.anchor',
    },
  )

async function runVerify(options: Where & { readonly publicKey?: string }): Promise<void> {
  const progress = progressLine('verifying', 'entries')
  const found = await auditVerify({ ...(await logAndAnchorOf(options)), publicKeyFile: options.publicKey }, progress.show)
  progress.clear()
  process.stdout.write(options.json ? jsonLine(found) : verificationText(found))
  if (!found.ok) process.exitCode = 1
}

async function runSearch({ json, ...options }: Where & Omit<Parameters<typeof auditSearch>[0], 'path'>): Promise<void> {
  const found = auditSearch({ ...options, path: await logOf(options) })
  process.stdout.write(json ? found.map(jsonLine).join('') : table([titles, ...found.map(passageCells)]))
}

async function runTrace(exchange: string, options: Where): Promise<void> {
  const found = auditTrace({ path: await logOf(options), exchange })
  process.stdout.write(options.json ? jsonLine(found) : traceText(found))
  if (found.entries.length === 0) process.exitCode = 1
}

async function runTail({ lines, follow, ...options }: Where & { readonly lines: number; readonly follow?: true }): Promise<void> {
  for await (const entry of auditTail({ path: await logOf(options), last: lines, follow })) {
    process.stdout.write(options.json ? jsonLine(entry) : table([entryCells(entry).map(padded)]))
  }
}

const styles: Readonly<Record<string, Style>> = {
  delivered: 'green',
  suspended: 'cyan',
  refused: 'red',
  cancelled: 'yellow',
  unknown: 'magenta',
  noted: 'blue',
}
const endings = ['delivered', 'suspended', 'refused', 'cancelled', 'unknown']
const coloured = (word: string): string => styled(styles[word] ?? 'gray', word)

const titles = ['TIME', 'ENDING', 'PRINCIPAL', 'SERVER', 'METHOD', 'SUBJECT', 'CODE', 'MS', 'EXCHANGE'].map((title) =>
  styled('bold', title),
)

function passageCells(passage: Passage): readonly string[] {
  const start = (word: string): string[] => [
    styled('gray', passage.time),
    coloured(word),
    plain(passage.principal),
    plain(passage.server ?? ''),
  ]
  if (passage.kind === 'operator')
    return [...start('noted'), plain(passage.action), plain(passage.subject ?? ''), plain(passage.detail ?? '')]
  const [code, took] = passage.kind === 'outcome' ? [passage.code ?? '', String(passage.tookMs)] : ['', '']
  return [
    ...start(passage.ending),
    plain(passage.method),
    plain(passage.subject ?? ''),
    code,
    took,
    styled('gray', plain(passage.exchange)),
  ]
}

const entryCells = (entry: Entry): readonly string[] => {
  if (entry.kind === 'ongoing') return ongoingCells(entry)
  if (entry.kind !== 'intent') return passageCells(entry)
  const [time, , ...rest] = passageCells({ ...entry, ending: 'unknown' })
  return [time as string, coloured('intent'), ...rest]
}

const ongoingCells = ({
  time,
  principal,
  server,
  method,
  notices = 0,
  tookMs,
  exchange,
}: Entry & { kind: 'ongoing' }): readonly string[] => [
  styled('gray', time),
  coloured('ongoing'),
  plain(principal),
  plain(server ?? ''),
  plain(method),
  '',
  `${notices} notices`,
  String(tookMs),
  styled('gray', plain(exchange)),
]

/** A stream of rows cannot be measured before it is printed. */
const usualWidths = [24, 9, 16, 12, 24, 24, 16, 8]
const padded = (cell: string, at: number): string => cell + ' '.repeat(Math.max((usualWidths[at] ?? 0) - plain(cell).length, 0))

function verificationText(found: Verification): string {
  const head = found.ok ? styled('green', 'intact') : styled(['red', 'bold'], 'tampered with')
  const covered =
    found.protectedAt === undefined ? 'nothing yet' : `entries 1 to ${found.protectedTo}, signed at ${plain(found.protectedAt)}`
  const facts = [
    ['entries', `${found.entries}, of which ${found.unknown} intents without an outcome`],
    ['checkpoints', `${found.checkpoints}, signed with the key ${plain(found.keyId ?? 'unknown')}`],
    ['protected', covered],
    ['not yet', `${found.unprotected} entries after the last checkpoint: a change there would not be seen`],
  ]
  const faults = found.tampering.map(({ kind, from, to, detail }) => {
    const where = to === 0 ? '' : from === to ? `entry ${from}` : `entries ${from} to ${to}`
    return [styled('red', kind), where, plain(detail)]
  })
  return `${head}\n${table(facts, '  ')}${faults.length === 0 ? '' : `\n${table(faults, '  ')}`}`
}

function traceText({ exchange, ending: end, entries }: Trace): string {
  if (entries.length === 0) return `nothing is known of the exchange ${plain(exchange)}\n`
  const parts = entries.map((entry) => {
    const { kind, time: at, seq, ...rest } = entry as Entry & { readonly findings?: readonly object[] }
    const facts = Object.entries(rest).filter(([key]) => !['v', 'exchange', 'findings'].includes(key))
    const findings = (rest.findings ?? []).map((finding) => ['finding', plain(Object.values(finding).join(' · '))])
    const rows = [...facts.map(([key, value]) => [key, plain(String(value))]), ...findings]
    return `\n${styled('bold', kind)}  ${plain(at)}  entry ${seq}\n${table(rows, '  ')}`
  })
  return `${plain(exchange)}  ${coloured(end)}\n${parts.join('')}`
}

function count(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It is a whole number below a million.')
  return Number(text)
}

function time(text: string): string {
  if (/^\d{1,6}[smhdw]$/.test(text) || !Number.isNaN(Date.parse(text))) return text
  throw new InvalidArgumentError('It is a time, or a span such as 30m, 2h, 7d.')
}

function ending(text: string): string {
  if (!endings.includes(text)) throw new InvalidArgumentError(`It is one of ${endings.join(', ')}.`)
  return text
}
