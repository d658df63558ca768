/**
 * Characters that have no shape. Scripts need some of them (joiners in Persian and in Indic scripts, selectors in emoji), and
 * those stand where the script wants them; a run of them, or one within a Latin word, is there for a machine.
 */
import { isInvisible, isTag, isVariationSelector, selectorByte, untagged } from '../characters.ts'
import type { Family, Mark } from '../finding.ts'
import type { Leaf } from '../leaves.ts'
import { isBidi } from './bidi.ts'

/** Shorter runs occur by accident. */
const dataMin = 4
const latin = /[\p{Script=Latin}\d_]/u
const nothingButPrintable = /^[\n\t\x20-\x7e]*$/

function* ofText(leaf: Leaf): Generator<Mark> {
  const { text } = leaf
  if (nothingButPrintable.test(text)) return
  let first: number | undefined
  let strays = 0
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) as number
    if (!isInvisible(code)) {
      at += code > 0xffff ? 2 : 1
      continue
    }
    const end = endOfInvisible(text, at)
    const mark = judged(leaf, at, end)
    if (mark !== undefined) yield mark
    if (mark !== undefined || isOddSelector(text, at, code)) {
      strays++
      first ??= at
    }
    at = end
  }
  if (first !== undefined && strays >= straysMin)
    yield { rule: 'trust/scattered', leaf, start: first, end: first + 1, note: `in ${strays} places` }
}

/** A message can also be spread over a text, a bit between every two words. */
const straysMin = 12

/** Selectors choose between an emoji and a symbol, and among forms of an ideograph; a letter has one form. */
const isOddSelector = (text: string, at: number, code: number): boolean =>
  isVariationSelector(code) &&
  code !== 0xfe0e &&
  code !== 0xfe0f &&
  !/[\p{Script=Han}\p{Script=Mongolian}\p{Script=Myanmar}\p{Sm}]/u.test(characterBefore(text, at))

function endOfInvisible(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.codePointAt(at) as number
    if (!isInvisible(code)) break
    at += code > 0xffff ? 2 : 1
  }
  return at
}

function judged(leaf: Leaf, start: number, end: number): Mark | undefined {
  const { text } = leaf
  const codes = [...text.slice(start, Math.min(end, start + 20_000))].map((character) => character.codePointAt(0) as number)
  const before = characterBefore(text, start)
  const after = end < text.length ? String.fromCodePoint(text.codePointAt(end) as number) : ''
  const mark = (rule: string, note?: string): Mark => ({ rule, leaf, start, end, ...(note ? { note } : {}) })
  const tags = codes.filter(isTag)
  if (tags.length > 0) {
    const said = tags.map(untagged).join('')
    if (before === '\u{1f3f4}' && flags.has(said) && codes.at(-1) === 0xe007f) return undefined
    return mark('trust/hidden-text', `${said.length} letters in tag characters`)
  }
  const selectors = codes.filter(isVariationSelector)
  if (selectors.length >= dataMin) {
    const bytes = selectors.map(selectorByte)
    const readable = bytes.filter((byte) => byte >= 0x20 && byte < 0x7f).length
    return mark('trust/hidden-text', `${bytes.length} bytes in variation selectors, ${readable} of them readable`)
  }
  const others = codes.filter((code) => !isVariationSelector(code) && !isBidi(code))
  if (others.length >= 2 * dataMin) return mark('trust/hidden-text', `a run of ${others.length} characters without shape`)
  if (others.length === 0) return undefined
  if (leaf.role === 'name' || leaf.role === 'key') return mark('trust/invisible-in-name')
  if (codes[0] === 0xfeff && start === 0) return undefined
  if (belongs(others, before, after)) return undefined
  const isSplit = latin.test(before) && latin.test(after)
  return mark(isSplit && others.some((code) => code !== 0xad) ? 'trust/split-word' : 'trust/invisible-character')
}

/** England, Scotland and Wales: a black flag and tags (UTS 51, ED-14a). */
const flags = new Set(['gbeng', 'gbsct', 'gbwls'])

/** Joiners between letters of scripts that have them, or within an emoji; fillers in Korean; a soft hyphen within a word. */
function belongs(codes: readonly number[], before: string, after: string): boolean {
  if (codes.length > 2) return false
  return codes.every((code) => {
    if (code === 0x200c || code === 0x200d) return joined.test(before) && (joined.test(after) || !/[\x21-\x7e]/.test(after))
    if (code === 0x115f || code === 0x1160 || code === 0x3164 || code === 0xffa0) return /\p{Script=Hangul}/u.test(before + after)
    if (code >= 0x180b && code <= 0x180e) return /\p{Script=Mongolian}/u.test(before)
    if (code === 0x200b) return /[\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}\p{Script=Myanmar}]/u.test(before + after)
    return code === 0xad && /\p{L}/u.test(before) && /\p{Ll}/u.test(after) && before.length === 1
  })
}
const joined =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Mongolian}\p{Script=Tibetan}\p{Extended_Pictographic}\p{Emoji_Modifier}]|\ufe0f/u

function characterBefore(text: string, at: number): string {
  if (at === 0) return ''
  const low = text.charCodeAt(at - 1)
  return low >= 0xdc00 && low <= 0xdfff ? text.slice(Math.max(0, at - 2), at) : text.slice(at - 1, at)
}

export const hidden: Family = {
  rows: {
    'trust/hidden-text': {
      severity: 'critical',
      says: 'has text in characters that nobody sees and a model reads',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/invisible-in-name': {
      severity: 'high',
      says: 'has a name with an invisible character in it',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/split-word': {
      severity: 'high',
      says: 'has a word that an invisible character splits, so that a search does not find it',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/scattered': {
      severity: 'medium',
      says: 'has invisible characters all over it, which can spell something',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/invisible-character': {
      severity: 'low',
      says: 'has an invisible character, as texts do that were copied from elsewhere',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
  },
  ofText,
}
