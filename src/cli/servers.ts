/** `sekisho servers`: what stands behind the gateway, and the switch that cuts one off at once. */
import { Command } from 'commander'
import { serversDisable } from '../admin/operations/servers-disable.ts'
import { serversEnable } from '../admin/operations/servers-enable.ts'
import { type ServerRow, serversList } from '../admin/operations/servers-list.ts'
import { withStore } from '../admin/with-store.ts'
import { operator } from './operator.ts'
import { told } from './problems.ts'
import { addServer } from './servers-add.ts'
import { plain, styled, table } from './table.ts'

interface Options {
  config: string
  reason?: string
  json?: true
}

export function serversCommand(): Command {
  return new Command('servers')
    .description('add, list, disable and enable servers')
    .addCommand(addServer())
    .addCommand(shared('list', 'every server and whether it is enabled').action(list))
    .addCommand(
      shared('disable', 'cut a server off, also in a running gateway')
        .argument('<id>', 'the server')
        .option('-r, --reason <text>', 'why, for the record')
        .action(disable),
    )
    .addCommand(shared('enable', 'let a disabled server serve again').argument('<id>', 'the server').action(enable))
}

const shared = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--json', 'machine-readable')

const list = ({ config, json }: Options): Promise<void> =>
  told(
    config,
    () =>
      withStore(config, async (loaded, store) => {
        const rows = await serversList(loaded, store)
        process.stdout.write(json ? `${JSON.stringify(rows)}\n` : rowsText(rows))
      }),
    { json },
  )

const disable = (id: string, { config, reason = '', json }: Options): Promise<void> =>
  told(
    config,
    () =>
      withStore(config, async (loaded, store) => {
        await serversDisable(loaded, store, id, operator(), reason)
        const text = `${styled('yellow', 'disabled')}  ${id}; undo with: sekisho servers enable ${id}\n`
        process.stdout.write(json ? `${JSON.stringify({ id, disabled: true })}\n` : text)
      }),
    { json },
  )

const enable = (id: string, { config, json }: Options): Promise<void> =>
  told(
    config,
    () =>
      withStore(config, async (loaded, store) => {
        const isChanged = await serversEnable(loaded, store, id, operator())
        const text = `${styled('green', 'enabled')}  ${id}${isChanged ? '' : ' (it was not disabled)'}\n`
        process.stdout.write(json ? `${JSON.stringify({ id, disabled: false, changed: isChanged })}\n` : text)
      }),
    { json },
  )

function rowsText(rows: readonly ServerRow[]): string {
  if (rows.length === 0) return 'no servers yet; let one in with: sekisho servers add\n'
  const cells = rows.map(({ id, kind, target, trust, disabled }) => {
    const state = disabled === undefined ? styled('green', 'enabled') : styled('yellow', 'disabled')
    const note = disabled === undefined ? '' : [`by ${disabled.by} at ${disabled.at}`, disabled.reason].filter(Boolean).join(': ')
    return [id, state, kind, trust, plain(target), plain(note)]
  })
  return table([['ID', 'STATE', 'KIND', 'TRUST', 'TARGET', ''].map((title) => styled('bold', title)), ...cells])
}
