/** `sekisho servers add`: lets a server in, step by step, and nothing of it can be called before the last. */
import { basename } from 'node:path'
import { confirm, isCancel } from '@clack/prompts'
import { Command, InvalidArgumentError } from 'commander'
import { configuredEnquiry } from '../admin/configured-enquiry.ts'
import { type Added, type Grant, type Reported, type Sighted, type Step, serversAdd } from '../admin/operations/servers-add.ts'
import { privateKey } from '../admin/team-keys.ts'
import { readEnvironment } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { openGateway } from '../gateway.ts'
import { systemClock } from '../lib/clock.ts'
import { type Class, classes } from '../protocol/methods.ts'
import { lastWords } from './last-words.ts'
import { listsOf } from './lists-of.ts'
import { operator } from './operator.ts'
import { told } from './problems.ts'
import { progressLine } from './progress.ts'
import { readSuppressions } from './scan/suppressions.ts'
import { findingText } from './scan/text.ts'
import { origin } from './supply/lock.ts'
import { jsonLine, plain, type Style, styled, table } from './table.ts'

interface Options {
  readonly config: string
  readonly env: readonly string[]
  readonly credential?: string
  readonly sandbox: boolean
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly allowHost: readonly string[]
  readonly role?: string
  readonly class: readonly Class[]
  readonly hold?: true
  readonly pinTls?: true
  readonly sign?: string
  readonly offline?: true
  readonly registry?: string
  readonly suppressions?: string
  readonly dryRun?: true
  readonly yes?: true
  readonly json?: true
}

const collected = (value: string, before: readonly string[]): readonly string[] => [...before, value]

export function addServer(): Command {
  return new Command('add')
    .description('let a server in: looked at, tried out, approved and pinned before anything of it can be called')
    .usage('[options] <id> [URL | -- COMMAND [ARGS...]]')
    .argument('<id>', 'what it is to be called')
    .argument('[target...]', 'where it is, or what starts it')
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('-e, --env <name=value>', 'a variable of the server; a secret as NAME=env:OTHER or NAME=file:PATH', collected, [])
    .option('--credential <reference>', 'the key that a remote server wants, as env:NAME or file:PATH')
    .option('--no-sandbox', 'let it do all that you may do')
    .option('--read <path>', 'a folder or file that it may read; may be given more than once', collected, [])
    .option('--write <path>', 'a folder or file that it may write; may be given more than once', collected, [])
    .option('--allow-host <host:port>', 'a host that it may connect to; may be given more than once', collected, [])
    .option('--role <name>', 'a role that may use it from then on')
    .option('--class <classes>', 'what that role may call: read, write, destructive', someClasses, ['read'])
    .option('--hold', 'add it although the scan has found something, with all of it held')
    .option('--pin-tls', 'lock the key of its certificate as well')
    .option('--sign <key>', 'sign the lock with this Ed25519 private key (PEM)')
    .option('--offline', 'ask no registry; what is at hand is verified all the same')
    .option('--registry <url>', 'the registry to ask (default: npm_config_registry, or the public one)', origin)
    .option('--suppressions <file>', 'what was found harmless (default: sekisho-scan.yaml, where it is there)')
    .option('--dry-run', 'look at everything, and change nothing; a local server is started for that')
    .option('-y, --yes', 'agree to start it, and without --dry-run to let it in, unless something grave is found')
    .option('--json', 'machine-readable; needs --yes')
    .action((id: string, words: string[], options: Options) => told(options.config, () => add(id, words, options), options))
}

function someClasses(text: string): readonly Class[] {
  const named = text.split(/[\s,]+/).filter(Boolean)
  const odd = named.find((one) => !classes.includes(one as Class))
  if (odd !== undefined || named.length === 0) throw new InvalidArgumentError(`It is one or more of ${classes.join(', ')}.`)
  return classes.filter((one) => named.includes(one))
}

