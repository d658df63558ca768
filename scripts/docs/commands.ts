/** Every command and flag that is shown exists; every one that exists is in the reference; every npm script shown exists. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { errors } from '../../src/protocol/refusal-texts.ts'
import { root } from '../child.ts'
import type { Document } from './documents.ts'

interface Shown {
  readonly place: string
  readonly line: string
}

/** The commands as the command line puts them together: what `--help` prints is made from the same. */
async function commandLine(): Promise<Command> {
  const program = new Command('sekisho')
  const folder = join(root, 'src', 'cli')
  for (const file of readdirSync(folder).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'main.ts',
  )) {
    const room = (await import(join(folder, file))) as Record<string, unknown>
    for (const [name, make] of Object.entries(room)) if (name.endsWith('Command')) program.addCommand((make as () => Command)())
  }
  return program
}

/** Lines of code that begin with `sekisho`, in blocks, in running text, and in what our refusals advise. */
function shownIn(documents: readonly Document[], pattern: RegExp): Shown[] {
  const inDocuments = documents.flatMap(({ file, blocks, spans }) => [
    ...blocks.flatMap(({ line, text }) =>
      text.split('\n').map((one, at) => ({ place: `${file}:${line + at}`, line: one.replace(/^\$ /, '') })),
    ),
    ...spans.map(({ line, text }) => ({ place: `${file}:${line}`, line: text })),
  ])
  return inDocuments.filter(({ line }) => pattern.test(line))
}

const advised = (): Shown[] =>
  Object.entries(errors).flatMap(([code, { fix }]) => {
    const [, line] = /(sekisho [a-z][^"]*)/.exec(fix) ?? []
    return line === undefined ? [] : [{ place: `src/protocol/refusal-texts.ts:1: ${code}`, line }]
  })

export async function unknownCommands(documents: readonly Document[]): Promise<string[]> {
  const program = await commandLine()
  return [...shownIn(documents, /^sekisho\s/), ...advised()].flatMap(({ place, line }) =>
    faultsOf(program, line).map((fault) => `${place}: ${fault}`),
  )
}

/** Placeholders are written in capitals, or in brackets. */
const isPlaceholder = (word: string): boolean => /^[A-Z[<{…]/.test(word)

function faultsOf(program: Command, line: string): string[] {
  // What follows two spaces, or a sign of the shell, is not part of it.
  const words =
    line
      .split(/ {2,}| [#|>&;]/)[0]
      ?.match(/"[^"]*"|'[^']*'|[^\s"']+/g)
      ?.slice(1) ?? []
  let command = program
  while (words[0] !== undefined && command.commands.length > 0) {
    const word = words[0]
    if (word.startsWith('-') || isPlaceholder(word) || (command === program && word === 'help')) return []
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) return [`there is no command "${[...path(command), word].join(' ')}"`]
    command = next
    words.shift()
  }
  const known = command.options.flatMap(({ long, short }) => [long, short])
  const end = words.indexOf('--')
  return words
    .slice(0, end === -1 ? words.length : end)
    .filter((word) => /^--?[a-z]/i.test(word) && !['--help', '-h'].includes(word))
    .map((word) => word.split('=')[0] as string)
    .filter((flag) => !known.includes(flag))
    .map((flag) => `"${path(command).join(' ')}" has no flag ${flag}`)
}
const path = (command: Command): string[] => [...(command.parent ? path(command.parent) : []), command.name()]

const reference = 'docs/reference/cli.md'

/** The reference has every command and flag. */
export async function unwrittenCommands(documents: readonly Document[]): Promise<string[]> {
  const text = documents.find(({ file }) => file === reference)?.text
  if (text === undefined) return [`${reference}:1: is missing`]
  const missing = (command: Command): string[] => {
    const title = path(command).join(' ')
    const [, section] = text.split(new RegExp(`^#+ ${title}$`, 'm'))
    const own = section?.split(/^#+ sekisho /m)[0] ?? ''
    const flags = command.options
      .filter(({ long }) => long && !own.includes(long))
      .map(({ long }) => `${reference}:1: "${title}" lacks ${long}`)
    if (command.commands.length > 0) return command.commands.flatMap(missing)
    return section === undefined ? [`${reference}:1: "${title}" is missing`] : flags
  }
  return (await commandLine()).commands.flatMap(missing)
}

export function unknownScripts(documents: readonly Document[]): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  return shownIn(documents, /^npm (run |start|test)/).flatMap(({ place, line }) => {
    const [, run, plain] = /^npm (?:run (\S+)|(\S+))/.exec(line) ?? []
    const name = run ?? plain ?? ''
    return Object.hasOwn(scripts, name) ? [] : [`${place}: there is no npm script "${name}"`]
  })
}
