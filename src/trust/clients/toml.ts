/**
 * TOML 1.0 with the place of every value. What a file says, smol-toml decides; this only finds where it says it, and is not
 * believed when the two differ.
 */
import { isDeepStrictEqual } from 'node:util'
import { parse, TomlError } from 'smol-toml'
import { depthMax, type Item, type Member, type Node, plain, plainOf, type Tree, Unreadable } from './tree.ts'

export function readToml(text: string): Tree {
  const value = plain(values(text))
  const root = located(text)
  if (root === undefined || !isDeepStrictEqual(value, plainOf(root)))
    throw new Unreadable('its values could not be found in the text', 0)
  return { format: 'toml', text, root, plain: value }
}

function located(text: string): Node | undefined {
  try {
    return new Locator(text).document()
  } catch (error) {
    if (error instanceof TomlError) return undefined
    throw error
  }
}

function values(text: string): unknown {
  try {
    return parse(text, { maxDepth: depthMax, integersAsBigInt: 'asNeeded' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const lines = text.split('\n').slice(0, error.line - 1)
    const offset = lines.reduce((sum, line) => sum + line.length + 1, 0) + error.column - 1
    throw new Unreadable(error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? 'not TOML', offset)
  }
}

interface Table {
  readonly kind: 'map'
  readonly block: boolean
  readonly start: number
  end: number
  readonly members: Member[]
}
interface KeyPart {
  readonly name: string
  readonly start: number
}

/** Reads what smol-toml has accepted, so that it needs not check anything. */
class Locator {
  readonly #text: string
  readonly #root: Table
  /** Members by their names: a file may have very many tables. */
  readonly #members = new Map<Table, Map<string, Node>>()
  #at = 0
  /** The tables that the lines after a header lengthen: its own, and those around it that end where it begins. */
  #open: readonly Table[] = []
  constructor(text: string) {
    this.#text = text
    this.#root = { kind: 'map', block: true, start: 0, end: text.length, members: [] }
  }

  document(): Node {
    let table = this.#root
    for (this.#blank(); this.#at < this.#text.length; this.#blank()) {
      if (this.#text[this.#at] === '[') table = this.#header()
      else this.#pair(table)
      for (const open of this.#open) open.end = this.#at
    }
    return this.#root
  }

  /** `[a.b]` or `[[a.b]]`: the table that the lines after it belong to. */
  #header(): Table {
    const start = this.#at
    const isList = this.#text.startsWith('[[', start)
    this.#at += isList ? 2 : 1
    const keys = this.#key()
    this.#at = this.#text.indexOf(']', this.#at) + (isList ? 2 : 1)
    const isAdjoining = ({ end }: Table): boolean => end === this.#at || this.#open.some((open) => open.end === end)
    let table = this.#root
    const around: Table[] = []
    for (const { name } of keys.slice(0, -1)) around.push((table = this.#into(table, name, start)))
    const { name } = keys.at(-1) as KeyPart
    const own = isList ? this.#itemOf(table, name, start) : this.#into(table, name, start)
    this.#open = [...around.filter(isAdjoining), own]
    return own
  }

  #itemOf(table: Table, name: string, start: number): Table {
    const made: Table = { kind: 'map', block: true, start, end: this.#at, members: [] }
    const list = this.#find(table, name)
    const item = { lead: start, node: made }
    if (list?.kind === 'list') (list.items as Item[]).push(item)
    else {
      const value: Node = { kind: 'list', block: true, start, end: this.#at, items: [item] }
      this.#add(table, { key: name, start, prefix: '', value })
    }
    return made
  }

  #into(table: Table, name: string, start: number): Table {
    const known = this.#find(table, name)
    if (known?.kind === 'list') return known.items.at(-1)?.node as Table
    if (known?.kind === 'map') return known as Table
    const made: Table = { kind: 'map', block: true, start, end: this.#at, members: [] }
    this.#add(table, { key: name, start, prefix: '', value: made })
    return made
  }

  #find(table: Table, name: string): Node | undefined {
    return this.#members.get(table)?.get(name)
  }

  #add(table: Table, member: Member): void {
    table.members.push(member)
    let known = this.#members.get(table)
    if (known === undefined) this.#members.set(table, (known = new Map()))
    known.set(member.key, member.value)
  }

  /** `a.b = value`. */
  #pair(table: Table): void {
    const keys = this.#key()
    this.#at = this.#text.indexOf('=', this.#at) + 1
    this.#space()
    const value = this.#value()
    const start = (keys[0] as KeyPart).start
    const last = keys.at(-1) as KeyPart
    let into = table
    for (const { name } of keys.slice(0, -1)) into = this.#into(into, name, start)
    if (into !== this.#root) into.end = value.end
    this.#add(into, { key: last.name, start, prefix: this.#text.slice(start, last.start), value })
  }

  #key(): KeyPart[] {
    const parts: KeyPart[] = []
    do {
      if (parts.length > 0) this.#at++
      this.#space()
      const start = this.#at
      const quote = this.#text[start]
      if (quote === '"' || quote === "'") this.#quoted(quote)
      else this.#at += /^[\w-]*/.exec(this.#text.slice(start, start + 10_000))?.[0].length ?? 0
      const [name = ''] = Object.keys(parse(`${this.#text.slice(start, this.#at)} = 0`))
      parts.push({ name, start })
      this.#space()
    } while (this.#text[this.#at] === '.')
    return parts
  }

  #value(): Node {
    const start = this.#at
    const sign = this.#text[start]
    if (sign === '[') return this.#list()
    if (sign === '{') return this.#inlineTable()
    if (sign === '"' || sign === "'") this.#quoted(sign)
    else this.#at += /^[^\s,\]}#]*( \d[^\s,\]}#]*)?/.exec(this.#text.slice(start, start + 1000))?.[0].length ?? 0
    const source = this.#text.slice(start, this.#at)
    if (source === '') throw new Unreadable('a value is missing', start)
    const { value } = parse(`value = ${source}`, { integersAsBigInt: 'asNeeded' })
    return { kind: 'scalar', start, end: this.#at, value: plain(value) }
  }

  #list(): Node {
    const start = this.#at++
    const items: Item[] = []
    for (this.#separators(); this.#text[this.#at] !== ']'; this.#separators()) items.push({ lead: this.#at, node: this.#value() })
    return { kind: 'list', block: false, start, items, end: ++this.#at }
  }

  #inlineTable(): Node {
    const table: Table = { kind: 'map', block: false, start: this.#at++, end: 0, members: [] }
    for (this.#separators(); this.#text[this.#at] !== '}'; this.#separators()) this.#pair(table)
    table.end = ++this.#at
    return table
  }

  #quoted(quote: string): void {
    const triple = quote.repeat(3)
    const text = this.#text
    if (text.startsWith(triple, this.#at)) {
      let end = this.#at + 3
      while (!text.startsWith(triple, end)) end += quote === '"' && text[end] === '\\' ? 2 : 1
      while (text[end + 3] === quote) end++ // up to two quotes may stand before the closing three
      this.#at = end + 3
      return
    }
    let end = this.#at + 1
    while (text[end] !== quote) end += quote === '"' && text[end] === '\\' ? 2 : 1
    this.#at = end + 1
  }

  #space(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++
  }

  /** White space, line ends and comments. */
  #blank(): void {
    this.#skip(/(?:[ \t\r\n]+|#[^\n]*)*/y)
  }

  #separators(): void {
    this.#skip(/(?:[ \t\r\n,]+|#[^\n]*)*/y)
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at
    pattern.exec(this.#text)
    this.#at = pattern.lastIndex
  }
}
