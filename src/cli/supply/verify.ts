/** `sekisho supply verify`: is it what was locked, what was published, what was built? A tick is only for what was verified. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { configuredEnquiry } from '../../admin/configured-enquiry.ts'
import {
  type Check,
  type CheckName,
  checkNames,
  isBad,
  supplyVerify,
  supplyVerifyPackage,
  type Verified,
} from '../../admin/operations/supply-verify.ts'
import { isPythonDistribution, supplyVerifyPython } from '../../admin/operations/supply-verify-python.ts'
import { readEnvironment } from '../../config/environment.ts'
import { loadConfig, parseConfig } from '../../config/load.ts'
import { told } from '../problems.ts'
import { progressLine } from '../progress.ts'
import { jsonLine, plain, type Style, styled, table } from '../table.ts'
import { origin } from './lock.ts'

interface Options {
  readonly config: string
  readonly require: readonly CheckName[]
  readonly offline?: true
  readonly registry?: string
  readonly bundle?: string
  readonly all?: true
  readonly json?: true
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('verify servers against the lock, and packages against registry, signatures and provenance')
    .argument('[what]', 'a server, PACKAGE@VERSION, or the file of a tarball or wheel; without it, every server')
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--require <checks>', `also fail where these are absent or not checked: ${checkNames.join(', ')}`, names, [])
    .option('--offline', 'ask no registry; what is at hand is verified all the same')
    .option('--registry <url>', 'the registry to ask (default: npm_config_registry, or the public one)', origin)
    .option('--bundle <file>', 'a Sigstore bundle at hand, or what a registry says of attestations')
    .option('-a, --all', 'a line for each package, also where many are alike')
    .option('--json', 'machine-readable')
    .action((what: string | undefined, options: Options) =>
      told(options.config, () => verify(what, options), { json: options.json, exitCode: 2 }),
    )
}

async function verify(what: string | undefined, options: Options): Promise<void> {
  const { config: file, offline, registry, bundle, json, require } = options
  const isPackage = what !== undefined && (/.@\d/.test(what) || /\.(tgz|tar\.gz|whl)$/.test(what))
  // A package can be verified before there is a configuration.
  const config = isPackage && !existsSync(file) ? parseConfig('') : await loadConfig(file, undefined, { secrets: 'leave' })
  const { variables, proxy } = readEnvironment()
  const folder = dirname(resolve(file))
  const lockFile = config.supply.lock ?? join(folder, 'sekisho.lock')
  const progress = progressLine('verifying', 'packages')
  const asked = {
    config,
    lockFile,
    folder: dirname(lockFile),
    store: config.supply.store,
    variables,
    progress: progress.show,
    ...configuredEnquiry({ offline: offline === true, registry, proxy, variables, bundle }),
  }
  const ids = Object.keys(config.servers)
  if (what !== undefined && !isPackage && !ids.includes(what))
    throw new Error(`there is no server "${what}" in the configuration; a package is named with its version: ${what}@1.2.3`)
  const found = isPackage
    ? [await ((await isPythonDistribution(what, bundle)) ? supplyVerifyPython(what, bundle) : supplyVerifyPackage(what, asked))]
    : await supplyVerify(what === undefined ? ids : [what], asked).finally(() => progress.clear())
  process.stdout.write(json ? jsonLine(found) : verifiedText(found, require, options.all === true))
  if (found.some((one) => isBad(one, require))) process.exitCode = 1
}

const signs: Readonly<Record<Check['status'], readonly [string, Style]>> = {
  verified: ['✓', 'green'],
  absent: ['–', 'yellow'],
  'not checked': ['?', 'yellow'],
  failed: ['✗', 'red'],
}

/** From so many on, packages of one server of which the same is known are one line. */
const alikeMin = 4

function verifiedText(found: readonly Verified[], required: readonly CheckName[], isWhole: boolean): string {
  if (found.length === 0) return 'no servers yet; let one in with: sekisho servers add\n'
  const titles = ['', ...checkNames.map((name) => name.toUpperCase()), ''].map((title) => styled('bold', title))
  const alike = isWhole ? found.map((one) => [one]) : [...Map.groupBy(found, kindOf).values()]
  const rows = alike.flatMap(rowsOf)
  const said = found.flatMap(({ subject, checks }) =>
    Object.entries(checks).flatMap(([name, { status, detail }]) =>
      status === 'verified' ? [] : [{ subject, name, status, detail }],
    ),
  )
  const faults = said
    .filter(({ status }) => status === 'failed')
    .map(({ subject, name, detail }) => [styled('red', '✗'), plain(subject), name, plain(detail ?? '')])
  const open = new Map<string, number>()
  for (const { name, status, detail } of said)
    if (status !== 'failed') {
      const key = `${signs[status][0]} ${status}\n${name}${detail === undefined ? '' : `: ${detail}`}`
      open.set(key, (open.get(key) ?? 0) + 1)
    }
  const reasons = [...open].map(([key, count]) => [...key.split('\n'), count > 1 ? `(${count} times)` : ''].map(plain))
  const bad = found.filter((one) => isBad(one, required)).length
  const verdict = bad > 0 ? styled(['red', 'bold'], `${bad} of ${found.length} failed`) : styled('green', 'nothing failed')
  return [table([titles, ...rows]), table(faults), table(reasons), `${verdict}\n`].filter((part) => part !== '').join('\n')
}

/** A server and whatever failed stand by themselves. */
function kindOf({ subject, server, checks, notes }: Verified): string {
  const known = Object.values(checks).map(({ status }) => status)
  const isAlone = server === undefined || server === subject || known.includes('failed')
  return JSON.stringify([server ?? '', isAlone ? subject : '', known, notes])
}

function rowsOf(alike: readonly Verified[]): readonly (readonly string[])[] {
  const shown = alike.length < alikeMin ? alike : alike.slice(0, 1)
  return shown.map(({ subject, server, checks, notes }) => {
    const cells = checkNames.map((name) => {
      const [sign, style] = signs[checks[name]?.status ?? 'absent']
      return checks[name] === undefined ? '' : styled(style, sign)
    })
    const title = shown.length < alike.length ? `${alike.length} packages` : plain(subject)
    return [server === undefined || server === subject ? title : `  ${title}`, ...cells, plain(notes.join(', '))]
  })
}

function names(text: string): CheckName[] {
  const asked = text.split(',').map((name) => name.trim())
  const odd = asked.find((name) => !(checkNames as readonly string[]).includes(name))
  if (odd !== undefined) throw new InvalidArgumentError(`"${odd}" is none of ${checkNames.join(', ')}.`)
  return asked as CheckName[]
}
