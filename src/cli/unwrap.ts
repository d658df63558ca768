/** `sekisho unwrap`: the clients' files are what they were before `wrap`. */
import type { Command } from 'commander'
import type { Changed } from '../admin/operations/changed.ts'
import { unwrap } from '../admin/operations/unwrap.ts'
import { asked, type ChangeOptions, changing, commonChange } from './changes.ts'

export function unwrapCommand(): Command {
  return commonChange('unwrap', 'undo wrap: every server, unless some are named').action(
    (projects: string[], options: ChangeOptions) =>
      changing(
        options,
        () => unwrap(asked(projects, options)),
        (files) => last(files, options),
      ),
  )
}

function last(files: readonly Changed[], { dryRun }: ChangeOptions): string {
  const count = files.flatMap(({ changed, outcomes }) =>
    changed ? outcomes.filter(({ kind }) => kind === 'unwrapped') : [],
  ).length
  const servers = count === 1 ? '1 server' : `${count} servers`
  if (dryRun) return `${servers} would be unwrapped; nothing was changed\n`
  return count === 0 ? 'nothing is wrapped\n' : `${servers} unwrapped. Restart the clients\n`
}
