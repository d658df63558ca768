/**
 * Patterns over readings, in a notation that can only be linear. It is that of regular expressions, without `*`, `+` and
 * `{n,}`: whatever repeats has an end, so each place of a text costs a bounded number of steps. A space is any white
 * space, `~` is up to 60 characters of the same sentence, and `<word>` is a row of the vocabulary below.
 */
import type { Mark } from './finding.ts'
import { headsOf } from './heads.ts'
import type { Leaf } from './leaves.ts'
import type { Reading } from './reading.ts'

/** Small sets of words that many patterns share. Groups of alternatives, without a group of their own. */
export const vocabulary = {
  user: String.raw`(?:(?:the|your|any|our|an?|end) ){0,2}(?:end[ -])?(?:users?|humans?|customers?|anyone|anybody|people|person(?: (?:you|who)\b)?|operator|developer|caller)\b`,
  model: String.raw`(?:ai|llms?|language models?|(?:ai |chat |coding )?assistants?|ai models?|(?:ai )?agents?|chatbots?|claude|chatgpt|gpt|copilot|gemini)\b`,
  not: "(?:do not|don'?t|never|must not|mustn'?t|should not|shouldn'?t|need not|no (?:need|reason) to|not necessary to|avoid|refrain from|under no circumstances(?: should you)?)",
  must: '(?:must|has to|have to|need to|needs to|shall|are required to|is required to|are obliged to|(?:is|are) (?:expected|supposed|instructed|obliged|asked|told) to)',
  call: '(?:call|calls|calling|use|uses|using|invoke|invokes|invoking|run|runs|running|execute|executes|executing|trigger|triggering)',
  all: '(?:all|any|every|each|the|your|these|those|other|earlier|previous|previously|prior|preceding|above|former|existing|system|safety|given|of|my|our|such)',
  rules: String.raw`(?:instructions?|directions?|rules?|guidelines?|prompts?|directives?|commands?|orders?|policies|policy|constraints?|restrictions?|guardrails?|safeguards?)\b`,
} as const

const gap = String.raw`(?:[^.!?。！？\u2029]|\.(?=\S)){0,60}?`

/** Patterns that mean the same, by the words that they can begin with. */
export interface Phrases {
  readonly byHead: ReadonlyMap<number, readonly RegExp[]>
  /** Those that begin with something else than a word of Latin letters. */
  readonly anywhere: readonly RegExp[]
  /** Of these, the ones in scripts that a text of ASCII does not have. */
  readonly wide: readonly RegExp[]
}

/** Throws, when the module is loaded, on a pattern that could take more than linear time. */
export function phrases(...patterns: readonly string[]): Phrases {
  const byHead = new Map<number, RegExp[]>()
  const anywhere: RegExp[] = []
  const wide: RegExp[] = []
  for (const pattern of patterns) {
    const source = expand(pattern)
    const heads = headsOf(source)
    if (heads === undefined) (/[^\0-\x7f]/.test(pattern.slice(0, 5)) ? wide : anywhere).push(new RegExp(source, 'g'))
    else {
      const sticky = new RegExp(source, 'y')
      for (const head of heads) byHead.set(head, [...(byHead.get(head) ?? []), sticky])
    }
  }
  return { byHead, anywhere, wide }
}

function expand(pattern: string): string {
  const outside = pattern.replace(/\\./g, '').replace(/\[[^\]]*\]/g, '')
  if (/[*+]|\{\d+,\}/.test(outside)) throw new Error(`a phrase repeats without end: ${pattern}`)
  if (outside.split('~').length > 3) throw new Error(`a phrase has more than two gaps: ${pattern}`)
  const words = pattern.replace(/<(\w+)>/g, (all, name: string) => vocabulary[name as keyof typeof vocabulary] ?? all)
  return words.replace(/\\.|\[(?:\\.|[^\]\\])*\]|[ ~]/g, (part) => {
    if (part === '~') return gap
    if (part === ' ') return '[ \\n\\u2029]'
    return part.startsWith('[') ? part.replace(' ', ' \\n\\u2029') : part
  })
}

/** In prose nobody says the same thing more often than this, and one finding a place is enough to look there. */
const marksPerText = 3

export interface Match {
  readonly start: number
  readonly end: number
}

export interface Where {
  /** The lower-case text unless told; there, phrases are found by their first word. */
  readonly among?: 'lower' | 'text'
  /** Phrases that begin in this part of the text. */
  readonly from?: number
  readonly to?: number
  readonly marksMax?: number
}

/** Where phrases stand in a reading. */
export function matches(reading: Reading, wanted: Phrases, where: Where = {}): readonly Match[] {
  const { among = 'lower', from = 0, to = Number.POSITIVE_INFINITY, marksMax = marksPerText } = where
  const found: Match[] = []
  const text = reading[among]
  for (const pattern of reading.isAscii ? wanted.anywhere : [...wanted.anywhere, ...wanted.wide]) {
    pattern.lastIndex = from
    for (let match = pattern.exec(text); match !== null && found.length < marksMax; match = pattern.exec(text)) {
      if (match.index >= to) break
      found.push({ start: match.index, end: pattern.lastIndex })
    }
  }
  if (wanted.byHead.size === 0) return found
  const { at, heads } = reading.words
  let past = from
  for (let word = from === 0 ? 0 : firstFrom(at, from); word < at.length && found.length < marksMax; word++) {
    const start = at[word] as number
    if (start >= to) break
    if (start < past) continue
    for (const pattern of wanted.byHead.get(heads[word] as number) ?? []) {
      pattern.lastIndex = start
      if (!pattern.test(text)) continue
      past = pattern.lastIndex
      found.push({ start, end: past })
      break
    }
  }
  return found
}

/** The first of the rising numbers that is not less than `least`. */
function firstFrom(numbers: readonly number[], least: number): number {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] as number) < least) low = middle + 1
    else high = middle
  }
  return low
}

export function* spoken(leaf: Leaf, wanted: Phrases, rule: string, among: 'lower' | 'text' = 'lower'): Generator<Mark> {
  for (const { start, end } of matches(leaf.reading, wanted, { among })) yield { rule, leaf, ...leaf.reading.span(start, end) }
}
