/** `sekisho sessions`: who has a session open in a running gateway, and the way to end it. */
import { Command } from 'commander'
import { sessionsEnd } from '../admin/operations/sessions-end.ts'
import { type SessionRow, sessionsList } from '../admin/operations/sessions-list.ts'
import { withStore } from '../admin/with-store.ts'
import { loadConfig } from '../config/load.ts'
import { operator } from './operator.ts'
import { told } from './problems.ts'
import { jsonLine, plain, styled, table } from './table.ts'

interface Options {
  readonly config: string
  readonly json?: true
}

export function sessionsCommand(): Command {
  return new Command('sessions')
    .description('sessions of clients of 2025-11-25 and before')
    .addCommand(
      shared('list', 'those that are open in the running gateway')
        .option('--admin <url>', 'the operators\' listener, instead of "admin.listen"')
        .action(list),
    )
    .addCommand(
      shared('end', 'end the sessions of a principal, also in a running gateway')
        .requiredOption('-p, --principal <id>', 'whose: anonymous, key:ID, user:ID or application:ID')
        .option('-r, --reason <text>', 'why, for the record')
        .action(end),
    )
}

const shared = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--json', 'machine-readable')

const list = ({ config, json, admin }: Options & { readonly admin?: string }): Promise<void> =>
  told(
    config,
    async () => {
      const rows = await sessionsList({ admin: admin ?? (await adminOf(config)), get: (url) => globalThis.fetch(url) })
      process.stdout.write(json ? jsonLine(rows) : rowsText(rows))
    },
    { json },
  )

async function adminOf(file: string): Promise<string> {
  const { host, port } = (await loadConfig(file, undefined, { secrets: 'leave' })).admin.listen
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

interface Ending extends Options {
  readonly principal: string
  readonly reason?: string
}

const end = ({ config, json, principal, reason }: Ending): Promise<void> =>
  told(
    config,
    () =>
      withStore(config, async (_loaded, store) => {
        await sessionsEnd(store, { principal, by: operator(), reason })
        const text = `${styled('yellow', 'ended')}  the sessions of ${plain(principal)}\n`
        const after = /^(user|application):/.test(principal)
          ? `its tokens stay good; to take them back: sekisho tokens revoke --user ${plain(principal)}\n`
          : ''
        process.stdout.write(json ? jsonLine({ principal, ended: true }) : text + after)
      }),
    { json },
  )

function rowsText(rows: readonly SessionRow[]): string {
  if (rows.length === 0) return 'no sessions\n'
  const titles = ['SESSION', 'PRINCIPAL', 'CLIENT', 'SERVER', 'OPENED', 'IDLE S', 'STREAMS'].map((title) => styled('bold', title))
  const cells = rows.map(({ session, principal, client = '', server = '(all)', openedAt, idleS, streams }) => [
    styled('gray', plain(session)),
    plain(principal),
    plain(client),
    plain(server),
    styled('gray', plain(openedAt)),
    String(idleS),
    String(streams),
  ])
  return table([titles, ...cells])
}
