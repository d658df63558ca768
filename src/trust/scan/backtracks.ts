/**
 * Whether a pattern of a stranger can take exponential or high polynomial time in an engine that backtracks: a repetition
 * without end within another, alternatives that begin alike under one, or the same repeated thing twice in a row. It is read
 * and never compiled. Careful rather than exact: RE2 would run all of them, and a server behind us may not use RE2.
 */
interface Level {
  /** Something in this group repeats without end. */
  repeats: boolean
  /** Beginnings of the alternatives so far. */
  readonly heads: string[]
  head: string
  last: string
}

export function backtracks(pattern: string): boolean {
  const stack: Level[] = [level()]
  for (let at = 0; at < pattern.length; ) {
    const top = stack.at(-1) as Level
    const character = pattern[at] as string
    if (character === '(') {
      const [opening = '('] = /^\((?:\?(?:[:=!]|<[=!]|<[^>]{1,40}>))?/.exec(pattern.slice(at, at + 48)) ?? []
      stack.push(level())
      at += opening.length
      continue
    }
    if (character === '|') {
      top.heads.push(top.head)
      top.head = top.last = ''
      at++
      continue
    }
    let atom = character
    let inner: Level | undefined
    if (character === ')') {
      inner = stack.length > 1 ? stack.pop() : undefined
      atom = ')'
      at++
    } else {
      atom = atomAt(pattern, at)
      at += atom.length
    }
    const [quantifier = ''] = /^(?:[*+?]|\{\d{1,6}(?:,\d{0,6})?\})[?+]?/.exec(pattern.slice(at, at + 20)) ?? []
    at += quantifier.length
    const isEndless = /^[*+]|^\{\d+,\}|^\{\d*,?\d{4,}\}/.test(quantifier)
    const outer = stack.at(-1) as Level
    if (isEndless) {
      if (inner?.repeats) return true
      if (inner !== undefined && overlap([...inner.heads, inner.head])) return true
      if (inner === undefined && outer.last === atom) return true
    }
    outer.repeats ||= isEndless || (inner?.repeats ?? false)
    outer.head ||= atom === ')' ? (inner?.head ?? '') : atom
    outer.last = isEndless && inner === undefined ? atom : ''
  }
  return false
}

const level = (): Level => ({ repeats: false, heads: [], head: '', last: '' })

function atomAt(pattern: string, at: number): string {
  if (pattern[at] === '\\') return pattern.slice(at, at + 2)
  if (pattern[at] !== '[') return pattern[at] as string
  const close = pattern.indexOf(']', at + 2)
  return close === -1 ? '[' : pattern.slice(at, close + 1)
}

/** Alternatives of which two can begin with the same character, or with anything. */
function overlap(heads: readonly string[]): boolean {
  if (heads.length < 2) return false
  return (
    new Set(heads).size < heads.length || heads.some((head) => head === '.' || head === '\\w' || head === '\\S' || head === '')
  )
}
