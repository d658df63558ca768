/** What wrapping or unwrapping would do to one file: the text afterwards, and a word on each server. Changes nothing. */
import { isLoopback } from '../../lib/loopback.ts'
import type { Dialect } from './dialects.ts'
import { entriesOf, type FoundServer, type Place } from './entries.ts'
import { isPlaceholder } from './findings.ts'
import { type Called, guardFormIn, guardOf, guardWords, type Launcher, startsSekisho, turnedBy } from './guarded.ts'
import type { Kept, KeptEntry } from './kept.ts'
import type { Platform } from './known.ts'
import { programOf } from './launchers.ts'
import { type Rewritten, unwrap, wrapEntry } from './rewrite.ts'
import type { Tree } from './tree.ts'

export interface Outcome {
  readonly server: string
  readonly project?: string
  readonly at?: Place
  /** `already`: it is as it was to become. `left`: it could not, and `why` says so, as a sentence without its subject. */
  readonly kind: 'wrapped' | 'unwrapped' | 'already' | 'left'
  readonly why?: string
  /** What the client starts, or calls, before and after. Secrets that stood there stand here. */
  readonly before?: readonly string[]
  readonly after?: readonly string[]
}

export interface Plan {
  readonly tree: Tree
  /** Of the servers that go through Sekisho afterwards, and that we know how to undo. */
  readonly entries: readonly KeptEntry[]
  readonly outcomes: readonly Outcome[]
}

export interface Wrapping {
  readonly launcher: Launcher
  readonly platform: Platform
  /** What a server is called in the log, and what is approved of it hangs on. */
  called(name: string, words: readonly string[]): Called
  /** Whether there is a secret in a URL. */
  isSecret(url: string): boolean
}

export function planWrap(tree: Tree, dialect: Dialect, isAsked: (server: FoundServer) => boolean, wrapping: Wrapping): Plan {
  let now = tree
  const entries: KeptEntry[] = []
  const outcomes = entriesOf(tree, dialect)
    .servers.filter(isAsked)
    .map((server): Outcome => {
      const before = wordsOf(server)
      const common = { ...named(server), before }
      if (guardOf(server, wrapping.launcher) !== undefined)
        return { ...common, kind: 'already', ...otherCopy(before, wrapping.launcher) }
      const unfit = server.url === undefined ? unfitCommand(server, wrapping) : unfitUrl(server, wrapping)
      if (unfit !== undefined) return { ...common, kind: 'left', why: unfit }
      const words = guardWords(wrapping.launcher, wrapping.called(server.name, before))
      const result = wrapEntry(now, server.path, dialect, words, server.url !== undefined)
      if (result.kind === 'left') return { ...common, kind: 'left', why: result.why }
      now = result.tree
      entries.push({ name: server.name, path: server.path, undo: result.undo })
      return { ...common, kind: 'wrapped', after: [...words, ...before] }
    })
  return { tree: now, entries, outcomes }
}

export function planUnwrap(
  tree: Tree,
  dialect: Dialect,
  isAsked: (server: FoundServer) => boolean,
  kept: Kept | undefined,
  launcher: Launcher,
): Plan {
  let now = tree
  const known = kept?.entries ?? []
  /** Where what we wrote is gone. What comes out may look like it, and is not ours. */
  const bare = new Set<string>()
  const servers = entriesOf(tree, dialect).servers
  const isWrapped = (server: FoundServer): boolean => {
    if (entryOf(server, known) !== undefined) return guardFormIn(wordsOf(server), launcher) !== undefined
    return guardOf(server, launcher)?.isOurs === true
  }
  const guarded = servers.filter(isWrapped)
  const outcomes = guarded.filter(isAsked).map((server): Outcome => {
    const before = wordsOf(server)
    const undo = (entryOf(server, known) ?? copyOf(before, known, launcher))?.undo
    const result: Rewritten = unwrap(now, server.path, dialect, undo, launcher)
    if (result.kind === 'left') return { ...named(server), before, kind: 'left', why: result.why }
    now = result.tree
    bare.add(JSON.stringify(server.path))
    return { ...named(server), before, kind: 'unwrapped', after: guardFormIn(before, launcher)?.inner ?? [] }
  })
  const changed = known
    .filter((entry) => !guarded.some((server) => entryOf(server, [entry]) !== undefined))
    .map((entry): Outcome => ({ server: entry.name, kind: 'already', why: 'is not wrapped any more' }))
  const entries = entriesOf(now, dialect)
    .servers.filter((server) => !bare.has(JSON.stringify(server.path)) && isWrapped(server))
    .map((server) => entryOf(server, known))
    .filter((entry) => entry !== undefined)
  return { tree: now, entries, outcomes: [...outcomes, ...changed] }
}

