/** What `wrap` and `unwrap` have in common: whom to ask for, and how a change of a file is shown. */
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Changed } from '../admin/operations/changed.ts'
import { clientPlaces } from '../config/client-places.ts'
import { told } from './problems.ts'
import { jsonLine, plain, styled } from './table.ts'
import { thisProgram } from './this-program.ts'

export interface ChangeOptions {
  readonly client?: readonly string[]
  readonly server?: readonly string[]
  readonly all?: true
  readonly dryRun?: true
  readonly home?: string
  readonly json?: true
}

const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

export const commonChange = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .argument('[project...]', 'folders of projects, whose own files are changed as well')
    .option('--client <name>', 'only this client; may be given more than once', collected)
    .option('--server <name>', 'only this server; may be given more than once', collected)
    .option('--all', 'every server of every client')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--home <folder>', 'look under another home, and keep the backups there')
    .option('--json', 'machine-readable')

/** What an operation has to know. */
export const asked = (projects: readonly string[], { client, server, home, dryRun }: ChangeOptions) => ({
  places: clientPlaces(home),
  projects: projects.map((project) => resolve(project)),
  launcher: thisProgram(),
  clients: client,
  servers: server,
  dryRun,
})

/** Exit code 1 where something that was asked for could not be done. */
export const changing = (
  options: ChangeOptions,
  work: () => Promise<readonly Changed[]>,
  last: (files: readonly Changed[]) => string,
) =>
  told(
    '',
    async () => {
      const files = await work()
      const isRefused = files.some(
        ({ refused, outcomes }) => refused !== undefined || outcomes.some(({ kind }) => kind === 'left'),
      )
      if (isRefused) process.exitCode = 1
      if (options.json) return void process.stdout.write(jsonLine(files))
      const { home } = clientPlaces(options.home)
      process.stdout.write(files.map((file) => fileText(file, home)).join('') + last(files))
    },
    { json: options.json },
  )

/** As people write it. */
export const shortPath = (file: string, home: string): string =>
  plain(file.startsWith(`${home}/`) ? `~${file.slice(home.length)}` : file)

function fileText({ client, file, problems, refused, exact, changed, outcomes }: Changed, home: string): string {
  if (problems.length === 0 && refused === undefined && outcomes.length === 0) return ''
  const place = ({ line }: { line?: number }) => (line === undefined ? '' : `line ${line}: `)
  return [
    `${styled('bold', client)}  ${shortPath(file, home)}\n`,
    ...problems.map((problem) => `  ${styled('red', 'problem')}  ${place(problem)}${plain(problem.message)}\n`),
    ...outcomes.map(outcomeText),
    ...(refused === undefined ? [] : [`  ${styled('red', 'refused')}  ${plain(refused)}\n`]),
    ...(exact === false && changed
      ? [`  ${styled('dim', 'the file had been edited since; the rest of it stays as it is')}\n`]
      : []),
    ...(exact === true && changed ? [`  ${styled('dim', 'the file is, byte for byte, what it was')}\n`] : []),
  ].join('')
}

const marks = { wrapped: 'green', unwrapped: 'green', already: 'dim', left: 'yellow' } as const
const verbs = { wrapped: 'wrapped', unwrapped: 'unwrapped', already: 'as it is', left: 'left alone' } as const

function outcomeText({ server, project, kind, why, before, after }: Changed['outcomes'][number]): string {
  const where = project === undefined ? '' : ` (for ${plain(project)})`
  const head = `  ${styled(marks[kind], verbs[kind].padEnd(10))}  ${plain(server)}${where}${why === undefined ? '' : `: it ${plain(why)}`}\n`
  if (before === undefined || after === undefined) return head
  return `${head}    ${styled('red', `- ${line(before)}`)}\n    ${styled('green', `+ ${line(after)}`)}\n`
}

/** Words as a shell would want them, so that one sees where each ends. */
export const line = (words: readonly string[]): string =>
  plain(
    words.map((word) => (/^[\w@%+=:,./•…${}?&-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' '),
  )
