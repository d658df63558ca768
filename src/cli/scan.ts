/** `sekisho scan`: is what I installed safe? Reads what servers tell models, offline, without an account. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { confirm, isCancel } from '@clack/prompts'
import { Command, InvalidArgumentError, Option } from 'commander'
import { counting, type ScanReport, type Severity, scan, severities, type Visited } from '../admin/operations/scan.ts'
import { scanSupply } from '../admin/operations/scan-supply.ts'
import { type HtmlExtras, htmlReport } from '../admin/reports/html.ts'
import { sarif } from '../admin/reports/sarif.ts'
import { noSandboxHere } from '../admin/sandbox-here.ts'
import { localTargets, rulesFor } from '../admin/scan-rules.ts'
import { isGateway, ofClients, ofCommand, ofFile, ofManifest, ofUrl, type Target } from '../admin/scan-targets.ts'
import { systemClock } from '../lib/clock.ts'
import { version } from '../lib/version.ts'
import { told } from './problems.ts'
import { progressLine } from './progress.ts'
import { type Consent, consentTo } from './scan/consent.ts'
import { readSuppressions } from './scan/suppressions.ts'
import { scanSummary, scanText } from './scan/text.ts'
import { visitAll, type Way } from './scan/visit.ts'
import { jsonLine, plain, styled } from './table.ts'
import { thisProgram } from './this-program.ts'

interface Options {
  readonly manifest?: string
  readonly config?: string
  readonly advisories?: string
  readonly format: 'text' | 'json' | 'sarif' | 'html'
  readonly output?: string
  readonly failOn: Severity | 'never'
  readonly suppressions?: string
  readonly yes?: true
  readonly connect: boolean
  readonly sandbox: boolean
  readonly timeout: number
  readonly allowHost: readonly string[]
  readonly read: readonly string[]
  readonly home?: string
  readonly all?: true
  readonly json?: true
}

export function scanCommand(): Command {
  return new Command('scan')
    .description('read what servers say of themselves for tricks, before anybody lets them in')
    .usage('[options] [FILE | URL | -- COMMAND [ARGS...]]')
    .argument('[target...]', 'a configuration, a manifest, a URL or a command (default: what the clients of this machine use)')
    .option('--manifest <file>', 'a result of tools/list, or a bare list of tools, instead of a server')
    .option('-c, --config <file>', 'whose "supply" says what packages may be (default: sekisho.yaml, where it is there)')
    .option('--advisories <path>', 'a local copy of known vulnerabilities: a folder or a zip of records of OSV or of GitHub')
    .option('-y, --yes', 'start local servers without asking, in a sandbox')
    .option('--no-connect', 'start and call nothing; only say what there is')
    .option('--no-sandbox', 'start local servers with all that you may do')
    .option('--allow-host <host:port...>', 'hosts that a server in the sandbox may connect to', [])
    .option('--read <path...>', 'folders and files that a server in the sandbox may read', [])
    .addOption(new Option('--timeout <seconds>', 'for each server, until it has said everything').argParser(secondsIn).default(5))
    .option('--suppressions <file>', 'what was found harmless (default: sekisho-scan.yaml, where it is there)')
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 from this severity on').choices([...severities, 'never']).default('high'),
    )
    .addOption(new Option('-f, --format <format>', 'of the report').choices(['text', 'json', 'sarif', 'html']).default('text'))
    .option('-o, --output <file>', 'write the report there')
    .option('--home <folder>', 'look for clients under another home')
    .option('-a, --all', 'show everything that was found, also what is low or suppressed')
    .option('--json', 'the same as --format json')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2)) // 1 says that something was found
    .action((words: string[], options: Options) => told('', () => run(words, options), { json: options.json, exitCode: 2 }))
}

function secondsIn(text: string): number {
  const seconds = Number(text)
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 600) return seconds
  throw new InvalidArgumentError('It is a whole number from 1 to 600.')
}

async function run(words: readonly string[], options: Options): Promise<void> {
  const suppressions = readSuppressions(options.suppressions)
  const now = systemClock.now()
  const targets = await targetsOf(words, options)
  const rules = await rulesFor({ config: configOf(words, options), advisories: options.advisories, now })
  const visited = await visit(targets, options)
  const supply = await scanSupply(localTargets(targets, rules), rules)
  const whole = visited.map(({ entry, ...one }) => {
    const { findings = [], ...rest } = supply.targets.get(one.server) ?? {}
    return { ...one, ...rest, entry: [...entry, ...findings] }
  })
  const today = new Date(now).toISOString().slice(0, 10)
  const report = scan({ visited: whole, advisories: supply.database, suppressions, today })
  const definitions = new Map(visited.map((one) => [one.server, one.definitions]))
  const text = written(report, options, {
    definitions,
    version,
    at: `${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
  })
  if (options.output === undefined) process.stdout.write(text)
  else {
    writeFileSync(options.output, text)
    if (!options.json) process.stdout.write(`${styled('green', 'written')}  ${options.output}: ${scanSummary(report.servers)}`)
  }
  const isBad = options.failOn !== 'never' && counting(report, options.failOn).length > 0
  const isBlind = report.servers.some(({ problem }) => problem !== undefined)
  process.exitCode = isBad ? 1 : isBlind ? 2 : 0
}

function written(report: ScanReport, { format, json, all }: Options, extras: HtmlExtras): string {
  const wanted = json ? 'json' : format
  if (wanted === 'json') return jsonLine(report)
  if (wanted === 'sarif') return `${JSON.stringify(sarif(report, version, process.cwd()), undefined, 2)}\n`
  if (wanted === 'html') return htmlReport(report, extras)
  return scanText(report, all === true)
}

/** A configuration of the gateway that is scanned is its own policy. */
function configOf([first, ...rest]: readonly string[], { config }: Options): string | undefined {
  if (config !== undefined || first === undefined || rest.length > 0 || !statSync(first, { throwIfNoEntry: false })?.isFile())
    return config
  return isGateway(first, readFileSync(first, 'utf8')) ? first : undefined
}

