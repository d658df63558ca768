/**
 * Source text of TypeScript, JavaScript and Python as tokens: names, texts, numbers and signs, without comments. No grammar: enough
 * to follow a name from where it comes in to where it is used, and to know what is code and what is text. Any text gives tokens.
 */
export interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'sign'
  /** Of a text: what is between the quotes, unescaped nowhere. */
  readonly text: string
  readonly start: number
  /** From 1. */
  readonly line: number
  /** Of the first token of a line: how far it stands to the right. */
  readonly indent: number | undefined
}
export type Language = 'javascript' | 'python'

export const tokensMax = 500_000
const nameStart = /[\p{L}_$]/u
const namePart = /[\p{L}\p{N}_$]/u
const signs = [
  '===',
  '!==',
  '...',
  '**=',
  '=>',
  '==',
  '!=',
  '<=',
  '>=',
  '&&',
  '||',
  '??',
  '?.',
  '+=',
  '-=',
  ':=',
  '->',
  '**',
  '//',
]

export function tokensOf(source: string, language: Language): readonly Token[] {
  return new Tokenizer(source, language).all()
}

class Tokenizer {
  readonly #source: string
  readonly #language: Language
  readonly #tokens: Token[] = []
  #at = 0
  #line = 1
  #lineStart = 0
  #isFirst = true
  /** Open braces of expressions within a template: how deep the code there is. */
  readonly #templates: number[] = []
  #depth = 0

  constructor(source: string, language: Language) {
    this.#source = source
    this.#language = language
  }

  all(): readonly Token[] {
    while (this.#at < this.#source.length && this.#tokens.length < tokensMax) this.#next()
    return this.#tokens
  }

  #push(kind: Token['kind'], text: string, start: number): void {
    const indent = this.#isFirst ? start - this.#lineStart : undefined
    this.#tokens.push({ kind, text, start, line: this.#line, indent })
    this.#isFirst = false
  }

