/** `sekisho tokens`: take back what was issued, before it expires. */
import { Command } from 'commander'
import { hasBeenHere } from '../admin/has-been-here.ts'
import { type RevocationRow, tokensRevocations } from '../admin/operations/tokens-revocations.ts'
import { type Revoked, tokensRevoke } from '../admin/operations/tokens-revoke.ts'
import { withStore } from '../admin/with-store.ts'
import { operator } from './operator.ts'
import { told } from './problems.ts'
import { jsonLine, plain, styled, table } from './table.ts'

interface Options {
  readonly config: string
  readonly json?: true
  readonly user?: string
  readonly client?: string
  readonly token?: string
  readonly reason?: string
}

export function tokensCommand(): Command {
  return new Command('tokens')
    .description('take tokens back before they expire')
    .addCommand(
      shared('revoke', 'what was issued up to now is no longer good, also in a running gateway')
        .option('--user <id>', 'to this user or application: user:TENANT.OBJECT-ID')
        .option('--client <id>', 'to this OAuth client, for whomever it acts; it has to ask people anew')
        .option('--token <jti>', 'this one token, by its "jti" or Entra\'s "uti"')
        .option('-r, --reason <text>', 'why, for the record')
        .action(revoke),
    )
    .addCommand(shared('revocations', 'everything that was taken back').action(list))
}

const shared = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--json', 'machine-readable')

const revoke = ({ config, json, ...asked }: Options): Promise<void> =>
  told(
    config,
    () =>
      withStore(config, async (loaded, store) => {
        const hand = { store, hasBeenHere: hasBeenHere(loaded, store) }
        const revoked = await tokensRevoke(hand, { ...asked, by: operator() })
        process.stdout.write(json ? jsonLine(revoked) : revokedText(revoked))
      }),
    { json },
  )

function revokedText({ kind, value, known }: Revoked): string {
  const what =
    kind === 'token'
      ? `the token ${plain(value)}`
      : `what ${kind === 'client' ? 'the client ' : ''}${plain(value)} was given up to now`
  const text = `${styled('yellow', 'revoked')}  ${what}\n`
  if (kind === 'token') return text
  if (known === false) return `${text}${styled('yellow', 'warning')}  ${unknown[kind === 'client' ? 'client' : 'user']}\n`
  return `${text}a new login is good again; to keep somebody out, take away the role or the account\n`
}

const unknown = {
  user: 'nobody with this id is known here; ids of those who came: sekisho audit search --text login, or sekisho consents list',
  client: 'no client with this id is known here; those that people have agreed to: sekisho consents list',
} as const

const list = ({ config, json }: Options): Promise<void> =>
  told(
    config,
    () =>
      withStore(config, async (_loaded, store) => {
        const rows = await tokensRevocations(store)
        process.stdout.write(json ? jsonLine(rows) : rowsText(rows))
      }),
    { json },
  )

function rowsText(rows: readonly RevocationRow[]): string {
  if (rows.length === 0) return 'nothing has been revoked\n'
  const titles = ['KIND', 'VALUE', 'UP TO', 'BY', 'REASON'].map((title) => styled('bold', title))
  const cells = rows.map(({ kind, value, at, by, reason }) => [kind, plain(value), styled('gray', at), plain(by), plain(reason)])
  return table([titles, ...cells])
}