async function targetsOf(words: readonly string[], { manifest, home }: Options): Promise<readonly Target[]> {
  if (manifest !== undefined) return ofManifest(manifest)
  const [first, ...rest] = words
  if (first === undefined) {
    const found = ofClients(home, [resolve('.')], thisProgram())
    if (found.length === 0) throw new Error('no client that we know has a server here; name a file, a URL or a command')
    return found
  }
  if (rest.length > 0) return ofCommand(words)
  if (/^https?:\/\//i.test(first)) return ofUrl(first)
  return ofFile(first, thisProgram())
}

async function visit(targets: readonly Target[], options: Options): Promise<readonly Visited[]> {
  const started = targets.filter(({ visit: way }) => way !== undefined && 'command' in way)
  const agreed = (unconfined: string | undefined): Promise<boolean> => agreedTo(started, unconfined)
  const consent: Consent =
    started.length === 0 ? { starts: true } : await consentTo(options, { noSandbox: noSandboxHere, agreed })
  const going = targets.filter(({ visit: way }) => way !== undefined && options.connect && ('url' in way || consent.starts))
  const progress = progressLine('scanning', 'servers')
  let seen = 0
  const ways = going.map(({ visit: way }) => wayOf(way as NonNullable<Target['visit']>, options, consent))
  const found =
    going.length === 0
      ? []
      : await visitAll(ways, { serverMsMax: options.timeout * 1000, done: () => progress.show(++seen, going.length) })
  progress.clear()
  return targets.map((target) => {
    const lists = found[going.indexOf(target)]
    const { name: server, origin, how, entry, definitions = lists?.definitions ?? [] } = target
    const why = target.visit === undefined || lists !== undefined ? undefined : notVisited(consent)
    const unconfined = lists !== undefined && started.includes(target) && consent.starts ? consent.unconfined : undefined
    const problem = target.problem ?? lists?.problem ?? why
    return { server, origin, how, definitions, entry, unchecked: [], problem, ...(unconfined !== undefined && { unconfined }) }
  })
}

function wayOf(way: NonNullable<Target['visit']>, { allowHost, read }: Options, consent: Consent): Way {
  if ('url' in way) return way
  const isSandboxed = consent.starts && consent.unconfined === undefined
  return { ...way, isSandboxed, hosts: allowHost, read: read.map((path) => resolve(path)) }
}

const notVisited = (consent: Consent): string => (consent.starts ? 'nothing was asked of it, as --no-connect says' : consent.why)

async function agreedTo(targets: readonly Target[], unconfined: string | undefined): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false
  const where = unconfined === undefined ? 'in a sandbox' : `WITHOUT a sandbox, with all that you may do (${plain(unconfined)})`
  process.stderr.write(`These would be started, ${where}:\n`)
  for (const { name, how } of targets) process.stderr.write(`  ${styled('bold', plain(name), process.stderr)}  ${plain(how)}\n`)
  const answer = await confirm({ message: 'Start them?', initialValue: true })
  return !isCancel(answer) && answer
}