async function add(id: string, words: readonly string[], options: Options): Promise<void> {
  const { config: file, json, yes, dryRun, role, sign } = options
  const [first, ...rest] = words
  const isUrl = rest.length === 0 && /^https?:\/\//i.test(first ?? '')
  const isAsking = !yes && !(dryRun && isUrl)
  if (isAsking && !process.stdin.isTTY) throw new Error('there is no terminal to ask on; say --yes')
  if (json && isAsking) throw new Error('with --json nothing is asked; say --yes')
  const { proxy, publicUrl, listen } = await loadConfig(file, undefined, { secrets: 'leave' })
  const { variables } = readEnvironment()
  const progress = progressLine('looking at', 'packages')
  const { env, credential, sandbox, read, write, allowHost } = options
  if (!isUrl && yes !== true && !(await startable(id, words, options))) return void (process.exitCode = 1)
  for (const [signal, code] of ends) process.once(signal, () => process.exit(code))
  const grant: Grant | undefined = role === undefined ? undefined : { role, classes: options.class }
  const added = await serversAdd({
    file,
    wanted: {
      ...{ id, cwd: process.cwd(), env, credential, isSandboxed: sandbox, read, write, hosts: allowHost },
      ...(isUrl ? { url: first } : { command: words.length === 0 ? undefined : words }),
    },
    grant,
    hold: options.hold === true,
    dryRun: dryRun === true,
    sign: sign === undefined ? undefined : { key: await privateKey(sign), validMs: undefined },
    suppressions: readSuppressions(options.suppressions),
    by: operator(),
    now: systemClock.now(),
    variables,
    enquire: configuredEnquiry({ offline: options.offline === true, registry: options.registry, proxy, variables }).enquire,
    pinTls: options.pinTls,
    progress: progress.show,
    attempt: look,
    said(step, findings) {
      progress.clear()
      if (!json) process.stdout.write(stepText(step, findings))
    },
    async agrees() {
      if (!isAsking) return yes === true
      const answer = await confirm({ message: `Let ${id} in?`, initialValue: false })
      return answer === true && !isCancel(answer)
    },
  })
  const isMeant = added.added || added.steps.at(-1)?.outcome !== 'refused'
  process.exitCode = isMeant ? 0 : 1
  const base = publicUrl ?? `http://${listen.host}:${listen.port}`
  process.stdout.write(json ? jsonLine(added) : lastText(added, base, basename(file)))
}

/** A program of a stranger is started only when a person has seen every word of the command. */
async function startable(id: string, words: readonly string[], { sandbox }: Options): Promise<boolean> {
  const where = sandbox ? 'in a sandbox' : 'with all that you may do'
  process.stderr.write(
    `${styled('bold', plain(id), process.stderr)} would be started once, ${where}:\n  ${plain(words.join(' '))}\n`,
  )
  const answer = await confirm({ message: 'Start it?', initialValue: true })
  return answer === true && !isCancel(answer)
}

const trialMsMax = 60_000
/** What was written for the trial alone goes with us. */
const ends = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const

/** Opens a gateway for this one server, reads its lists, and notes what it reached for. */
async function look(config: Config, id: string): Promise<Sighted> {
  const reached = new Set<string>()
  let heard: readonly string[] = []
  const gateway = await openGateway({
    config,
    sinks: [
      {
        name: 'look',
        async write(entries) {
          for (const entry of entries) {
            const { action, subject } = JSON.parse(entry) as { action?: string; subject?: string }
            if (action === 'server.egress.refused' && subject !== undefined) reached.add(subject)
          }
        },
        close: async () => undefined,
      },
    ],
    tell: (event) => {
      if (event.kind === 'server') heard = [...heard.slice(-200), event.line]
    },
  })
  let problem: string | undefined
  try {
    problem = (await listsOf(gateway, id, trialMsMax)).problem
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error)
  } finally {
    await gateway.close()
  }
  const why = problem?.replace(" An operator sees why in the gateway's output.", '')
  const wrote = lastWords(heard)
  const parts = [why, heard.at(-1) && `It ${heard.at(-1)}`, wrote && `and wrote: ${wrote}`]
  return { reached: [...reached].sort(), problem: why && parts.filter(Boolean).join(' ') }
}

const marks: Readonly<Record<Step['outcome'], readonly [Style, string]>> = {
  passed: ['green', '✓'],
  warned: ['yellow', '!'],
  'not-checked': ['yellow', '?'],
  refused: ['red', '✗'],
}

function stepText({ step, outcome, noted, fix }: Step, findings: readonly Reported[]): string {
  const lines = noted.map(({ outcome: one, says }, at) => [
    styled(...marks[at === 0 ? outcome : one]),
    at === 0 ? styled('bold', step.padEnd(11)) : ''.padEnd(11),
    plain(says),
  ])
  const found = findings
    .filter(({ suppressedBy, severity }) => suppressedBy === undefined && severity !== 'info' && severity !== 'low')
    .map(findingText)
  return `${table(lines)}${found.join('')}${fix === undefined ? '' : `   ${styled('green', 'fix'.padEnd(11))}  ${plain(fix)}\n`}`
}

function lastText({ id, added, approved, waiting, steps }: Added, base: string, file: string): string {
  if (!added) {
    const isRefused = steps.at(-1)?.outcome === 'refused'
    return `${styled(isRefused ? 'red' : 'yellow', 'not added')}  ${plain(id)}; ${plain(file)} is as it was\n`
  }
  const waits = waiting === 0 ? '' : `; ${waiting} wait for a decision: sekisho pins show ${id}`
  return `${styled('green', 'added')}  ${id}: ${approved} definitions approved${waits}\n${base}/${id}/mcp\n`
}
