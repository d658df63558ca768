/**
 * The YAML layer: text in, plain values and the place of each out. YAML can say one thing in many ways and some of them
 * are traps, so only the plain ones are read: one document, no tags, unique text keys, few aliases, bounded size and depth.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from 'yaml'
import type { Complaint, Path } from './problem.ts'

export interface Place {
  readonly line: number
  readonly column: number
}
export interface ConfigDocument {
  readonly value: unknown
  readonly complaints: readonly Complaint[]
  /** Faults of the YAML itself, which have places of their own. */
  readonly faults: readonly (Place & { message: string; fix: string })[]
  place(path: Path, at: 'key' | 'value'): Place
}

export const textMax = 1_048_576
const depthMax = 32
const aliasMax = 20
const faultsMax = 20
/** With `logLevel: 'silent'` the package would not complain about a second document, and its rules would be lost. */
const options = {
  strict: true,
  uniqueKeys: true,
  version: '1.2',
  schema: 'core',
  merge: false,
  prettyErrors: false,
  logLevel: 'error',
} as const
const start: Place = { line: 1, column: 1 }
const refused = (message: string, fix: string, place = start): ConfigDocument => ({
  value: undefined,
  complaints: [],
  faults: [{ ...place, message, fix }],
  place: () => start,
})

/** Never throws. */
export function readDocument(text: string): ConfigDocument {
  if (text.length > textMax) return refused(`is longer than ${textMax} characters`, 'split it: one gateway needs far less')
  const lines = new LineCounter()
  try {
    return read(text, lines)
  } catch (error) {
    // The parser recurses: a few thousand brackets exhaust the stack, and an alias of an alias its patience.
    const reason = error instanceof RangeError ? 'it is nested too deep' : error instanceof Error ? error.message : 'unknown'
    return refused(`cannot be read: ${reason}`, 'write plain YAML')
  }
}

function read(text: string, lines: LineCounter): ConfigDocument {
  const document = parseDocument(text, { ...options, lineCounter: lines })
  const placeOf = (offset: number | undefined): Place => {
    const { line, col } = lines.linePos(offset ?? 0)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const broken = [...document.errors, ...document.warnings].map((error) => ({
    ...placeOf(error.pos[0]),
    message: sentence(error.message),
    fix: error.code === 'DUPLICATE_KEY' ? 'keep one of the two' : 'correct the YAML',
  }))
  const tab = document.errors.find(({ code }) => code === 'TAB_AS_INDENT')
  if (tab !== undefined) return refused('is indented with a tab, which YAML does not allow', 'use spaces', placeOf(tab.pos[0]))
  if (broken.length > 0) return { ...refused('', ''), faults: broken.slice(0, faultsMax) }
  const root = document.contents as Node | null
  const complaints: Complaint[] = []
  examine(root, [], [], document, complaints)
  const follow = (node: unknown): unknown => (isAlias(node) ? (node as Alias).resolve(document) : node)
  return {
    value: complaints.length > 0 ? undefined : document.toJS({ maxAliasCount: aliasMax }),
    complaints,
    faults: [],
    place(path, at) {
      let node: unknown = root
      let best = root?.range?.[0]
      for (const [index, part] of path.entries()) {
        const holder = follow(node)
        const pair = isMap(holder) ? holder.items.find((item) => keyText(item) === String(part)) : undefined
        node = pair ? pair.value : isSeq(holder) ? holder.items[Number(part)] : undefined
        if (node === undefined) break
        const key = pair?.key as Node | undefined
        const isKey = at === 'key' && index === path.length - 1
        best = (isKey ? key?.range?.[0] : (node as Node | null)?.range?.[0]) ?? key?.range?.[0] ?? best
      }
      return placeOf(best)
    },
  }
}

const keyText = (pair: Pair): string | undefined => (isScalar(pair.key) ? String(pair.key.value) : undefined)
const sentence = (message: string): string => (message.split('\n')[0] as string).replace(/^./, (first) => first.toLowerCase())

/** What is YAML but not plain. `around`: the nodes that this one is in; an alias of one of them would never end. */
function examine(node: unknown, path: Path, around: readonly unknown[], document: Document, complaints: Complaint[]): void {
  const complain = (message: string, fix: string, where: Path = path, at: 'key' | 'value' = 'value') =>
    complaints.push({ path: where, message, fix, at })
  if (path.length > depthMax) return void complain(`is nested more than ${depthMax} levels deep`, 'nothing here needs that')
  if (isScalar(node) || isMap(node) || isSeq(node)) {
    if (node.tag !== undefined) complain('has a YAML tag, and none is read', `remove "${node.tag.slice(0, 40)}"`)
  }
  if (isAlias(node) && around.includes(node.resolve(document)))
    complain('is an alias of something that it is part of', 'write it out')
  const within = [...around, node]
  if (isSeq(node)) for (const [index, item] of node.items.entries()) examine(item, [...path, index], within, document, complaints)
  if (!isMap(node)) return
  for (const pair of node.items) {
    const key = isScalar(pair.key) ? pair.key.value : undefined
    if (typeof key !== 'string') complain('has a key that is not text', 'write the key in quotes')
    else if (key === '__proto__') complain('is never accepted as a key', 'remove it', [...path, key], 'key')
    else examine(pair.value, [...path, key], within, document, complaints)
  }
}
