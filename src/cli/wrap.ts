/** `sekisho wrap`: clients go through Sekisho from now on, without anybody editing their files. */
import type { Command } from 'commander'
import type { Changed } from '../admin/operations/changed.ts'
import { wrap } from '../admin/operations/wrap.ts'
import { asked, type ChangeOptions, changing, commonChange } from './changes.ts'

export function wrapCommand(): Command {
  return commonChange('wrap', 'put sekisho run before the servers of the clients on this machine').action(
    (projects: string[], options: ChangeOptions) =>
      changing(
        options,
        () => work(projects, options),
        (files) => last(files, options),
      ),
  )
}

async function work(projects: readonly string[], options: ChangeOptions): Promise<readonly Changed[]> {
  if (!options.all && !options.client && !options.server)
    throw new Error('say which servers: --all, --client NAME or --server NAME; which there are says: sekisho discover')
  return wrap(asked(projects, options))
}

function last(files: readonly Changed[], { dryRun }: ChangeOptions): string {
  const count = files.flatMap(({ changed, outcomes }) =>
    changed ? outcomes.filter(({ kind }) => kind === 'wrapped') : [],
  ).length
  const servers = count === 1 ? '1 server' : `${count} servers`
  if (dryRun) return `${servers} would be wrapped; nothing was changed\n`
  return count === 0 ? 'nothing to wrap\n' : `${servers} wrapped. Restart the clients. Undo with: sekisho unwrap\n`
}
