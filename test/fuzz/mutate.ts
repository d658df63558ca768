/**
 * Mutations of text that knows its tokens. Each takes a text and gives back another one; most of them leave it well-formed
 * often enough that something beyond the first check is reached. Bytes are mutated as latin1 text.
 */
import type { Random } from './random.ts'

/** What the texts of one fuzzer are made of. */
export interface Vocabulary {
  /** Texts that are good as they are. */
  readonly seeds: readonly string[]
  /** Cuts a text into tokens: a global expression that matches something everywhere. */
  readonly token: RegExp
  /** Words to put in: the ones that mean something, and the ones that only look so. */
  readonly words: readonly string[]
  /** What may be put around a run of tokens. */
  readonly pairs?: readonly (readonly [open: string, close: string])[]
}

type Mutation = (random: Random, text: string, vocabulary: Vocabulary) => string

/** Letters that a tolerant reader takes for others: case folding, width, homoglyphs, what is invisible. */
const lookAlikes: Readonly<Record<string, string>> = {
  a: 'Aаａá',
  b: 'BЬ',
  c: 'Cсⅽ',
  d: 'Dⅾ',
  e: 'Eеｅé',
  i: 'Iıіİ',
  j: 'Jј',
  k: 'K\u212a',
  l: 'LⅼI1',
  m: 'Mⅿ',
  n: 'Nｎ',
  o: 'Oо0',
  p: 'Pр',
  r: 'Rг',
  s: 'S\u017f',
  t: 'Tｔ',
  u: 'Uυ',
  x: 'Xх',
  y: 'Yу',
  _: '＿\u200b-',
  '/': '／\u2215\\',
  '"': "'“”\u00ab",
  ':': '：=',
  ' ': '\u00a0\t\u2028\u0085\ufeff',
  '-': '\u2010\u2212_',
}

/** The same number, nearly the same number, and what some readers take for a number. */
export const numberForms: readonly string[] = [
  ...[
    '0',
    '-0',
    '1',
    '1.0',
    '1.00',
    '1e0',
    '1E+0',
    '10e-1',
    '01',
    '+1',
    '.5',
    '5.',
    '0x10',
    '1_000',
    '1,000',
    '0.1',
    '0.10',
    '1e5',
    '100000',
  ],
  ...[
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '12345678901234567890',
    '1e400',
    '-1e400',
    '1e-400',
    'NaN',
    'Infinity',
  ],
  ...[
    '0.1000000000000000055511151231257827',
    '123456789.123456789123',
    '1e21',
    '1e+21',
    '1E21',
    '\u0661',
    '２',
    '1n',
    '00',
    '-',
    '2147483648',
    '42.0',
  ],
]

const odd = [
  '\u0000',
  '\n',
  '\r',
  '\r\n',
  '\t',
  '\u001f',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\ud800',
  '\udfff',
  '\ud83d\ude00',
  '\ufeff',
  '\ufffd',
  '\u202e',
  '\u0301',
]

const tokensOf = (text: string, { token }: Vocabulary): string[] => text.match(token) ?? []
const at = (random: Random, text: string): number => random.below(text.length + 1)

