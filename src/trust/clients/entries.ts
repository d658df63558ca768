/** The servers that a configuration names, in one form for all clients. */
import { inspect } from 'node:util'
import type { Dialect, Transport } from './dialects.ts'
import { isMap, membersOf, nodeAt, type Path, type PlainMap, placesIn, type Tree, valueAt } from './tree.ts'

export interface Place {
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly endLine: number
}

/** A problem of a file, or of one entry in it. Says nothing of what stands there. */
export interface FileProblem {
  readonly message: string
  readonly line?: number
  readonly column?: number
}

/** Variables or headers. Their values may be secrets: they print as names, and have to be asked for. */
export class Values {
  readonly #values: Readonly<Record<string, string>>
  constructor(values: Readonly<Record<string, string>>) {
    this.#values = values
  }
  get names(): readonly string[] {
    return Object.keys(this.#values)
  }
  reveal(): readonly (readonly [name: string, value: string])[] {
    return Object.entries(this.#values)
  }
  toJSON(): readonly string[] {
    return this.names
  }
  [inspect.custom](): string {
    return `[${this.names.join(', ')}]`
  }
}

export interface FoundServer {
  readonly name: string
  /** The folder that an entry in a file of the user is for. */
  readonly project?: string
  readonly transport: Transport
  /** Of a server that the client starts. Undefined for a remote one. */
  readonly command: string | undefined
  /** May hold secrets that should not be there. */
  readonly args: readonly string[]
  readonly env: Values
  readonly url: string | undefined
  readonly headers: Values
  readonly disabled: boolean
  /** Switches of the client that let the server act unasked: `trust`, `autoApprove`. */
  readonly unasked: readonly string[]
  readonly at: Place
  /** Where it stands in the file. */
  readonly path: Path
  /** As of its file: whoever wrote the project has chosen every word of it. */
  readonly cameWith?: Tree['cameWith']
}

export interface Entries {
  readonly servers: readonly FoundServer[]
  readonly problems: readonly FileProblem[]
}

/** Nobody has so many servers. Whoever writes that many wants the one that counts not to be seen among them. */
export const entriesMax = 1000

export function entriesOf(tree: Tree, dialect: Dialect): Entries {
  const servers: FoundServer[] = []
  const problems: FileProblem[] = []
  const placeIn = placesOf(tree)
  let count = 0
  for (const container of dialect.containers.flatMap((pattern) => expanded(tree.plain, pattern))) {
    for (const [name, path] of names(valueAt(tree.plain, container), container, dialect)) {
      if (++count > entriesMax) continue
      const at = placeIn(path)
      if (hasTwin(tree, path))
        problems.push({ message: `the name "${name}" stands twice; the later one counts`, line: at.line, column: at.column })
      const read = serverOf(valueAt(tree.plain, path), dialect)
      if (read === 'built-in') continue
      if (typeof read === 'string') problems.push({ message: `the server "${name}" ${read}`, line: at.line, column: at.column })
      else servers.push({ name, ...projectOf(container), ...read, at, path, ...(tree.cameWith && { cameWith: tree.cameWith }) })
    }
  }
  if (count > entriesMax) problems.unshift({ message: `it has ${count} servers, and only the first ${entriesMax} are looked at` })
  return { servers, problems }
}

function expanded(value: unknown, pattern: readonly string[], path: Path = []): Path[] {
  const [step, ...rest] = pattern
  if (step === undefined) return [path]
  if (!isMap(value)) return []
  const keys = step === '*' ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : []
  return keys.flatMap((key) => expanded(value[key], rest, [...path, key]))
}

function names(container: unknown, path: Path, { listed }: Dialect): (readonly [string, Path])[] {
  if (listed && Array.isArray(container))
    return container.map((entry: unknown, at) => [wordOf(isMap(entry) ? (entry['name'] ?? at) : at), [...path, at]])
  return isMap(container) ? Object.keys(container).map((name) => [name, [...path, name]]) : []
}

const projectOf = (container: Path): { project?: string } =>
  container[0] === 'projects' && container.length === 3 ? { project: String(container[1]) } : {}

/** From the key to the last line of the entry. */
function placesOf({ root, text }: Tree): (path: Path) => Place {
  const placeOf = placesIn(text)
  return (path) => {
    const holder = nodeAt(root, path.slice(0, -1))
    const step = path.at(-1)
    const member = holder?.kind === 'map' ? membersOf(holder, String(step)).at(-1) : undefined
    const item = holder?.kind === 'list' && typeof step === 'number' ? holder.items[step] : undefined
    const [start, node] = member ? [member.start, member.value] : [item?.lead ?? 0, item?.node]
    return { ...placeOf(start), endLine: placeOf(Math.max(start, (node?.end ?? start) - 1)).line }
  }
}

function hasTwin({ root }: Tree, path: Path): boolean {
  const holder = nodeAt(root, path.slice(0, -1))
  return holder?.kind === 'map' && membersOf(holder, String(path.at(-1))).length > 1
}

type Read = Omit<FoundServer, 'name' | 'project' | 'at' | 'path' | 'cameWith'>

/** A server, or what is wrong with the entry. */
function serverOf(entry: unknown, dialect: Dialect): Read | string {
  if (!isMap(entry)) return 'is not a set of settings'
  const type = typeof entry['type'] === 'string' ? entry['type'] : ''
  if (dialect.builtIn?.includes(type)) return 'built-in'
  const common = {
    env: values(entry[dialect.env]),
    headers: values(...dialect.headers.map((path) => valueAt(entry, path))),
    disabled: entry['disabled'] === true || entry['enabled'] === false,
    unasked: unaskedOf(entry),
  }
  const words = commandOf(entry, dialect)
  if (words !== undefined && words[0] !== undefined)
    return { transport: 'stdio', command: words[0], args: words.slice(1), url: undefined, ...common }
  const member = urlMember(entry, dialect)
  if (member !== undefined) {
    const transport = /sse/i.test(type) ? 'sse' : /http/i.test(type) ? 'http' : (dialect.urls[member] as Transport)
    return { transport, command: undefined, args: [], url: entry[member] as string, ...common }
  }
  // Zed and others keep settings of an extension's server in the same place: the extension knows the command.
  return isMap(entry['settings']) || entry['source'] === 'extension' ? 'built-in' : 'has neither a command nor a URL'
}

/** The member that holds the URL. */
export const urlMember = (entry: PlainMap, { urls }: Dialect): string | undefined =>
  Object.keys(urls).find((key) => typeof entry[key] === 'string' && entry[key] !== '')

/** Program and arguments; undefined where the entry starts nothing. */
export function commandOf(entry: PlainMap, dialect: Dialect): readonly string[] | undefined {
  const { program, args } = commandPaths(entry, dialect)
  const given = valueAt(entry, program)
  if (Array.isArray(given)) return given.map(wordOf)
  if (typeof given !== 'string') return undefined
  const rest = valueAt(entry, args)
  return [given, ...(Array.isArray(rest) ? rest.map(wordOf) : [])]
}

/** Where program and arguments stand in an entry. Zed once put both under `command`. */
export function commandPaths(entry: PlainMap, { command }: Dialect): { readonly program: Path; readonly args: Path } {
  if (isMap(entry[command])) return { program: [command, 'path'], args: [command, 'args'] }
  return { program: [command], args: ['args'] }
}

function values(...given: readonly unknown[]): Values {
  const entries = given.flatMap((one) => (isMap(one) ? Object.entries(one) : []))
  return new Values(Object.fromEntries(entries.map(([name, value]) => [name, wordOf(value)])))
}

function unaskedOf(entry: PlainMap): string[] {
  const isAll = (value: unknown): boolean => value === true || (Array.isArray(value) && value.includes('*'))
  return ['trust', 'autoApprove', 'alwaysAllow'].filter((key) => isAll(entry[key]))
}

/** What should be text and is something else, as text. */
const wordOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  return typeof value === 'object' ? (JSON.stringify(value) ?? '') : String(value)
}
