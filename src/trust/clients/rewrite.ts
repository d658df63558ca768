/**
 * Putting Sekisho before one server in the text of a configuration, and taking it away again. Only the members that say what is
 * started change. The result is read again before anybody gets it: when it is not the old file with exactly that change, the
 * entry is left alone.
 */
import { isDeepStrictEqual } from 'node:util'
import { FileRefused, readTree } from './config-file.ts'
import type { Dialect } from './dialects.ts'
import { applied, insertedBefore, listText, prepended, removed, renamed, replacement, withoutFirst } from './edits.ts'
import { commandOf, commandPaths, urlMember } from './entries.ts'
import { guardFormIn, type Launcher, quoted } from './guarded.ts'
import {
  changedAt,
  isMap,
  type MapNode,
  type Member,
  memberOf,
  type Node,
  nodeAt,
  type Path,
  type PlainMap,
  type Tree,
  valueAt,
} from './tree.ts'

/** What has to be known to undo a change exactly as it was written. Sources are pieces of the file, secrets included. */
export type Undo =
  | {
      readonly kind: 'local'
      /** The program, with its quotes. Undefined where program and arguments are one list. */
      readonly program?: string
      /** The arguments where there were none to put ours before: a list without items, or null for no member at all. */
      readonly args?: string | null
    }
  | {
      readonly kind: 'remote'
      /** The member with the URL, whole. */
      readonly url: string
      readonly key: string
      readonly value: string
      /** The value of `type`, where there is one, as it is written and as it is read. */
      readonly type?: { readonly source: string; readonly value: unknown }
    }

export type Rewritten =
  | { readonly kind: 'changed'; readonly tree: Tree; readonly undo: Undo }
  /** A sentence without a subject: "has headers, …". */
  | { readonly kind: 'left'; readonly why: string }

const left = (why: string): Rewritten => ({ kind: 'left', why })

/**
 * Sekisho before a server: {@link guardWords} before its command, or in place of a remote one, which Sekisho then calls. Done
 * only when undoing it gives back every byte.
 */
export function wrapEntry(tree: Tree, path: Path, dialect: Dialect, words: readonly string[], isRemote: boolean): Rewritten {
  const result = (isRemote ? wrapRemote : wrapLocal)(tree, path, dialect, words)
  if (result.kind === 'left') return result
  const back = unwrap(result.tree, path, dialect, result.undo, words.slice(0, words.indexOf('run')))
  return back.kind === 'changed' && back.tree.text === tree.text
    ? result
    : left('is written in a way that could not be given back exactly')
}

function wrapLocal(tree: Tree, path: Path, dialect: Dialect, words: readonly string[]): Rewritten {
  const found = entryAt(tree, path, dialect)
  if (typeof found === 'string') return left(found)
  const { entry, program, args, argsNode } = found
  const [first = '', ...rest] = words
  if (program.kind === 'list') {
    if (program.items.length === 0) return left('has an empty command')
    const now = [...words, ...(valueAt(entry, found.paths.program) as unknown[])]
    const text = applied(tree.text, [prepended(tree, program, words)])
    return checked(tree, text, path, (value) => changedAt(value, found.paths.program, () => now), { kind: 'local' })
  }
  const source = tree.text.slice(program.start, program.end)
  const before = [...rest, String(valueAt(entry, found.paths.program))]
  const given = valueAt(entry, found.paths.args)
  const edits = [replacement(program, quoted(first))]
  let undo: Undo = { kind: 'local', program: source }
  if (args === undefined || argsNode === undefined) {
    const { map, member } = found.holder
    edits.push(insertedBefore(tree, map, member, 'args', listText(before)))
    undo = { ...undo, args: null }
  } else {
    edits.push(prepended(tree, argsNode, before))
    if (argsNode.items.length === 0) undo = { ...undo, args: tree.text.slice(argsNode.start, argsNode.end) }
  }
  const now = [...before, ...(Array.isArray(given) ? given : [])]
  const change = (value: unknown): unknown =>
    changedAt(
      changedAt(value, found.paths.program, () => first),
      found.paths.args,
      () => now,
    )
  return checked(tree, applied(tree.text, edits), path, change, undo)
}