const flipBit: Mutation = (random, text) => {
  const place = random.below(text.length)
  const bits = random.once(4) ? 16 : 7
  return (
    text.slice(0, place) + String.fromCharCode((text.charCodeAt(place) || 0) ^ (1 << random.below(bits))) + text.slice(place + 1)
  )
}
const splice: Mutation = (random, text, { seeds }) => {
  const other = random.pick(seeds)
  return text.slice(0, at(random, text)) + other.slice(at(random, other))
}
const swap: Mutation = (random, text, vocabulary) => {
  const tokens = tokensOf(text, vocabulary)
  const [one, two] = [random.below(tokens.length), random.below(tokens.length)]
  const first = tokens[one] ?? ''
  tokens[one] = tokens[two] ?? ''
  tokens[two] = first
  return tokens.join('')
}
/** A run of tokens once more, or many times more. */
const repeat: Mutation = (random, text, vocabulary) => {
  const tokens = tokensOf(text, vocabulary)
  const from = random.below(tokens.length)
  const run = tokens.slice(from, from + 1 + random.below(12)).join('')
  const times = random.once(200) ? 1 + random.below(20_000) : 1 + random.few(5)
  return [...tokens.slice(0, from), ...Array<string>(times).fill(run), ...tokens.slice(from)].join('')
}
const drop: Mutation = (random, text, vocabulary) => {
  const tokens = tokensOf(text, vocabulary)
  tokens.splice(random.below(tokens.length), 1 + random.few(3))
  return tokens.join('')
}
const insert: Mutation = (random, text, vocabulary) => {
  const tokens = tokensOf(text, vocabulary)
  tokens.splice(random.below(tokens.length + 1), 0, random.pick(vocabulary.words))
  return tokens.join('')
}
const replace: Mutation = (random, text, vocabulary) => {
  const tokens = tokensOf(text, vocabulary)
  tokens[random.below(tokens.length)] = random.pick(vocabulary.words)
  return tokens.join('')
}
const wrap: Mutation = (random, text, vocabulary) => {
  const tokens = tokensOf(text, vocabulary)
  const [open, close] = random.pick(vocabulary.pairs ?? [['', '']])
  const from = random.once(2) ? 0 : random.below(tokens.length)
  const run = random.once(2) ? tokens.length - from : 1
  const times = random.once(8) ? 1 + random.below(80) : 1 + random.few(4)
  return [
    ...tokens.slice(0, from),
    open.repeat(times),
    ...tokens.slice(from, from + run),
    close.repeat(times),
    ...tokens.slice(from + run),
  ].join('')
}
const lookAlike: Mutation = (random, text) => {
  const start = at(random, text)
  for (let place = start; place < Math.min(text.length, start + 64); place++) {
    const others = lookAlikes[(text[place] as string).toLowerCase()]
    if (others !== undefined && random.once(3)) return text.slice(0, place) + random.pick([...others]) + text.slice(place + 1)
  }
  return text
}
const oddSign: Mutation = (random, text) => {
  const place = at(random, text)
  return text.slice(0, place) + random.pick(odd) + text.slice(place)
}
const otherNumber: Mutation = (random, text) => {
  const numbers = [...text.matchAll(/-?\d[\d.eE+-]*/g)]
  const { 0: old = '', index = 0 } = numbers[random.below(numbers.length)] ?? {}
  return text.slice(0, index) + random.pick(numberForms) + text.slice(index + old.length)
}
const truncate: Mutation = (random, text) => (random.once(4) ? text.slice(at(random, text)) : text.slice(0, at(random, text)))
const otherCase: Mutation = (random, text) => {
  const place = random.below(text.length)
  const sign = text[place] ?? ''
  return text.slice(0, place) + (sign === sign.toLowerCase() ? sign.toUpperCase() : sign.toLowerCase()) + text.slice(place + 1)
}
/** One sign as \\u escape: another text, the same JSON. */
const escaped: Mutation = (random, text) => {
  const place = random.below(text.length)
  const code = text.charCodeAt(place) || 0
  return `${text.slice(0, place)}\\u${code.toString(16).padStart(4, '0')}${text.slice(place + 1)}`
}

const mutations: readonly Mutation[] = [
  flipBit,
  splice,
  swap,
  repeat,
  drop,
  insert,
  replace,
  wrap,
  lookAlike,
  oddSign,
  otherNumber,
  truncate,
  otherCase,
  escaped,
]

/** A seed of the vocabulary after at most `max` mutations; often after none, so that good texts are seen as well. */
export function mutated(random: Random, vocabulary: Vocabulary, max = 4, text = random.pick(vocabulary.seeds)): string {
  let result = text
  for (let left = random.few(max); left > 0; left--) result = random.pick(mutations)(random, result, vocabulary)
  return result
}

/** Where to cut `length` bytes into chunks: anywhere, also twice at the same place. */
export function cuts(random: Random, length: number): readonly number[] {
  if (random.once(8)) return Array.from({ length: Math.min(length, 4096) }, (_, place) => place)
  return Array.from({ length: random.below(12) }, () => random.below(length + 1)).sort((a, b) => a - b)
}

export function chunked(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  return [...places, bytes.length].map((place, index) => bytes.subarray(places[index - 1] ?? 0, place))
}
