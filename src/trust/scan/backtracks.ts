/**
 * Whether a pattern of a stranger can take exponential or high polynomial time in an engine that backtracks: a repetition
 * without end within another and nothing that separates the rounds, alternatives that begin alike under one, or the same thing
 * repeated twice in a row. The pattern is read and never compiled. Careful rather than exact: a server behind us runs it.
 */
interface Group {
  /** What repeats without end in it. */
  readonly loops: string[]
  /** Beginnings of the alternatives so far. */
  readonly heads: string[]
  /** The first and the last thing that stands in every round. */
  head: string
  tail: string
  /** The thing just before, if it repeats without end. */
  last: string
}

export function backtracks(pattern: string): boolean {
  const stack: Group[] = [group()]
  for (let at = 0; at < pattern.length; ) {
    const top = stack.at(-1) as Group
    if (pattern[at] === '(') {
      const [opening = '('] = /^\((?:\?(?:[:=!]|<[=!]|<[^>]{1,40}>))?/.exec(pattern.slice(at, at + 48)) ?? []
      stack.push(group())
      at += opening.length
      continue
    }
    if (pattern[at] === '|') {
      top.heads.push(top.head)
      top.head = top.tail = top.last = ''
      at++
      continue
    }
    const inner = pattern[at] === ')' && stack.length > 1 ? stack.pop() : undefined
    const atom = inner === undefined ? atomAt(pattern, at) : ''
    at += inner === undefined ? atom.length : 1
    const [quantifier = ''] = /^(?:[*+?]|\{\d{1,6}(?:,\d{0,6})?\})[?+]?/.exec(pattern.slice(at, at + 20)) ?? []
    at += quantifier.length
    const outer = stack.at(-1) as Group
    const isEndless = /^(?:[*+]|\{\d+,\})/.test(quantifier)
    if (isEndless && (inner === undefined ? outer.last === atom : isAmbiguous(inner))) return true
    take(outer, inner, atom, quantifier, isEndless)
  }
  return false
}

const group = (): Group => ({ loops: [], heads: [], head: '', tail: '', last: '' })

function take(outer: Group, inner: Group | undefined, atom: string, quantifier: string, isEndless: boolean): void {
  const mayBeAbsent = /^(?:[*?]|\{0)/.test(quantifier)
  const first = inner === undefined ? atom : inner.heads.length === 0 ? inner.head : ''
  if (isEndless && inner === undefined) outer.loops.push(atom)
  if (inner !== undefined) outer.loops.push(...inner.loops, ...(isEndless ? [...inner.heads, inner.head] : []))
  // What may be absent, or repeats, separates nothing.
  if (outer.head === '') outer.head = mayBeAbsent || isEndless ? '?' : first || '?'
  outer.tail = mayBeAbsent || isEndless || inner !== undefined ? '' : atom
  outer.last = isEndless && inner === undefined ? atom : ''
}

/** Whether a repeated group can take the same text in several ways. */
function isAmbiguous({ loops, heads, head, tail }: Group): boolean {
  const ways = [...heads, head]
  if (ways.length > 1)
    return loops.length > 0 || ways.some((one, at) => ways.some((other, place) => place > at && overlap(one, other)))
  const separates = (atom: string): boolean => isLiteral(atom) && !loops.some((loop) => canBe(loop, literalOf(atom)))
  return loops.length > 0 && !separates(head) && !separates(tail)
}

const overlap = (one: string, other: string): boolean =>
  one === other ||
  one === '.' ||
  other === '.' ||
  (isLiteral(one) && canBe(other, literalOf(one))) ||
  (isLiteral(other) && canBe(one, literalOf(other)))

function atomAt(pattern: string, at: number): string {
  if (pattern[at] === '\\') return pattern.slice(at, at + 2)
  if (pattern[at] !== '[') return pattern[at] as string
  for (let close = at + 1; close < pattern.length; close++) {
    if (pattern[close] === '\\') close++
    else if (pattern[close] === ']') return pattern.slice(at, close + 1)
  }
  return '['
}

const isLiteral = (atom: string): boolean => /^(?:[^.\\[\]^$?]|\\[^wWdDsSbBpPu\d])$/.test(atom)
const literalOf = (atom: string): string => atom.at(-1) as string

/** Whether an atom can stand for a character; when in doubt, it can. */
function canBe(atom: string, character: string): boolean {
  if (isLiteral(atom)) return literalOf(atom) === character
  const isWord = /\w/.test(character)
  if (atom === '\\w') return isWord
  if (atom === '\\W') return !isWord
  if (atom === '\\d') return /\d/.test(character)
  if (atom === '\\s') return /\s/.test(character)
  if (!atom.startsWith('[') || atom.length < 3) return true
  const isNegated = atom[1] === '^'
  return inClass(atom.slice(isNegated ? 2 : 1, -1), character) !== isNegated
}

function inClass(members: string, character: string): boolean {
  for (let at = 0; at < members.length; ) {
    const member = members[at] === '\\' ? members.slice(at, at + 2) : (members[at] as string)
    at += member.length
    if (members[at] === '-' && at + 1 < members.length) {
      const last = members[at + 1] === '\\' ? members.slice(at + 1, at + 3) : (members[at + 1] as string)
      at += 1 + last.length
      if (literalOf(member) <= character && character <= literalOf(last)) return true
    } else if (member.length === 1 ? member === character : canBe(member, character)) return true
  }
  return false
}