/** Members of a remote server that mean the same for one that the client starts, or nothing to it. */
const harmless = [
  ...[
    'name',
    'type',
    'enabled',
    'disabled',
    'timeout',
    'description',
    'trust',
    'tools',
    'source',
    'gallery',
    'version',
    'bundled',
  ],
  ...['autoApprove', 'alwaysAllow', 'disabledTools', 'includeTools', 'excludeTools', 'available_tools', 'display_name'],
  ...['startup_timeout_sec', 'startup_timeout_ms', 'tool_timeout_sec', 'enabled_tools', 'disabled_tools', 'required'],
]

function wrapRemote(tree: Tree, path: Path, dialect: Dialect, words: readonly string[]): Rewritten {
  const entry = valueAt(tree.plain, path)
  const node = nodeAt(tree.root, path)
  const key = isMap(entry) ? urlMember(entry, dialect) : undefined
  const member = node?.kind === 'map' && key !== undefined ? memberOf(node, key) : undefined
  if (!isMap(entry) || node?.kind !== 'map' || member === undefined) return left(notEditable(node))
  const strange = Object.keys(entry).find((name) => name !== key && !harmless.includes(name))
  if (strange !== undefined)
    return left(
      `has "${strange}", which "sekisho run" cannot take over; put the server behind a gateway of its own: sekisho start`,
    )
  const whole = [...words, String(entry[member.key])]
  const isList = dialect.commandIsList === true
  const [first = '', ...rest] = whole
  const edits = isList
    ? [renamed(tree, member, dialect.command, listText(whole))]
    : [insertedBefore(tree, node, member, 'args', listText(rest)), renamed(tree, member, dialect.command, quoted(first))]
  const type = memberOf(node, 'type')
  if (type !== undefined) edits.push(replacement(type.value, quoted(dialect.local)))
  const undo: Undo = {
    kind: 'remote',
    key: member.key,
    value: String(entry[member.key]),
    url: tree.text.slice(member.start, member.value.end),
    ...(type && { type: { source: tree.text.slice(type.value.start, type.value.end), value: entry['type'] } }),
  }
  const change = (value: unknown): unknown => {
    const { [member.key]: _, ...others } = value as PlainMap
    const command = isList ? { [dialect.command]: whole } : { [dialect.command]: first, args: rest }
    return map(others, command, type !== undefined && { type: dialect.local })
  }
  return checked(tree, applied(tree.text, edits), path, change, undo)
}

