/**
 * A JSON reader that takes its time: RFC 8259 word for word, one function for each rule, and nothing is thrown away. It
 * shares no code with src/lib/strict-json.ts, so that the two can be compared. Members stay a list, numbers stay text.
 */
export type Node =
  | { readonly kind: 'object'; readonly members: readonly (readonly [key: string, value: Node])[] }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'word'; readonly text: 'true' | 'false' | 'null' }

/** The tree, or undefined for what is not JSON, or deeper than `depthMax`. */
export function readPlainly(text: string, depthMax: number): Node | undefined {
  try {
    const reader = new Reader(text, depthMax)
    const node = reader.value(0)
    return reader.ended() ? node : undefined
  } catch (error) {
    if (error instanceof NotJson) return undefined
    throw error
  }
}

class NotJson extends Error {}

class Reader {
  readonly #text: string
  readonly #depthMax: number
  #at = 0

  constructor(text: string, depthMax: number) {
    this.#text = text
    this.#depthMax = depthMax
  }

  ended(): boolean {
    return this.#at === this.#text.length
  }

  value(depth: number): Node {
    this.#take(/[ \t\n\r]*/y)
    const node = this.#bare(depth)
    this.#take(/[ \t\n\r]*/y)
    return node
  }

  #bare(depth: number): Node {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth + 1)
      case '[':
        return this.#array(depth + 1)
      case '"':
        return { kind: 'string', value: this.#string() }
    }
    const word = this.#take(/true|false|null/y)
    if (word !== undefined) return { kind: 'word', text: word as 'true' }
    return { kind: 'number', text: this.#need(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y) }
  }

  #object(depth: number): Node {
    if (depth > this.#depthMax) throw new NotJson()
    const members: (readonly [string, Node])[] = []
    this.#need(/\{[ \t\n\r]*/y)
    if (this.#take(/\}/y)) return { kind: 'object', members }
    do {
      this.#take(/[ \t\n\r]*/y)
      const key = this.#string()
      this.#need(/[ \t\n\r]*:/y)
      members.push([key, this.value(depth)])
    } while (this.#take(/,/y))
    this.#need(/\}/y)
    return { kind: 'object', members }
  }

  #array(depth: number): Node {
    if (depth > this.#depthMax) throw new NotJson()
    const items: Node[] = []
    this.#need(/\[[ \t\n\r]*/y)
    if (this.#take(/\]/y)) return { kind: 'array', items }
    do items.push(this.value(depth))
    while (this.#take(/,/y))
    this.#need(/\]/y)
    return { kind: 'array', items }
  }

  #string(): string {
    this.#need(/"/y)
    let value = ''
    for (;;) {
      const plain = this.#take(/[^"\\\u0000-\u001f]+/y)
      if (plain !== undefined) value += plain
      else if (this.#take(/"/y)) return value
      else value += unescaped(this.#need(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y))
    }
  }

  /** What the expression matches here, if anything; never the empty text. */
  #take(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at
    const [taken] = expression.exec(this.#text) ?? []
    this.#at += taken?.length ?? 0
    return taken || undefined
  }

  #need(expression: RegExp): string {
    const taken = this.#take(expression)
    if (taken === undefined) throw new NotJson()
    return taken
  }
}

const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }
const unescaped = (written: string): string =>
  escapes[written[1] as string] ?? String.fromCharCode(Number.parseInt(written.slice(2), 16))

/** The first key that an object has twice, compared one by one with every other. */
export function keyTwice(node: Node): string | undefined {
  if (node.kind === 'array') return first(node.items.map(keyTwice))
  if (node.kind !== 'object') return undefined
  const keys = node.members.map(([key]) => key)
  const twice = keys.find((key, at) => keys.some((other, place) => place < at && other === key))
  return twice ?? first(node.members.map(([, value]) => keyTwice(value)))
}

export function hasKey(node: Node, wanted: (key: string) => boolean): boolean {
  if (node.kind === 'array') return node.items.some((item) => hasKey(item, wanted))
  return node.kind === 'object' && node.members.some(([key, value]) => wanted(key) || hasKey(value, wanted))
}

const first = (found: readonly (string | undefined)[]): string | undefined => found.find((one) => one !== undefined)

/** One spelling for every tree: members sorted, numbers as they were written. */
export function spelled(node: Node): string {
  switch (node.kind) {
    case 'object':
      return `{${node.members
        .map(([key, value]) => `${JSON.stringify(key)}:${spelled(value)}`)
        .sort()
        .join(',')}}`
    case 'array':
      return `[${node.items.map(spelled).join(',')}]`
    case 'string':
      return JSON.stringify(node.value)
    default:
      return node.text
  }
}

/** The member of an object; the last, where there are several. */
export const memberOf = (node: Node | undefined, key: string): Node | undefined =>
  node?.kind === 'object' ? node.members.findLast(([name]) => name === key)?.[1] : undefined
export const textOf = (node: Node | undefined): string | undefined => (node?.kind === 'string' ? node.value : undefined)