const named = ({ name, project, at }: FoundServer) => ({ server: name, ...(project !== undefined && { project }), at })

const wordsOf = ({ command, args, url }: FoundServer): readonly string[] =>
  command === undefined ? [url ?? ''] : [command, ...args]

/** By name, in the same place of the file: the number of an item in a list may have changed. */
const entryOf = ({ name, path }: FoundServer, entries: readonly KeptEntry[]): KeptEntry | undefined =>
  entries.find((entry) => entry.name === name && String(entry.path.slice(0, -1)) === String(path.slice(0, -1)))

/** Of an entry that somebody copied: a remote server of the same URL was written in the same way. */
function copyOf(words: readonly string[], entries: readonly KeptEntry[], launcher: Launcher): KeptEntry | undefined {
  const [url] = guardFormIn(words, launcher)?.inner ?? []
  return entries.find(({ undo }) => undo.kind === 'remote' && undo.value === url)
}

/** After a move or an update the words of before may start nothing any more. */
const otherCopy = (words: readonly string[], launcher: Launcher): { why?: string } =>
  launcher.every((word, at) => word === words[at])
    ? {}
    : { why: 'goes through another copy of Sekisho; for this one: sekisho unwrap, then sekisho wrap' }

const windowsScripts = ['npx', 'npm', 'pnpm', 'pnpx', 'yarn', 'bunx']

/** Why a command would not start any more with Sekisho before it. */
function unfitCommand(server: FoundServer, { launcher, platform }: Wrapping): string | undefined {
  const words = wordsOf(server)
  const [program = '', ...args] = words
  if (startsSekisho(server, launcher)) return 'is Sekisho itself'
  const turned = turnedBy(server)
  if (turned !== undefined)
    return `sets ${turned}, with which the project would decide what Sekisho does or where it keeps its pins; write it into a file of your own`
  if (program.startsWith('~')) return 'has a command that begins with "~", which only the client follows; write the whole path'
  if (args.length === 0 && /\s/.test(program.trim()) && !/[\\/]/.test(program.split(/\s/)[0] ?? ''))
    return 'has program and arguments in one text, which only a shell takes apart; write the arguments under "args"'
  if (platform === 'win32' && windowsScripts.includes(programOf(words)) && !/\.exe$/i.test(program))
    return `starts a script, which Windows does through a shell only; write "cmd", and "/c" and "${programOf(words)}" before the arguments`
  return undefined
}

/** Why `sekisho run -- URL` would not reach it. */
function unfitUrl(server: FoundServer, { isSecret }: Wrapping): string | undefined {
  const url = server.url ?? ''
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (server.name.toLowerCase() === 'sekisho') return 'is Sekisho itself'
  if (isPlaceholder(url)) return 'has a URL with a place that only the client fills in'
  if (server.headers.names.length > 0)
    return `has headers (${server.headers.names.join(', ')}), which "sekisho run" cannot send; put the server behind a gateway of its own: sekisho start`
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || url.includes('#')) return 'has no URL that can be called'
  if (isSecret(url) || parsed.username !== '' || parsed.password !== '')
    return 'has a secret in its URL, and every program on this machine can read the words that a program is started with'
  if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname))
    return 'is called without TLS, which Sekisho does not do; write https'
  return undefined
}