/** A server without Sekisho. Without `undo` it is put together from what the entry says, which a remote one does not say. */
export function unwrap(tree: Tree, path: Path, dialect: Dialect, undo: Undo | undefined, launcher: Launcher): Rewritten {
  const found = entryAt(tree, path, dialect)
  if (typeof found === 'string') return left(found)
  const guarded = guardFormIn(commandOf(found.entry, dialect) ?? [], launcher)
  if (guarded === undefined) return left('does not go through Sekisho')
  const isAsWritten = undo?.kind === 'remote' && guarded.inner.length === 1 && guarded.inner[0] === undo.value
  if (isAsWritten) return unwrapRemote(tree, path, dialect, undo, found)
  if (/^https?:\/\//i.test(guarded.inner[0] ?? ''))
    return left('was a remote server, and how it was written is not known any more')
  const { program, argsNode, paths, holder } = found
  const kept = undo?.kind === 'local' ? undo : { kind: 'local' as const }
  if (program.kind === 'list') {
    const text = applied(tree.text, [withoutFirst(program, guarded.lead)])
    return checked(
      tree,
      text,
      path,
      (value) => changedAt(value, paths.program, (words) => (words as unknown[]).slice(guarded.lead)),
      kept,
    )
  }
  const count = guarded.lead // the program itself is the first of them, and the server's program follows
  const rest = (argsNode?.items.length ?? 0) - count
  const source = isSame(tree, kept.program, guarded.inner[0] as string)
    ? (kept.program as string)
    : quoted(guarded.inner[0] as string)
  const edits = [replacement(program, source)]
  const isGone = rest === 0 && kept.args === null
  if (isGone) edits.push(...[removed(holder.map, 'args')].filter((edit) => edit !== undefined))
  else if (argsNode !== undefined && rest === 0) edits.push(replacement(argsNode, kept.args ?? '[]'))
  else if (argsNode !== undefined) edits.push(withoutFirst(argsNode, count))
  const change = (value: unknown): unknown => {
    const changed = changedAt(value, paths.program, () => guarded.inner[0])
    if (!isGone) return changedAt(changed, paths.args, (words) => (words as unknown[]).slice(count))
    return changedAt(changed, paths.args.slice(0, -1), (holder) => map(without(holder as PlainMap, 'args')))
  }
  return checked(tree, applied(tree.text, edits), path, change, kept)
}

function unwrapRemote(tree: Tree, path: Path, dialect: Dialect, undo: Undo & { kind: 'remote' }, found: Entry): Rewritten {
  const { map: node, member } = found.holder
  const edits = [replacement({ start: member.start, end: member.value.end }, undo.url)]
  const args = found.argsNode === undefined ? undefined : removed(node, 'args')
  if (args !== undefined) edits.push(args)
  const type = memberOf(node, 'type')
  if (type !== undefined && undo.type !== undefined) edits.push(replacement(type.value, undo.type.source))
  const change = (value: unknown): unknown => {
    const rest = without(value as PlainMap, dialect.command, 'args')
    return map(rest, { [undo.key]: undo.value }, type !== undefined && undo.type !== undefined && { type: undo.type.value })
  }
  return checked(tree, applied(tree.text, edits), path, change, undo)
}

const without = (value: PlainMap, ...keys: readonly string[]): PlainMap =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
const map = (...parts: readonly (PlainMap | false)[]): PlainMap => Object.assign(Object.create(null), ...parts)

/** Whether a piece of source says `value` in this format. */
function isSame({ format }: Tree, source: string | undefined, value: string): boolean {
  if (source === undefined) return false
  const text = { json: source, toml: `value = ${source}`, yaml: `value: ${source}` }[format]
  try {
    const { plain } = readTree(format, text)
    return (format === 'json' ? plain : valueAt(plain, ['value'])) === value
  } catch {
    return false
  }
}

interface Entry {
  readonly entry: PlainMap
  readonly paths: { readonly program: Path; readonly args: Path }
  readonly program: Node
  readonly args: Node | undefined
  readonly argsNode: (Node & { kind: 'list' }) | undefined
  /** The map that holds the program, and the program's member of it. */
  readonly holder: { readonly map: MapNode; readonly member: Member }
}

/** The parts of an entry that say what is started, or why they cannot be touched. */
function entryAt(tree: Tree, path: Path, dialect: Dialect): Entry | string {
  const entry = valueAt(tree.plain, path)
  const node = nodeAt(tree.root, path)
  if (!isMap(entry) || node?.kind !== 'map') return notEditable(node)
  const paths = commandPaths(entry, dialect)
  const holder = nodeAt(node, paths.program.slice(0, -1))
  const member = holder?.kind === 'map' ? memberOf(holder, paths.program.at(-1) as string) : undefined
  const args = nodeAt(node, paths.args)
  if (holder?.kind !== 'map' || member === undefined) return notEditable(holder)
  const program = member.value
  if (args === undefined && holder.members.some(({ key }) => key === 'args')) return 'names "args" twice'
  if (args !== undefined && args.kind !== 'list') return 'has arguments that are not a list'
  const rigid = [node, holder, program, args].find((part) => part?.rigid !== undefined)?.rigid
  if (rigid !== undefined) return `is written with ${rigid}, which cannot be changed in one place alone`
  return { entry, paths, program, args, argsNode: args, holder: { map: holder, member } }
}

const notEditable = (node: Node | undefined): string =>
  `is written in a way that cannot be changed in one place alone${node?.rigid === undefined ? '' : ` (${node.rigid})`}`

/** The new text, if it says what it should: this entry changed as meant, and everything else as it was. */
function checked(tree: Tree, text: string, path: Path, change: (value: unknown) => unknown, undo: Undo): Rewritten {
  try {
    const next = { ...readTree(tree.format, text), ...(tree.cameWith && { cameWith: tree.cameWith }) }
    if (isDeepStrictEqual(next.plain, changedAt(tree.plain, path, change))) return { kind: 'changed', tree: next, undo }
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
  }
  return left('is written in a way that a change would break')
}
