/**
 * A configuration file as a tree that remembers where everything stands, whatever the format. What is changed is changed by
 * replacing a few characters at known places, so that comments, order and whitespace of others stay as they are.
 */
interface Span {
  /** Offsets into the text, in UTF-16 units. */
  readonly start: number
  readonly end: number
  /** Why this cannot be replaced by itself: an alias, an anchor, text over several lines. */
  readonly rigid?: string
}
export interface ScalarNode extends Span {
  readonly kind: 'scalar'
  readonly value: unknown
}
export interface ListNode extends Span {
  readonly kind: 'list'
  /** One entry a line, each behind a dash, as YAML has it. */
  readonly block: boolean
  readonly items: readonly Item[]
}
export interface Item {
  /** Where the item begins, with its dash. */
  readonly lead: number
  readonly node: Node
}
export interface MapNode extends Span {
  readonly kind: 'map'
  /** Members stand on lines of their own, without commas. */
  readonly block: boolean
  readonly members: readonly Member[]
}
export interface Member {
  readonly key: string
  /** Where the key begins. The member ends where its value does. */
  readonly start: number
  /** What stands before the last part of a dotted key, as in `servers.files.`. */
  readonly prefix: string
  readonly value: Node
}
export type Node = ScalarNode | ListNode | MapNode

export type Format = 'json' | 'toml' | 'yaml'
export interface Tree {
  readonly format: Format
  readonly text: string
  readonly root: Node
  /** The values alone, as the format's own reader has them. Maps have no prototype. */
  readonly plain: unknown
  /** The folder of the project that the file came with, in each way to write it. Undefined for a file of the user's own. */
  readonly cameWith?: readonly string[]
}

/** It is not what its format says. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

export const depthMax = 200

export type Path = readonly (string | number)[]

/** The node at `path`; undefined where there is none, or where a key of the path stands twice. */
export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root
  for (const step of path) {
    if (node?.kind === 'list' && typeof step === 'number') node = node.items[step]?.node
    else if (node?.kind === 'map' && typeof step === 'string') node = memberOf(node, step)?.value
    else return undefined
  }
  return node
}

/** The member called `key`; undefined where there is none, or more than one. */
export function memberOf(node: MapNode, key: string): Member | undefined {
  const found = membersOf(node, key)
  return found.length === 1 ? found[0] : undefined
}

/** Whoever writes a file can give a map very many members; looking for each of them among all would never end. */
const byKey = new WeakMap<MapNode, ReadonlyMap<string, readonly Member[]>>()

/** Every member called `key`, in the order of the text. */
export function membersOf(node: MapNode, key: string): readonly Member[] {
  let known = byKey.get(node)
  if (known === undefined) byKey.set(node, (known = Map.groupBy(node.members, (member) => member.key)))
  return known.get(key) ?? []
}

export function plainOf(node: Node): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map((item) => plainOf(item.node))
  const map: Record<string, unknown> = Object.create(null)
  for (const { key, value } of node.members) map[key] = plainOf(value)
  return map
}

/** What a format's own reader gave, in the form that {@link plainOf} gives. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return value.toISOString()
  const map: Record<string, unknown> = Object.create(null)
  for (const [key, member] of Object.entries(value)) map[key] = plain(member)
  return map
}

export type PlainMap = Readonly<Record<string, unknown>>
export const isMap = (value: unknown): value is PlainMap => typeof value === 'object' && value !== null && !Array.isArray(value)

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      Array.isArray(at) && typeof step === 'number'
        ? at[step]
        : isMap(at) && typeof step === 'string' && Object.hasOwn(at, step)
          ? at[step]
          : undefined,
    value,
  )
}

/** The values with the one at `path` changed. */
export function changedAt(value: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return change(value)
  if (Array.isArray(value)) return value.map((item, at) => (at === step ? changedAt(item, rest, change) : item))
  return Object.assign(Object.create(null), value, { [step]: changedAt((value as PlainMap)[step], rest, change) })
}

interface LineAndColumn {
  readonly line: number
  readonly column: number
}

/** Line and column, from 1, as editors count them. */
export const placeOf = (text: string, offset: number): LineAndColumn => placesIn(text)(offset)

/** As {@link placeOf}, for many places in one text. */
export function placesIn(text: string): (offset: number) => LineAndColumn {
  const starts = [0]
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  return (offset) => {
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] as number) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] as number) + 1 }
  }
}
