/**
 * Where a value goes within one function: names that hold something of a stranger's, followed through assignments in the order of
 * the text. Rough on purpose and on one side: what makes a value harmless (a number, a quoted word of a shell) ends it, and what
 * cannot be followed is not suspected.
 */
import { closing, type Language, type Token } from './statics-tokens.ts'

/** From the first token to before the last one. */
export interface Span {
  readonly from: number
  readonly to: number
}

const harmless =
  /^(?:Number|parseInt|parseFloat|Boolean|BigInt|int|float|bool|len|quote|shellQuote|shellescape|escapeShellArg|basename|indexOf|includes|startsWith|has|test|encodeURIComponent)$/

/** Whether one of the names is used there, other than as a member of something else, a key, or an argument of what makes it harmless. */
export function uses(tokens: readonly Token[], { from, to }: Span, names: ReadonlySet<string>): boolean {
  for (let at = from; at < to; at++) {
    const token = tokens[at] as Token
    if (token.kind !== 'name') continue
    const [before, after] = [tokens[at - 1]?.text, tokens[at + 1]?.text]
    if (harmless.test(token.text) && after === '(') {
      at = closing(tokens, at + 1, to)
      continue
    }
    if (!names.has(token.text) || before === '.' || before === '?.') continue
    const isKey = (after === ':' && /^[{,]$/.test(before ?? '')) || (after === '=' && /^[(,]$/.test(before ?? ''))
    if (!isKey) return true
  }
  return false
}

/** The names that hold something of `names`, and these, after the statements of the span. */
export function followed(
  tokens: readonly Token[],
  span: Span,
  names: ReadonlySet<string>,
  language: Language,
): ReadonlySet<string> {
  const held = new Set(names)
  // Twice, so that what is assigned in a loop is seen too.
  for (let round = 0; round < 2; round++)
    for (let at = span.from; at < span.to; at++) {
      const token = tokens[at] as Token
      if (token.kind !== 'sign' || !/^(=|\+=|:=)$/.test(token.text)) continue
      const left = assigned(tokens, at, span.from)
      if (left.length > 0 && uses(tokens, { from: at + 1, to: statementEnd(tokens, at + 1, span.to, language) }, held))
        for (const name of left) held.add(name)
    }
  return held
}

/** The names before an assignment: one, or those of a pattern. A member of something is the whole of it. */
function assigned(tokens: readonly Token[], equals: number, from: number): readonly string[] {
  const last = tokens[equals - 1]
  if (last?.text === '}' || last?.text === ']') return inPattern(tokens, equals - 1, from)
  const names: string[] = []
  for (let at = equals - 1; at >= from; at--) {
    const { kind, text } = tokens[at] as Token
    if (kind === 'name' && /^(const|let|var)$/.test(text)) break
    if (kind === 'name') names.unshift(text)
    else if (!['.', ':', '?', ',', '<', '>', '|', '[', ']'].includes(text)) break
    if ((tokens[at] as Token).indent !== undefined) break
  }
  const isTyped = names.length > 1 && tokens[equals - 2]?.text === ':'
  if (isTyped) return names.slice(0, -1)
  const isMember = tokens[equals - 2]?.text === '.'
  return isMember ? names.slice(0, 1) : names.filter((_, place) => place === names.length - 1 || tokens[equals - 2]?.text === ',')
}

/** Patterns may be in each other, each with a value of its own; of a longer one the end is read. */
const patternTokensMax = 400

function inPattern(tokens: readonly Token[], close: number, from: number): readonly string[] {
  const names: string[] = []
  let depth = 0
  for (let at = close; at >= Math.max(from, close - patternTokensMax); at--) {
    const { kind, text } = tokens[at] as Token
    if (/^[}\]]$/.test(text) && kind === 'sign') depth++
    else if (/^[{[]$/.test(text) && kind === 'sign' && --depth === 0) {
      const before = tokens[at - 1]
      // An element that is assigned, `x[y] = …`, is the whole of `x`.
      if (text === '[' && before?.kind === 'name' && !/^(const|let|var)$/.test(before.text)) return [before.text]
      return names
    } else if (kind === 'name' && tokens[at + 1]?.text !== ':') names.push(text)
  }
  return names
}

/** Where a statement ends that has its value from `from` on. */
export function statementEnd(tokens: readonly Token[], from: number, to: number, language: Language): number {
  for (let at = from; at < to; at++) {
    const token = tokens[at] as Token
    if (token.kind === 'sign' && /^(\(|\[|\{|\$\{)$/.test(token.text)) {
      at = closing(tokens, at, to)
      continue
    }
    if (token.kind === 'sign' && (token.text === ';' || /^[)\]}]$/.test(token.text))) return at
    if (token.indent === undefined || at === from) continue
    if (language === 'python' || !/^(\.|\?\.|\+|\?|:|\|\||&&|\?\?|,|=)$/.test(token.text)) return at
  }
  return to
}

/** The arguments of the call whose bracket is at `open`, each a span. */
export function argumentsOf(tokens: readonly Token[], open: number): readonly Span[] {
  const close = closing(tokens, open)
  const spans: Span[] = []
  let from = open + 1
  for (let at = open + 1; at <= close && at < tokens.length; at++) {
    const token = tokens[at] as Token
    if (token.kind === 'sign' && /^(\(|\[|\{|\$\{)$/.test(token.text)) at = closing(tokens, at, close)
    else if (at === close || (token.kind === 'sign' && token.text === ',')) {
      if (at > from) spans.push({ from, to: at })
      from = at + 1
    }
  }
  return spans
}

export const textOf = (tokens: readonly Token[], { from, to }: Span): string =>
  tokens
    .slice(from, to)
    .map(({ text }) => text)
    .join(' ')
