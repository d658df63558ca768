/** `sekisho idp`: what to register at an identity provider, and whether what is registered there fits. */
import { Argument, Command, Option } from 'commander'
import { type IdpAnswers, type IdpPlan, idpAdd } from '../admin/operations/idp-add.ts'
import { type IdpVerification, idpVerify, type Probed } from '../admin/operations/idp-verify.ts'
import { reachFor } from '../admin/reach-for.ts'
import { loadConfig } from '../config/load.ts'
import { systemClock } from '../lib/clock.ts'
import { askIdp } from './idp-questions.ts'
import { told } from './problems.ts'
import { jsonLine, plain, type Style, styled, table } from './table.ts'

export type IdpFlags = Partial<IdpAnswers>
interface AddOptions extends Omit<IdpFlags, 'kind'> {
  readonly config: string
  readonly json?: true
}

export function idpCommand(): Command {
  const add = new Command('add')
    .description('print what to register at the provider, and what to write into the configuration; changes nothing')
    .addArgument(new Argument('<kind>', 'which provider: Entra ID, or any other with OpenID Connect').choices(['entra', 'oidc']))
    .option('-c, --config <file>', 'a configuration, for its "publicUrl"', './sekisho.yaml')
    .addOption(
      new Option('--mode <mode>', 'whether clients log in through the gateway, or bring tokens of the provider').choices([
        'authorization-server',
        'resource-server',
      ]),
    )
    .option('--public-url <url>', 'how clients reach the gateway')
    .option('--tenant <id>', 'entra: the Directory (tenant) ID')
    .option('--issuer <url>', 'oidc: the issuer, as the provider spells it')
    .option('--client-id <id>', 'the client id of the gateway there, once it is known')
    .option('--name <name>', 'what to call it there', 'Sekisho')
    .option('--json', 'machine-readable; asks nothing')
    .action((kind: IdpAnswers['kind'], options: AddOptions) => told(options.config, () => showPlan(kind, options), options))
  const verify = new Command('verify')
    .description('look at the live provider, without changing anything; exit code 1 when something is wrong')
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--json', 'machine-readable')
    .action(({ config, json }: { config: string; json?: true }) =>
      told(config, () => showVerification(config, json), { json, exitCode: 2 }),
    )
  return new Command('idp').description('the identity provider that people log in at').addCommand(add).addCommand(verify)
}

async function showPlan(kind: IdpAnswers['kind'], { config, json, ...flags }: AddOptions): Promise<void> {
  const publicUrl = flags.publicUrl ?? (await publicUrlIn(config))
  const given: IdpFlags = { ...flags, kind, ...(publicUrl !== undefined && { publicUrl }) }
  const answers = isWhole(given) ? given : await askIdp(given, json === undefined && process.stdin.isTTY)
  if (answers === undefined) {
    process.exitCode = 1
    return
  }
  const plan = idpAdd(answers)
  process.stdout.write(json ? jsonLine(plan) : planText(plan))
}

const isWhole = (flags: IdpFlags): flags is IdpAnswers =>
  flags.mode !== undefined &&
  flags.publicUrl !== undefined &&
  (flags.kind === 'entra' ? flags.tenant !== undefined : flags.issuer !== undefined)

/** A configuration need not be there yet, nor be right. */
async function publicUrlIn(file: string): Promise<string | undefined> {
  try {
    return (await loadConfig(file, undefined, { secrets: 'leave' })).publicUrl
  } catch {
    return undefined
  }
}

function planText({ steps, yaml, next }: IdpPlan): string {
  const parts = steps.map(({ title, portal, commands }, at) => {
    const clicks = portal.map((line) => `   ${plain(line)}\n`).join('')
    const typed = commands.map((line) => `   ${styled('cyan', `$ ${plain(line)}`)}\n`).join('')
    return `${styled('bold', `${at + 1}. ${plain(title)}`)}\n${clicks}${typed}`
  })
  const last = `${styled('bold', `${steps.length + 1}. Into sekisho.yaml, with a role for those who come`)}\n`
  return `${parts.join('\n')}\n${last}${yaml.replace(/^(?=.)/gm, '   ')}\n${styled('bold', 'next')}\n  ${next}\n`
}

async function showVerification(file: string, json?: true): Promise<void> {
  const config = await loadConfig(file, undefined, { secrets: 'leave' })
  const found = await idpVerify({ config, clock: systemClock, reach: reachFor(config) })
  process.stdout.write(json ? jsonLine(found) : verificationText(found))
  process.exitCode = { pass: 0, fail: 1, unverifiable: 2 }[found.outcome]
}

const colours: Readonly<Record<Probed['outcome'], Style>> = { pass: 'green', fail: 'red', unverifiable: 'yellow' }

function verificationText({ issuers }: IdpVerification): string {
  const parts = issuers.map(({ issuer, probed }) => {
    const rows = probed.flatMap(({ check, outcome, says, fix }) => [
      [styled(colours[outcome], outcome), check, plain(says)],
      ...(fix === undefined ? [] : [['', '', `${styled('green', 'fix')} ${plain(fix)}`]]),
    ])
    return `${styled('bold', plain(issuer))}\n${table(rows, '  ')}`
  })
  return parts.join('\n')
}
