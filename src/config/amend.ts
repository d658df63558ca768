/**
 * Adds to a configuration that people keep in git: what is new is put in, and every byte that was there stays. A document
 * may be written as JSON is, in blocks, or partly so; what is added is written as its surroundings are.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Document, isCollection, isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml'

/** A path in the document, and what is to stand there: an entry of a map, or one more item of a list. */
export type Addition =
  | { readonly under: readonly string[]; readonly key: string; readonly value: unknown }
  | { readonly under: readonly string[]; readonly item: unknown }

/**
 * The text with the addition in it. Maps on the way are made where they are missing. Throws for what is in the way, and rather
 * than hand out a text that says anything else than it did, with the addition.
 */
export function withAddition(text: string, addition: Addition): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const document = parseDocument(text, { keepSourceTokens: false })
  const { at, piece } = insertion(text, document, addition)
  const after = text.slice(0, at) + piece.replaceAll('\n', newline) + text.slice(at)
  if (!isDeepStrictEqual(saidBy(parseDocument(after)), withThat(saidBy(document), addition))) throw new Error(byHand(addition))
  return after
}

/** Undefined where it is no YAML. */
const saidBy = (document: Document): unknown => (document.errors.length > 0 ? undefined : (document.toJS() ?? {}))

/** What the document is to say afterwards. */
function withThat(said: unknown, { under, ...what }: Addition): unknown {
  const [step, ...rest] = under
  if (step === undefined)
    return 'key' in what
      ? { ...(said as object | null), [what.key]: what.value }
      : [...((said as unknown[] | null) ?? []), what.item]
  const holder = said as Readonly<Record<string, unknown>> | null
  return { ...holder, [step]: withThat(holder?.[step], { under: rest, ...what }) }
}

function byHand({ under, ...what }: Addition): string {
  const [first = '', ...rest] = under
  const value = rest.reduceRight<unknown>(
    (made, step) => ({ [step]: made }),
    'key' in what ? { [what.key]: what.value } : [what.item],
  )
  return `the document is written in a way that nothing can be added to safely; add this by hand:\n${block({ key: first, value }, '')}`
}

interface Insertion {
  readonly at: number
  readonly piece: string
}

function insertion(text: string, document: Document, { under, ...what }: Addition): Insertion {
  let place = document.contents as Node | null
  let depth = 0
  for (; depth < under.length && isMap(place); depth++) {
    const next: Node | null | undefined = (place as YAMLMap<unknown, Node | null>).get(under[depth], true)
    if (next === undefined || (next !== null && isNothing(next))) break
    place = next
  }
  const missing = under.slice(depth)
  const [key, ...inner] = missing
  if (key === undefined) return into(text, place, what)
  const value = inner.reduceRight<unknown>(
    (made, name) => ({ [name]: made }),
    'key' in what ? { [what.key]: what.value } : [what.item],
  )
  return into(text, place, { key, value })
}

/** A key without a value is as good as none, but the key stands there already. */
const isNothing = (node: Node): boolean => isScalar(node) && node.value === null

type What = { readonly key: string; readonly value: unknown } | { readonly item: unknown }

