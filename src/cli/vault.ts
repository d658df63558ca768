/** `sekisho vault`: what the vault keeps, whether it opens, a new key for it, and removal. Nothing here prints a value. */
import { Command } from 'commander'
import { type VaultRow, vaultList } from '../admin/operations/vault-list.ts'
import { vaultPurge } from '../admin/operations/vault-purge.ts'
import { type Rotation, vaultRotate } from '../admin/operations/vault-rotate.ts'
import { type VaultVerification, vaultVerify } from '../admin/operations/vault-verify.ts'
import { withVault } from '../admin/with-vault.ts'
import { systemClock } from '../lib/clock.ts'
import { operator } from './operator.ts'
import { told } from './problems.ts'
import { progressLine } from './progress.ts'
import { span } from './span.ts'
import { jsonLine, plain, styled, table } from './table.ts'

interface Options {
  readonly config: string
  readonly json?: true
  readonly owner?: string
  readonly server?: string
  readonly olderThan?: number
}

export function vaultCommand(): Command {
  const named = (command: Command): Command =>
    command.option('--owner <principal>', 'of this principal: key:ci').option('--server <id>', 'for this server')
  return new Command('vault')
    .description('what the vault keeps, and its keys')
    .addCommand(named(shared('list', 'every record, without its value')).action(list))
    .addCommand(shared('verify', 'open every record; exit code 1 when one does not open').action(verify))
    .addCommand(shared('rotate', 'a new key for every record, also while gateways run').action(rotate))
    .addCommand(
      named(shared('purge', 'remove records for good; of several conditions all have to fit'))
        .option('--older-than <span>', 'not written since: 90d, 12h; 0s is everything', span)
        .action(purge),
    )
}

const shared = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--json', 'machine-readable')

const list = ({ config, json, ...asked }: Options): Promise<void> =>
  told(
    config,
    () =>
      withVault(config, async ({ vault }) => {
        const rows = await vaultList(vault, asked)
        process.stdout.write(json ? jsonLine(rows) : rowsText(rows))
      }),
    { json },
  )

const verify = ({ config, json }: Options): Promise<void> =>
  told(
    config,
    () =>
      withVault(config, async ({ keys, records }) => {
        const progress = progressLine('verifying', 'records')
        const found = await vaultVerify({ keys, records, progress: progress.show })
        progress.clear()
        if (found.broken.length + found.closed.length > 0) process.exitCode = 1
        process.stdout.write(json ? jsonLine(found) : verificationText(found))
      }),
    { json, exitCode: 2 },
  )

const rotate = ({ config, json }: Options): Promise<void> =>
  told(
    config,
    () =>
      withVault(config, async ({ keys, records }) => {
        const progress = progressLine('rotating', 'records')
        const done = await vaultRotate({ keys, records, clock: systemClock, by: operator(), progress: progress.show })
        progress.clear()
        if (done.broken.length > 0) process.exitCode = 1
        process.stdout.write(json ? jsonLine(done) : rotationText(done))
      }),
    { json },
  )

const purge = ({ config, json, owner, server, olderThan }: Options): Promise<void> =>
  told(
    config,
    () =>
      withVault(config, async ({ keys, records }) => {
        const asked = { owner, server, olderThanMs: olderThan, by: operator() }
        const removed = await vaultPurge({ keys, records, clock: systemClock }, asked)
        process.stdout.write(json ? jsonLine({ removed }) : `${styled('yellow', 'removed')}  ${counted(removed)}\n`)
      }),
    { json },
  )

const counted = (count: number): string => (count === 1 ? '1 record' : `${count} records`)

function rowsText(rows: readonly VaultRow[]): string {
  if (rows.length === 0) return 'nothing is kept\n'
  const titles = ['SERVER', 'OWNER', 'KIND', 'CLIENT', 'WRITTEN', 'KEY', 'RECORD'].map((title) => styled('bold', title))
  const cells = rows.map(({ server, owner, kind, client = '', at, key, record }) => [
    plain(server),
    owner === undefined ? styled('red', 'changed') : plain(owner),
    plain(kind),
    plain(client),
    styled('gray', at),
    plain(key),
    styled('gray', record),
  ])
  return table([titles, ...cells])
}

function verificationText({ records, broken, closed }: VaultVerification): string {
  if (broken.length + closed.length === 0) return `${styled('green', 'intact')}  ${counted(records)}\n`
  const faults = [
    ...broken.map(({ record, server, kind }) => [styled('red', 'changed'), record, plain(server), plain(kind)]),
    ...closed.map(({ key, records: count, why, fix }) => [
      styled('red', 'closed'),
      counted(count),
      plain(key),
      `${plain(why)}; ${plain(fix)}`,
    ]),
  ]
  return `${styled(['red', 'bold'], 'not intact')}  ${counted(records)}\n${table(faults, '  ')}`
}

function rotationText({ key, resumed, rewrapped, removed, broken }: Rotation): string {
  if (key === undefined) return 'nothing is kept, so there is no key to rotate\n'
  const head = resumed ? 'an earlier rotation is finished now' : 'rotated'
  const facts = [
    ['key', plain(key)],
    ['moved', counted(rewrapped)],
    ...removed.map((id) => ['retired', plain(id)]),
    ...broken.map((record) => [styled('red', 'changed'), `${record} does not open and stays under its key`]),
  ]
  const advice = key.startsWith('file:') ? 'back up the new key file: without it nothing in the vault opens\n' : ''
  return `${styled(broken.length > 0 ? 'yellow' : 'green', head)}\n${table(facts, '  ')}${advice}`
}
