/**
 * JSON with comments and trailing commas, as editors write their settings (RFC 8259 otherwise), with the place of every value.
 * A reader of ours, because what we need of one is where things stand, and nothing else.
 */
import { depthMax, type Item, type Member, type Node, plainOf, type Tree, Unreadable } from './tree.ts'

export function readJsonc(text: string): Tree {
  const root = new Reader(text).document()
  return { format: 'json', text, root, plain: plainOf(root) }
}

const literals: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null }

class Reader {
  readonly #text: string
  #at = 0
  constructor(text: string) {
    this.#text = text
  }

  document(): Node {
    const node = this.#value(0)
    this.#blank()
    if (this.#at < this.#text.length) this.#fail('there is something after the end')
    return node
  }

  #value(depth: number): Node {
    this.#blank()
    if (depth > depthMax) this.#fail(`it is nested more than ${depthMax} levels deep`)
    const start = this.#at
    const sign = this.#text[start]
    if (sign === '{') return this.#map(depth)
    if (sign === '[') return this.#list(depth)
    if (sign === '"') return { kind: 'scalar', start, value: this.#string(), end: this.#at }
    const [word = ''] = /^[-+.\w]*/.exec(this.#text.slice(start, start + 400)) ?? []
    if (!Object.hasOwn(literals, word) && !/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(word))
      this.#fail('a value is missing here')
    this.#at += word.length
    return { kind: 'scalar', start, end: this.#at, value: Object.hasOwn(literals, word) ? literals[word] : Number(word) }
  }

  #map(depth: number): Node {
    const start = this.#at
    const members: Member[] = []
    this.#each('}', () => {
      const at = this.#at
      if (this.#text[at] !== '"') this.#fail('a key in double quotes is missing here')
      const key = this.#string()
      this.#blank()
      if (this.#text[this.#at] !== ':') this.#fail('":" is missing here')
      this.#at++
      members.push({ key, start: at, prefix: '', value: this.#value(depth + 1) })
    })
    return { kind: 'map', block: false, start, members, end: this.#at }
  }

  #list(depth: number): Node {
    const start = this.#at
    const items: Item[] = []
    this.#each(']', () => items.push({ lead: this.#at, node: this.#value(depth + 1) }))
    return { kind: 'list', block: false, start, items, end: this.#at }
  }

  #each(close: string, read: () => void): void {
    this.#at++
    for (;;) {
      this.#blank()
      if (this.#text[this.#at] === close) break
      read()
      this.#blank()
      const sign = this.#text[this.#at]
      if (sign === ',') this.#at++
      else if (sign !== close) this.#fail(`"," or "${close}" is missing here`)
    }
    this.#at++
  }

  #string(): string {
    const start = this.#at
    let end = start + 1
    while (this.#text[end] !== '"') {
      if (end >= this.#text.length || this.#text[end] === '\n') this.#fail('a text is not closed')
      end += this.#text[end] === '\\' ? 2 : 1
    }
    this.#at = end + 1
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string
    } catch {
      this.#at = start
      return this.#fail('a text has a sign that may not stand in it')
    }
  }

  /** White space and comments. */
  #blank(): void {
    const blank = /(?:[ \t\r\n]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
    blank.lastIndex = this.#at
    blank.exec(this.#text)
    this.#at = blank.lastIndex
  }

  #fail(what: string): never {
    throw new Unreadable(
      this.#at >= this.#text.length ? `it ends too early: ${what}` : what,
      Math.min(this.#at, this.#text.length),
    )
  }
}
