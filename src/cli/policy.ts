/** `sekisho policy why`: may they, which rules were considered, and what to do about it. */
import { Command, Option } from 'commander'
import { type Answer, policyWhy, questions } from '../admin/operations/policy-why.ts'
import { loadConfig } from '../config/load.ts'
import { type Class, type Concern, classes } from '../protocol/methods.ts'
import { shellWord } from './own-name.ts'
import { told } from './problems.ts'
import { plain, styled, table } from './table.ts'

export function policyCommand(): Command {
  return new Command('policy').description('ask the policy').addCommand(whyCommand())
}

interface WhyOptions {
  config: string
  principal: string
  group: string[]
  appRole: string[]
  scope: string[]
  client?: string
  tenant?: string
  server: string
  tool?: string
  prompt?: string
  resource?: string
  ask?: string
  class?: Class
  json?: true
}
const usual = './sekisho.yaml'
const things = ['tool', 'prompt', 'resource', 'ask'] as const

function whyCommand(): Command {
  const command = new Command('why')
    .description('explain a decision: every rule considered, and the next command')
    .option('-c, --config <file>', 'the configuration', usual)
    .requiredOption('-p, --principal <principal>', 'who asks: anonymous, key:ID, user:ID or application:ID')
    .requiredOption('-s, --server <id>', 'which server')
    .option('--group <id>', 'a group in the token; may be given several times', gathered, [])
    .option('--app-role <role>', 'an app role in the token; may be given several times', gathered, [])
    .option('--scope <scope>', 'a scope of the token; may be given several times', gathered, [])
    .option('--client <id>', 'the OAuth client that acts for the user')
    .option('--tenant <id>', 'the tenant; with Entra, the one in the id of the user')
  for (const thing of things) {
    const option = new Option(`--${thing} <name>`, `which ${thing === 'ask' ? 'question of the server' : thing}`)
    if (thing === 'ask') option.choices(questions)
    command.addOption(option.conflicts(things.filter((other) => other !== thing)))
  }
  return command
    .addOption(new Option('--class <class>', 'class of the tool; default: what the configuration says').choices([...classes]))
    .option('--json', 'machine-readable')
    .action(({ config: file, principal, server, json, ...options }: WhyOptions) =>
      told(
        file,
        async () => {
          const thing = things.find((one) => options[one] !== undefined)
          const concern: Concern = thing ?? 'server'
          const subject = thing && options[thing]
          const config = await loadConfig(file, undefined, { secrets: 'leave' })
          const said = saidIn(options)
          const answer = await policyWhy(config, { principal, said, server, concern, subject, class: options.class })
          const explanation = { ...answer, next: { ...answer.next, command: withConfig(answer.next.command, file) } }
          process.stdout.write(
            json ? `${JSON.stringify(explanation)}\n` : explanationText(explanation, said.scopes !== undefined),
          )
        },
        { json },
      ),
    )
}

const withConfig = (command: string, file: string): string =>
  file === usual ? command : `${command} --config ${shellWord(file)}`

const gathered = (value: string, before: string[]): string[] => [...before, value]

const saidIn = ({ group, appRole, scope, client, tenant }: Omit<WhyOptions, 'config' | 'principal' | 'server'>) => ({
  ...(group.length > 0 && { groups: group }),
  ...(appRole.length > 0 && { roles: appRole }),
  ...(scope.length > 0 && { scopes: scope }),
  ...(client !== undefined && { client }),
  ...(tenant !== undefined && { tenant }),
})

function explanationText(
  { allowed, because, rules, next, mode, scopeMissing, ...question }: Answer,
  isScopeSaid: boolean,
): string {
  const verdict = allowed ? styled('green', 'allowed') : styled('red', 'denied')
  const asClass = question.concern === 'tool' ? `  (class ${question.class})` : ''
  const word = mode === 'monitor' ? 'in monitor mode' : 'off'
  const passes = allowed || mode === 'enforce' ? '' : `policy is ${word} here; this passes\n`
  const scope =
    scopeMissing === undefined
      ? ''
      : isScopeSaid
        ? `the token needs the scope ${scopeMissing} besides\n`
        : `the token has to have the scope ${scopeMissing} besides; say what it has with --scope\n`
  const rows = rules.map(({ rule, effect, matches, why }) => [
    matches ? styled('bold', rule) : styled('dim', rule),
    effect,
    matches ? 'matches' : '-',
    plain(why),
  ])
  const considered = rows.length === 0 ? '  no rules to consider\n' : table(rows, '  ')
  const change = next.change === undefined ? '' : `  ${plain(next.change)}\n`
  return `${verdict}  ${plain(because)}${asClass}\n${styled('yellow', passes + scope)}\n${considered}\n${styled('bold', 'next')}\n${change}  ${next.command}\n`
}
