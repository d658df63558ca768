/** Functions in tokens: where they begin and end, what their parameters are called, and which of them answer calls of tools. */
import { argumentsOf, type Span } from './statics-flow.ts'
import { closing, type Language, opening, type Token } from './statics-tokens.ts'

export interface SourceFunction {
  readonly name: string
  readonly parameters: readonly string[]
  readonly body: Span
}

export const functionsOf = (tokens: readonly Token[], language: Language): readonly SourceFunction[] =>
  language === 'python' ? pythonFunctions(tokens) : javascriptFunctions(tokens)

/** Of parameters. Those of a function in the default value of one are part of it, so that many in each other would be read again and again. */
const parameterTokensMax = 400

function namesIn(tokens: readonly Token[], { from, to }: Span): readonly string[] {
  const names: string[] = []
  for (let at = from; at < Math.min(to, from + parameterTokensMax); at++) {
    const { kind, text } = tokens[at] as Token
    if (kind === 'name' && tokens[at + 1]?.text !== ':' && tokens[at - 1]?.text !== '.') names.push(text)
    else if (kind === 'name' && tokens[at - 1]?.text !== ':') names.push(text)
  }
  return names
}

function javascriptFunctions(tokens: readonly Token[]): readonly SourceFunction[] {
  const found: SourceFunction[] = []
  const ends = new Map<number, number>()
  for (let at = tokens.length - 1; at >= 0; at--)
    if (tokens[at]?.text === '=>' && tokens[at]?.kind === 'sign') found.push(arrowAt(tokens, at, ends))
  for (const [at, { kind, text }] of tokens.entries()) {
    const isNamed = kind === 'name' && text === 'function'
    const isMethod =
      kind === 'name' && tokens[at + 1]?.text === '(' && !isNamed && /^[{},;*]$|^async$/.test(tokens[at - 1]?.text ?? '')
    if (!isNamed && !isMethod) continue
    const name =
      isNamed && tokens[at + 1]?.kind === 'name' ? (tokens[at + 1] as Token).text : isMethod ? text : nameBefore(tokens, at)
    const open = openAfter(tokens, at)
    if (open === undefined) continue
    const close = closing(tokens, open)
    const brace = bodyAfter(tokens, close)
    if (brace === undefined) continue
    found.push({
      name,
      parameters: namesIn(tokens, { from: open + 1, to: close }),
      body: { from: brace + 1, to: closing(tokens, brace) },
    })
  }
  return found
}

/** The bracket of the parameters, behind a name and what it is generic over. */
function openAfter(tokens: readonly Token[], at: number): number | undefined {
  for (let place = at + 1; place < Math.min(tokens.length, at + 60); place++) if (tokens[place]?.text === '(') return place
  return undefined
}

/** The brace after the parameters, and after the type that is returned. */
function bodyAfter(tokens: readonly Token[], close: number): number | undefined {
  for (let at = close + 1; at < Math.min(tokens.length, close + 40); at++) {
    const { text, kind } = tokens[at] as Token
    if (kind === 'sign' && text === '{') return at
    if (kind === 'sign' && /^[;,)=]$/.test(text)) return undefined
  }
  return undefined
}

function arrowAt(tokens: readonly Token[], arrow: number, ends: Map<number, number>): SourceFunction {
  let open = arrow - 1
  if (tokens[open]?.text !== ')') {
    // `(x): Promise<void> =>` or `x =>`
    let back = open
    while (back > Math.max(0, arrow - 40) && tokens[back]?.text !== ')' && !/^[;{}=]$/.test(tokens[back]?.text ?? '')) back--
    if (tokens[back]?.text === ')' && tokens[back + 1]?.text === ':') open = back
  }
  const isBare = tokens[open]?.text !== ')'
  const start = isBare ? open : opening(tokens, open)
  const from = start === -1 ? open : start
  const parameters = isBare ? [tokens[open]?.text ?? ''] : namesIn(tokens, { from: from + 1, to: open })
  const body =
    tokens[arrow + 1]?.text === '{'
      ? { from: arrow + 2, to: closing(tokens, arrow + 1) }
      : { from: arrow + 1, to: expressionEnd(tokens, arrow + 1, ends) }
  return { name: nameBefore(tokens, tokens[from - 1]?.text === 'async' ? from - 1 : from), parameters, body }
}

/** `ends`: of the arrows behind this one, so that `a => b => c => …` is walked once. */
function expressionEnd(tokens: readonly Token[], from: number, ends: Map<number, number>): number {
  const end = walkedEnd(tokens, from, ends)
  ends.set(from, end)
  return end
}

