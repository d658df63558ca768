/**
 * A text as a model takes it in: what is invisible is gone, tags are letters, one width, one kind of quote, one white space,
 * look-alike letters and escapes resolved. Every unit remembers where it came from, so that a rule that matches the reading
 * marks the original. It is made for matching only and never shown.
 */
import { isBlank, isControl, isInvisible, isTag, untagged } from './characters.ts'
import { looksLike } from './confusables.ts'
import { wordsOf } from './heads.ts'

export interface Reading {
  /** White space is ` `, `\n` for a line's end, `\u2029` for a paragraph's. */
  readonly text: string
  readonly lower: string
  readonly isAscii: boolean
  /** Where words begin in it, and by what they are known to phrases. */
  readonly words: ReturnType<typeof wordsOf>
  /** A span of the reading, in the original. */
  span(start: number, end: number): { readonly start: number; readonly end: number }
}

export const paragraph = '\u2029'

/** Nobody stacks more marks than this on one letter in order to be read. */
const marksMax = 16

/** What the reading would change. */
const unplain = /[^\n -~]|[%&*\\`]|[\n ][\n ]|\b_|_\b|__/

export function readingOf(source: string): Reading {
  if (!unplain.test(source)) return reading(source, (start, end) => ({ start, end }))
  const units: number[] = []
  const starts: number[] = []
  const ends: number[] = []
  const put = (text: string, start: number, end: number): void => {
    for (let at = 0; at < text.length; at++) {
      units.push(text.charCodeAt(at))
      starts.push(start)
      ends.push(end)
    }
  }
  let at = 0
  while (at < source.length) {
    const unit = source.charCodeAt(at)
    if (isBlank(unit)) {
      const end = endOfBlank(source, at)
      put(blankOf(source, at, end), at, end)
      at = end
    } else if (unit === 0x1b || unit === 0x9b) at = endOfEscape(source, at)
    else if (unit < 0x7f) at = ascii(source, at, unit, put)
    else at = other(source, at, put)
  }
  return reading(decode(units), (start, end) => {
    const first = starts[start] ?? source.length
    return { start: first, end: end > start ? (ends[end - 1] as number) : first }
  })
}

function reading(text: string, span: Reading['span']): Reading {
  const lower = lowered(text)
  let words: Reading['words'] | undefined
  return {
    text,
    lower,
    isAscii: !/[^\0-\x7f\u2029]/.test(text),
    get words() {
      words ??= wordsOf(lower)
      return words
    },
    span,
  }
}

type Put = (text: string, start: number, end: number) => void

const escapes = /\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([ntr]))|&(?:#(\d{1,6})|#x([0-9a-f]{1,5})|([a-z]{2,5}));|%([2-7][0-9a-f])/iy
const entities: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  shy: '',
  zwj: '',
  zwnj: '',
}

/** A letter as it is, emphasis left out, an escape as what it stands for. */
function ascii(source: string, at: number, unit: number, put: Put): number {
  if (unit === 0x2a || isControl(unit) || (unit === 0x5f && isEmphasis(source, at))) return at + 1
  if (unit === 0x60) return (put('"', at, at + 1), at + 1)
  if (unit === 0x5c || unit === 0x26 || unit === 0x25) {
    escapes.lastIndex = at
    const [all = '', u, x, line, decimal, hex, name, percent] = escapes.exec(source) ?? []
    const code = u ?? x ?? hex ?? percent
    const number = code !== undefined ? Number.parseInt(code, 16) : decimal !== undefined ? Number(decimal) : undefined
    const isLine = line !== undefined && !isPath(source, at)
    const character = number !== undefined ? plain(number) : isLine ? '\n' : entities[name ?? '']
    if (character !== undefined) return (put(character, at, at + all.length), at + all.length)
  }
  put(String.fromCharCode(unit), at, at + 1)
  return at + 1
}

/** An underscore within a name is a letter; at its edge, or twice, it is Markdown. */
const isEmphasis = (source: string, at: number): boolean =>
  !/[A-Za-z\d]/.test(source[at - 1] ?? '') || !/[A-Za-z\d]/.test(source[at + 1] ?? '')

/** The `\n` of `C:\\new` is no line's end. */
const isPath = (source: string, at: number): boolean => /[A-Za-z]:\\\S{0,80}$/.test(source.slice(Math.max(0, at - 80), at + 1))

const plain = (code: number): string => {
  if (isTag(code)) return untagged(code)
  if (isInvisible(code) || isControl(code) || code > 0x10ffff) return ''
  return isBlank(code) ? ' ' : String.fromCodePoint(code)
}

/** A character with the marks on it, normalised; nothing, if it is invisible. */
function other(source: string, at: number, put: Put): number {
  const code = source.codePointAt(at) as number
  let end = at + (code > 0xffff ? 2 : 1)
  if (isTag(code)) put(untagged(code), at, end)
  if (isInvisible(code) || isControl(code)) return end
  const base = end
  for (let marks = 0; marks < marksMax && end < source.length && isMark(source, end); marks++) end++
  const letter = source.slice(at, base)
  const seen = looksLike(letter)
  if (seen !== undefined) return (put(seen, at, end), end)
  for (const character of source.slice(at, end).normalize('NFKC')) put(folded(character), at, end)
  return end
}

/** With the voicing marks of half-width katakana, which are marks in all but name. */
const marks = /\p{M}|[\uff9e\uff9f]/u
const isMark = (source: string, at: number): boolean => {
  const unit = source.charCodeAt(at)
  return unit >= 0x300 && (unit < 0xd800 || unit > 0xdfff) && marks.test(source[at] as string)
}

function folded(character: string): string {
  const code = character.codePointAt(0) as number
  if ((code >= 0x2018 && code <= 0x201b) || code === 0x2032) return "'"
  if ((code >= 0x201c && code <= 0x201f) || code === 0xab || code === 0xbb) return '"'
  if (code >= 0x2010 && code <= 0x2015) return '-'
  if (code === 0xdf) return 'ss'
  if (looksLike(character) !== undefined) return looksLike(character) as string
  // Accents and marks that strike letters out: a letter is read without them, and spelt without them in our patterns.
  if (code < 0x250 || (code >= 0x1e00 && code < 0x1f00)) return character.normalize('NFD').charAt(0)
  return marks.test(character) && code < 0x900 ? '' : character
}

function endOfBlank(source: string, from: number): number {
  let at = from
  while (at < source.length && (isBlank(source.charCodeAt(at)) || isInvisible(source.charCodeAt(at)))) at++
  return at
}

function blankOf(source: string, start: number, end: number): string {
  let lines = 0
  for (let at = start; at < end && lines < 2; at++) {
    const unit = source.charCodeAt(at)
    if (unit === 0x0a || unit === 0x85 || unit === 0x2028) lines++
    if (unit === 0x2029) lines += 2
  }
  return lines === 0 ? ' ' : lines === 1 ? '\n' : paragraph
}

/** A control sequence (ECMA-48, 5.4); of other escapes, the escape alone, since what follows is text that a model reads. */
const sequence = /(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]/y
function endOfEscape(source: string, from: number): number {
  sequence.lastIndex = from
  return sequence.test(source) ? sequence.lastIndex : from + 1
}

function decode(units: readonly number[]): string {
  let text = ''
  for (let at = 0; at < units.length; at += 8192) text += String.fromCharCode(...units.slice(at, at + 8192))
  return text
}

/** Lower case that keeps its length. */
const lowered = (text: string): string => {
  const lower = text.toLowerCase()
  return lower.length === text.length ? lower : text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