function into(text: string, place: Node | null, what: What): Insertion {
  if (place === null) return { at: text.length, piece: startOfLine(text) + block(what, '') }
  if (!isCollection(place) || ('key' in what ? !isMap(place) : !isSeq(place)))
    throw new Error(`there is no ${'key' in what ? 'map' : 'list'} in line ${lineAt(text, place.range?.[0] ?? 0)} to add to`)
  if ('key' in what) {
    const empty = (place as YAMLMap<unknown, unknown>).items.find((pair) => keyOf(pair) === what.key)
    if (empty !== undefined) return afterKey(text, empty, what)
  }
  const [start, end] = place.range as [number, number, number]
  if (place.flow === true || text[start] === '{' || text[start] === '[') {
    const closing = end - 1
    const before = text.slice(start + 1, closing).trimEnd()
    const isFirst = place.items.length === 0
    const rest = text.slice(isFirst ? start + 1 : lastOf(place, true), closing)
    const comma = isFirst || rest.replace(/#.*/g, '').includes(',') ? '' : ','
    const line = rest.trimEnd().slice(rest.trimEnd().lastIndexOf('\n') + 1)
    if (line.includes('#')) {
      const indent = /(?:^|\n)([ \t]*)$/.exec(text.slice(0, closing))?.[1] ?? ''
      return { at: start + 1 + before.length, piece: `\n${indent}  ${comma}${comma && ' '}${flow(what)}` }
    }
    const pad = /\s$/.test(text.slice(0, closing)) ? '' : ' '
    return { at: start + 1 + before.length, piece: `${comma}${isFirst ? pad : ' '}${flow(what)}${isFirst ? pad : ''}` }
  }
  const indent = ' '.repeat(columnAt(text, start))
  return endOfLine(text, lastOf(place), block(what, indent))
}

/** `servers:` with nothing behind it. */
function afterKey(
  text: string,
  { key, value: none }: Pair<unknown, unknown>,
  { value }: Extract<What, { key: string }>,
): Insertion {
  const [start, end] = (key as Node).range as [number, number, number]
  if (isScalar(none) && none.source) throw new Error(`line ${lineAt(text, start)} says ${none.source}; write {} or [] there`)
  const colon = text.indexOf(':', end)
  if (text.slice(0, start).lastIndexOf('{') > text.slice(0, start).lastIndexOf('}'))
    return { at: colon + 1, piece: ` ${JSON.stringify(value)}` }
  const indent = ' '.repeat(columnAt(text, start) + 2)
  const entries = Array.isArray(value)
    ? value.map((item) => block({ item }, indent))
    : Object.entries(value as object).map(([name, one]) => block({ key: name, value: one }, indent))
  return endOfLine(text, colon + 1, entries.join(''))
}

const keyOf = ({ key }: Pair<unknown, unknown>): unknown => (isScalar(key) ? key.value : key)

/** Where the last thing in a collection ends, whatever comments follow. */
function lastOf(node: Node, isInside = false): number {
  if (!isCollection(node) || (node.flow === true && !isInside) || node.items.length === 0)
    return (node.range as [number, number, number])[1]
  const last = node.items.at(-1) as Node | Pair<Node, Node | null>
  if (isMap(node)) {
    const { key, value } = last as Pair<Node, Node | null>
    return value === null || isNothing(value) ? ((key.range as [number, number, number])[1] ?? 0) + 1 : lastOf(value)
  }
  return lastOf(last as Node)
}

function endOfLine(text: string, offset: number, piece: string): Insertion {
  if (offset > 0 && text[offset - 1] === '\n') return { at: offset, piece }
  const end = text.indexOf('\n', offset)
  return end === -1 ? { at: text.length, piece: `\n${piece}` } : { at: end + 1, piece }
}

const startOfLine = (text: string): string => (text === '' || text.endsWith('\n') ? '' : '\n')
const columnAt = (text: string, offset: number): number => offset - (text.lastIndexOf('\n', offset - 1) + 1)
const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

const flow = (what: What): string =>
  'key' in what ? `${JSON.stringify(what.key)}: ${JSON.stringify(what.value)}` : JSON.stringify(what.item)

/** An entry as a person writes it: its own keys on lines of their own, and what is in them on one line. */
function block(what: What, indent: string): string {
  if ('item' in what) return `${indent}- ${inline(what.item)}\n`
  const { key, value } = what
  if (Array.isArray(value)) return `${indent}${name(key)}:\n${value.map((item) => `${indent}  - ${inline(item)}\n`).join('')}`
  if (typeof value !== 'object' || value === null) return `${indent}${name(key)}: ${inline(value)}\n`
  const isLeaf = Object.values(value).every((one) => typeof one !== 'object' || one === null)
  const lines = Object.entries(value).map(([inner, one]) =>
    depthOf(one) > 2 ? block({ key: inner, value: one }, `${indent}  `) : `${indent}  ${name(inner)}: ${inline(one)}\n`,
  )
  return isLeaf && lines.length === 0 ? `${indent}${name(key)}: {}\n` : `${indent}${name(key)}:\n${lines.join('')}`
}

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

/** JSON is YAML; keys are bare where nothing speaks against it. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' && bare.test(value) && !taken.test(value) ? value : JSON.stringify(value)
  const pairs = Object.entries(value).map(([key, one]) => `${name(key)}: ${inline(one)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

const bare = /^[A-Za-z][\w/-]*$/
const taken = /^(true|false|null|yes|no|on|off|y|n)$/i
const name = (key: string): string => (bare.test(key) && !taken.test(key) ? key : JSON.stringify(key))