function walkedEnd(tokens: readonly Token[], from: number, ends: ReadonlyMap<number, number>): number {
  for (let at = from; at < tokens.length; at++) {
    const { kind, text } = tokens[at] as Token
    if (kind !== 'sign') continue
    if (/^(\(|\[|\{|\$\{)$/.test(text)) at = closing(tokens, at)
    else if (/^[)\]},;]$/.test(text)) return at
    else if (text === '=>') {
      const end = ends.get(at + 1)
      if (end !== undefined) return end
    }
  }
  return tokens.length
}

/** `const name = …`, `name: …`. */
function nameBefore(tokens: readonly Token[], at: number): string {
  const sign = tokens[at - 1]?.text
  const name = tokens[at - 2]
  return (sign === '=' || sign === ':') && name?.kind === 'name' ? name.text : ''
}

function pythonFunctions(tokens: readonly Token[]): readonly SourceFunction[] {
  const found: SourceFunction[] = []
  const endOf = lessIndented(tokens)
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'name' || token.text !== 'def') continue
    const name = tokens[at + 1]?.text ?? ''
    const indent = token.indent ?? tokens[at - 1]?.indent ?? 0
    const close = closing(tokens, at + 2)
    if (close === tokens.length) continue
    const parameters = argumentsOf(tokens, at + 2).flatMap(({ from }) => {
      const first = tokens.slice(from, from + 3).find(({ kind }) => kind === 'name')
      return first === undefined || /^(self|cls|ctx|context)$/.test(first.text) ? [] : [first.text]
    })
    found.push({ name, parameters, body: { from: close + 1, to: endOf(close + 1, indent) } })
  }
  return found
}

/** From a place on, the first token of a line that stands no further to the right. From line to line that does, and not over all of them. */
function lessIndented(tokens: readonly Token[]): (from: number, indent: number) => number {
  const lines = tokens.flatMap(({ indent }, place) => (indent === undefined ? [] : [{ indent, place, next: -1 }]))
  const lineAt = new Int32Array(tokens.length + 1).fill(lines.length)
  for (let line = lines.length - 1, place = tokens.length - 1; place >= 0; place--) {
    if (lines[line]?.place === place) line--
    lineAt[place] = tokens[place]?.indent === undefined ? (lineAt[place + 1] as number) : line + 1
  }
  for (let line = lines.length - 1; line >= 0; line--) {
    const one = lines[line] as (typeof lines)[number]
    one.next = line + 1
    while ((lines[one.next]?.indent ?? -1) >= one.indent) one.next = lines[one.next]?.next as number
  }
  return (from, indent) => {
    let line = lineAt[Math.min(from, tokens.length)] as number
    while ((lines[line]?.indent ?? -1) > indent) line = lines[line]?.next as number
    return lines[line]?.place ?? tokens.length
  }
}

const registers = /^(?:registerTool|addTool|tool|setRequestHandler|defineTool|createTool)$/
/** What a handler is told besides what the model wrote. */
const surroundings = /^(?:extra|ctx|context|_\w*|signal)$/

/** Without those that are within another one. */
export function outermost(functions: readonly SourceFunction[]): readonly SourceFunction[] {
  const sorted = functions.toSorted((a, b) => a.body.from - b.body.from || b.body.to - a.body.to)
  let end = -1
  return sorted.filter(({ body }) => body.to > end && (end = body.to) > 0)
}

/** Functions that answer calls of tools, with the parameters that a model fills. */
export function toolHandlers(
  tokens: readonly Token[],
  functions: readonly SourceFunction[],
  language: Language,
): readonly SourceFunction[] {
  const all = language === 'python' ? pythonHandlers(tokens, functions) : javascriptHandlers(tokens, functions)
  const handlers = outermost(all)
  return handlers.map((one) => ({ ...one, parameters: one.parameters.filter((name) => !surroundings.test(name)) }))
}

function javascriptHandlers(tokens: readonly Token[], functions: readonly SourceFunction[]): readonly SourceFunction[] {
  const sorted = functions.toSorted((a, b) => a.body.from - b.body.from)
  const inside: SourceFunction[] = []
  const names = new Set<string>()
  let seen = 0
  let next = 0
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'name' || !registers.test(token.text) || tokens[at + 1]?.text !== '(') continue
    const given = argumentsOf(tokens, at + 1)
    for (const { from, to } of given) {
      const only = to - from === 1 ? tokens[from] : undefined
      if (only?.kind === 'name') names.add(only.text)
      if (from < seen) continue // within a call that was looked at as a whole
      while (next < sorted.length && (sorted[next] as SourceFunction).body.from <= from) next++
      for (; next < sorted.length && (sorted[next] as SourceFunction).body.from < to; next++)
        if ((sorted[next] as SourceFunction).body.to <= to) inside.push(sorted[next] as SourceFunction)
      seen = to
    }
  }
  return [...inside, ...functions.filter(({ name }) => names.has(name))]
}

/** Decorated with something that ends in `tool`, as `@mcp.tool()` and `@server.call_tool()`. */
function pythonHandlers(tokens: readonly Token[], functions: readonly SourceFunction[]): readonly SourceFunction[] {
  return functions.filter(({ body }) => {
    let at = body.from
    while (at > 0 && tokens[at]?.text !== 'def') at--
    let open = 0 // brackets that are closed behind this place: the arguments of a decorator may go over several lines
    for (let back = at - 1; back > Math.max(0, at - 200); back--) {
      const { kind, text, indent } = tokens[back] as Token
      open += text === ')' ? 1 : text === '(' ? -1 : 0
      if (
        kind === 'name' &&
        /(?:^|_)tool$/.test(text) &&
        tokens.slice(Math.max(0, back - 4), back).some((one) => one.text === '@')
      )
        return true
      if (indent !== undefined && text !== '@' && text !== ')' && text !== 'async' && open <= 0) return false
    }
    return false
  })
}