  #newline(): void {
    this.#line++
    this.#lineStart = this.#at
    this.#isFirst = true
  }

  #next(): void {
    const sign = this.#source[this.#at] as string
    if (sign === '\n') {
      this.#at++
      this.#newline()
    } else if (sign === ' ' || sign === '\t' || sign === '\r') this.#at++
    else if (this.#isComment(sign)) this.#skipComment()
    else if (sign === '"' || sign === "'") this.#quoted(sign, this.#at)
    else if (sign === '`' && this.#language === 'javascript') this.#template(this.#at + 1)
    else if (/\d/.test(sign)) this.#word('number')
    else if (nameStart.test(sign)) this.#name()
    else if (sign === '/' && this.#language === 'javascript' && this.#mayBeRegex()) this.#regex()
    else this.#sign(sign)
  }

  #isComment(sign: string): boolean {
    if (this.#language === 'python') return sign === '#'
    const after = this.#source[this.#at + 1]
    return sign === '/' && (after === '/' || after === '*')
  }

  #skipComment(): void {
    const isBlock = this.#source.startsWith('/*', this.#at) && this.#language === 'javascript'
    const found = isBlock ? this.#source.indexOf('*/', this.#at + 2) : this.#source.indexOf('\n', this.#at)
    const end = found === -1 ? this.#source.length : isBlock ? found + 2 : found
    this.#advance(end)
  }

  /** To `end`, counting lines. */
  #advance(end: number): void {
    for (let at = this.#source.indexOf('\n', this.#at); at !== -1 && at < end; at = this.#source.indexOf('\n', at + 1)) {
      this.#line++
      this.#lineStart = at + 1
    }
    this.#at = end
  }

  #name(): void {
    const start = this.#at
    this.#word('name')
    const quote = this.#source[this.#at]
    const { text } = this.#tokens.at(-1) as Token
    if (this.#language !== 'python' || (quote !== '"' && quote !== "'") || !/^[rbuft]{1,2}$/i.test(text)) return
    this.#tokens.pop()
    this.#quoted(quote, start, /[ft]/i.test(text))
  }

  #word(kind: 'name' | 'number'): void {
    const start = this.#at
    while (this.#at < this.#source.length && namePart.test(this.#source[this.#at] as string)) this.#at++
    this.#push(kind, this.#source.slice(start, this.#at), start)
  }

  #quoted(quote: string, start: number, isFormat = false): void {
    const isTriple = this.#language === 'python' && this.#source.startsWith(quote.repeat(3), this.#at)
    const mark = isTriple ? quote.repeat(3) : quote
    const from = this.#at + mark.length
    let end = from
    while (end < this.#source.length && !this.#source.startsWith(mark, end)) {
      if (!isTriple && this.#source[end] === '\n') break
      end += this.#source[end] === '\\' ? 2 : 1
    }
    end = Math.min(end, this.#source.length)
    const text = this.#source.slice(from, end)
    this.#push('text', text, start)
    this.#advance(Math.min(end + mark.length, this.#source.length))
    if (isFormat) this.#formatted(text, start)
  }

  /** The names in the braces of an f-string, as code between the signs `{` and `}`. */
  #formatted(text: string, start: number): void {
    for (const [, expression = ''] of text.replaceAll('{{', '  ').matchAll(/\{([^{}]{1,400})\}/g)) {
      this.#push('sign', '${', start)
      for (const { kind, text: part } of tokensOf(expression, 'python')) this.#push(kind, part, start)
      this.#push('sign', '}', start)
    }
  }

  /** From behind a backtick, or behind the brace that ends an expression, to the next of either kind. */
  #template(from: number): void {
    let end = from
    while (end < this.#source.length && this.#source[end] !== '`' && !this.#source.startsWith('${', end))
      end += this.#source[end] === '\\' ? 2 : 1
    end = Math.min(end, this.#source.length)
    this.#push('text', this.#source.slice(from, end), this.#at)
    const isOpen = this.#source[end] === '$'
    this.#advance(Math.min(end + (isOpen ? 2 : 1), this.#source.length))
    if (!isOpen) return
    this.#push('sign', '${', end)
    this.#templates.push(this.#depth)
  }

  /** After a value a slash divides; after anything else it begins an expression. */
  #mayBeRegex(): boolean {
    const last = this.#tokens.at(-1)
    if (last === undefined) return true
    if (last.kind === 'name') return /^(return|typeof|case|in|of|delete|void|do|else|await|yield)$/.test(last.text)
    return last.kind === 'sign' && !/^[)\]}]$/.test(last.text)
  }

  #regex(): void {
    const start = this.#at
    let isClass = false
    let end = start + 1
    for (; end < this.#source.length; end++) {
      const sign = this.#source[end]
      if (sign === '\n') return this.#sign('/')
      if (sign === '\\') end++
      else if (sign === '[') isClass = true
      else if (sign === ']') isClass = false
      else if (sign === '/' && !isClass) break
    }
    this.#push('text', this.#source.slice(start + 1, end), start)
    this.#at = Math.min(end + 1, this.#source.length)
    while (/[a-z]/.test(this.#source[this.#at] ?? '')) this.#at++
  }

  #sign(sign: string): void {
    const start = this.#at
    if (sign === '}' && this.#templates.at(-1) === this.#depth) {
      this.#templates.pop()
      this.#push('sign', '}', start)
      return this.#template(start + 1)
    }
    const text = signs.find((one) => this.#source.startsWith(one, start)) ?? sign
    if (text === '{') this.#depth++
    else if (text === '}') this.#depth = Math.max(0, this.#depth - 1)
    this.#push('sign', text, start)
    this.#at += text.length
  }
}

interface Brackets {
  /** For an opening one the place where it is closed, and the other way round. */
  readonly partner: Int32Array
}
/** Found in one walk, so that programs with many brackets cost no more than others. */
const brackets = new WeakMap<readonly Token[], Brackets>()

function bracketsOf(tokens: readonly Token[]): Brackets {
  const known = brackets.get(tokens)
  if (known !== undefined) return known
  const partner = new Int32Array(tokens.length).fill(-1)
  const open: number[] = []
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind !== 'sign') continue
    if (/^(?:\(|\[|\{|\$\{)$/.test(text)) open.push(at)
    else if (/^[)\]}]$/.test(text)) {
      const from = open.pop()
      if (from === undefined) continue
      partner[from] = at
      partner[at] = from
    }
  }
  const found = { partner }
  brackets.set(tokens, found)
  return found
}

/** Where the bracket at `open` is closed; `end` where it is not before that. */
export function closing(tokens: readonly Token[], open: number, end = tokens.length): number {
  const partner = bracketsOf(tokens).partner[open] ?? -1
  return partner === -1 ? end : Math.min(partner, end)
}

/** Where the bracket at `close` was opened; -1 where it never was. */
export const opening = (tokens: readonly Token[], close: number): number => bracketsOf(tokens).partner[close] ?? -1
