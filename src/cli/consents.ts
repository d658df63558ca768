/** `sekisho consents`: which people have agreed to which clients, and the way to undo it. */
import { Command } from 'commander'
import { type ConsentRow, consentsList } from '../admin/operations/consents-list.ts'
import { consentsRevoke } from '../admin/operations/consents-revoke.ts'
import { withRecords } from '../admin/with-records.ts'
import { systemClock } from '../lib/clock.ts'
import { operator } from './operator.ts'
import { told } from './problems.ts'
import { jsonLine, plain, styled, table } from './table.ts'

interface Options {
  readonly config: string
  readonly json?: true
}

export function consentsCommand(): Command {
  return new Command('consents')
    .description('which people have agreed to which clients (identity mode authorization-server)')
    .addCommand(shared('list', 'every consent').option('--user <id>', 'of this user: user:TENANT.OBJECT-ID').action(list))
    .addCommand(
      shared('revoke', 'take a consent back, with every token that was issued because of it')
        .requiredOption('--user <id>', 'whose: user:TENANT.OBJECT-ID')
        .requiredOption('--client <id>', 'to which client')
        .action(revoke),
    )
}

const shared = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--json', 'machine-readable')

const list = ({ config, json, user }: Options & { readonly user?: string }): Promise<void> =>
  told(
    config,
    () =>
      withRecords(config, async (hand) => {
        const rows = await consentsList(hand, user)
        process.stdout.write(json ? jsonLine(rows) : rowsText(rows))
      }),
    { json },
  )

const revoke = ({ config, json, user, client }: Options & { readonly user: string; readonly client: string }): Promise<void> =>
  told(
    config,
    () =>
      withRecords(config, async ({ records, consents, store }) => {
        await consentsRevoke({ records, consents, store, clock: systemClock }, { user, client, by: operator() })
        const text = `${styled('yellow', 'revoked')}  ${plain(client)} may no longer act for ${plain(user)}, and has to ask again\n`
        process.stdout.write(json ? jsonLine({ user, client, revoked: true }) : text)
      }),
    { json },
  )

function rowsText(rows: readonly ConsentRow[]): string {
  if (rows.length === 0) return 'nobody has agreed to anything\n'
  const titles = ['USER', 'PERSON', 'CLIENT', 'CALLS ITSELF', 'SCOPES', 'CODES GO TO', 'GIVEN'].map((title) =>
    styled('bold', title),
  )
  const cells = rows.map(({ user, person = '', client, name, scopes, redirectUri, givenAt }) => [
    plain(user),
    plain(person),
    plain(client),
    plain(name),
    plain(scopes.join(' ')),
    plain(redirectUri),
    styled('gray', givenAt),
  ])
  return table([titles, ...cells])
}
