/**
 * How the phrases that may begin at a word are found without trying them all: by its first three letters, packed into a
 * number. What a pattern can begin with is read off the pattern itself.
 */

const lettersMax = 3
/** Anything but a letter ends a head: `do not` and `do!` have the same. */
const end = 27
const bits = 5

/** The number of the word that begins at `at`, in lower case. */
export function headAt(text: string, at: number): number {
  let head = 0
  for (let letter = 0; letter < lettersMax; letter++) {
    const code = codeOf(text.charCodeAt(at + letter))
    head |= code << (bits * letter)
    if (code === end) break
  }
  return head
}

/** Not a number at the end of the text. */
const codeOf = (unit: number): number => (unit >= 0x61 && unit <= 0x7a ? unit - 0x60 : end)

const isWord = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f || (unit >= 0x41 && unit <= 0x5a)

/** Where words begin, as `\b` has it, and their heads. */
export function wordsOf(lower: string): { readonly at: readonly number[]; readonly heads: readonly number[] } {
  const at: number[] = []
  const heads: number[] = []
  let isInside = false
  for (let place = 0; place < lower.length; place++) {
    const unit = lower.charCodeAt(place)
    const word = isWord(unit)
    if (word && !isInside && unit >= 0x61) {
      at.push(place)
      heads.push(headAt(lower, place))
    }
    isInside = word
  }
  return { at, heads }
}

/** The heads of all that a pattern matches; nothing for one that does not begin with the beginning of a word. */
export function headsOf(pattern: string): readonly number[] | undefined {
  if (!pattern.startsWith('\\b')) return undefined
  return [...new Set(beginnings(itemsOf(pattern.slice(2)), '').map((text) => headAt(text, 0)))]
}

type Item = { readonly kind: 'letters' | 'end' | 'nothing'; readonly text: string; readonly isOptional: boolean } | Group
interface Group {
  readonly kind: 'group'
  readonly ways: readonly (readonly Item[])[]
  readonly isOptional: boolean
}

function beginnings(items: readonly Item[], sofar: string): readonly string[] {
  if (sofar.length >= lettersMax || sofar.endsWith(' ')) return [sofar]
  const [item, ...rest] = items
  if (item === undefined) throw new Error(`a phrase begins with "${sofar}", which is too little to find it by`)
  const without = item.isOptional ? beginnings(rest, sofar) : []
  if (item.kind === 'group') return [...item.ways.flatMap((way) => beginnings([...way, ...rest], sofar)), ...without]
  if (item.kind === 'nothing') return beginnings(rest, sofar)
  return [...beginnings(rest, sofar + (item.kind === 'end' ? ' ' : item.text)), ...without]
}

/** A regular expression, as far as the beginnings of phrases go. */
function itemsOf(pattern: string): readonly Item[] {
  const items: Item[] = []
  for (let at = 0; at < pattern.length; ) {
    const [all = '', group, special, letter] =
      /^(?:(\(\?(?:[:=!]|<[=!]))|(\\.|\[[^\]]*\]|[.^$])|([a-z]))/.exec(pattern.slice(at)) ?? []
    let next = at + (all.length || 1)
    let item: Item = { kind: 'end', text: '', isOptional: false }
    if (group !== undefined) {
      const close = closeOf(pattern, at)
      const ways = waysOf(pattern.slice(next, close)).map(itemsOf)
      next = close + 1
      item = group === '(?:' ? { kind: 'group', ways, isOptional: false } : { kind: 'nothing', text: '', isOptional: false }
    } else if (letter !== undefined) item = { kind: 'letters', text: letter, isOptional: false }
    else if (special === '\\w' || special === '.' || (special?.startsWith('[') && /[a-z]/.test(special.replace(/\\./g, ''))))
      return items
    const [quantifier = ''] = /^(?:\?|\{0,\d+\})\??/.exec(pattern.slice(next)) ?? []
    items.push(quantifier === '' ? item : { ...item, isOptional: true })
    at = next + (quantifier || (/^\{\d+(?:,\d+)?\}\??/.exec(pattern.slice(next))?.[0] ?? '')).length
  }
  return items
}

function closeOf(pattern: string, open: number): number {
  let depth = 0
  for (let at = open; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === '[') at = pattern.indexOf(']', at)
    else if (pattern[at] === '(') depth++
    else if (pattern[at] === ')' && --depth === 0) return at
  }
  throw new Error(`a group is not closed: ${pattern}`)
}

/** What stands between the bars of the outermost level. */
function waysOf(pattern: string): readonly string[] {
  const ways: string[] = []
  let from = 0
  let depth = 0
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === '[') at = pattern.indexOf(']', at)
    else if (pattern[at] === '(') depth++
    else if (pattern[at] === ')') depth--
    else if (pattern[at] === '|' && depth === 0) {
      ways.push(pattern.slice(from, at))
      from = at + 1
    }
  }
  return [...ways, pattern.slice(from)]
}
