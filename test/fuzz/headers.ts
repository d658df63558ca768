/** The header codec of 2026-07-28, against a second one written by hand from RFC 4648, RFC 3629 and the specification. */
import { type JsonObject, parseStrict } from '../../src/lib/strict-json.ts'
import { builtInMethods } from '../../src/protocol/methods.ts'
import {
  decodeHeader,
  encodeHeader,
  paramMismatch,
  requestHeaders,
  standardMismatch,
} from '../../src/protocol/revisions/2026-07-28/headers.ts'
import { paramHeaders } from '../../src/protocol/revisions/2026-07-28/param-headers.ts'
import { type Fuzzer, must, type Target } from './fuzzer.ts'
import { mutated, numberForms, type Vocabulary } from './mutate.ts'
import type { Random } from './random.ts'

type Headers = Record<string, string>
type Input =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'standard'; readonly headers: Headers; readonly method: string; readonly params: string }
  | { readonly kind: 'params'; readonly headers: Headers; readonly schema: string; readonly args: string }

const names = [
  'read_file',
  'wéird',
  ' padded ',
  '',
  '=?base64?literal?=',
  'a\nb',
  '世界',
  'us-west1',
  '\t',
  'x\u00a0',
  'file:///a%20b',
  '42',
  'true',
  '\ud800',
  'a=?base64?YQ==?=',
]
const values: Vocabulary = {
  seeds: [...names.filter((name) => name.isWellFormed()).map(encodeHeader), ...names],
  token: /=\?base64\?|\?=|[A-Za-z0-9+/]{1,4}|=|[\s\S]/g,
  words: [
    '=?base64?',
    '?=',
    '=?BASE64?',
    '=',
    '==',
    'YQ==',
    'YR==',
    '/w==',
    '7aCA',
    'wK8=',
    '4oKs',
    '77u/',
    '8J+YgA==',
    ' ',
    '\t',
    '\u00a0',
    '\u0000',
    '\u0080',
    '\u00ff',
    ...numberForms,
  ],
}
const methods = ['tools/call', 'tools/list', 'prompts/get', 'resources/read', 'ping', 'tasks/get', 'unknown/method']
const schemas = [
  {
    type: 'object',
    properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, on: { type: 'boolean', 'x-mcp-header': 'On' } },
  },
  {
    type: 'object',
    properties: {
      n: { type: 'integer', 'x-mcp-header': 'N' },
      at: { type: 'object', properties: { n: { type: 'integer', 'x-mcp-header': 'At-N' } } },
    },
  },
  {
    type: 'object',
    properties: {
      constructor: { type: 'string', 'x-mcp-header': 'Constructor' },
      region: { type: 'string', 'x-mcp-header': 'X' },
    },
  },
].map((schema) => JSON.stringify(schema))
const argumentSeeds = [
  '{"region":"eu","on":true}',
  '{"n":42,"at":{"n":-7}}',
  '{"region":" pad "}',
  '{"n":1.0,"on":false}',
  '{"constructor":"x","region":null}',
  '{}',
  '{"n":"42"}',
  '{"at":[1]}',
]
const vocabulary = (seeds: readonly string[], words: readonly string[] = []): Vocabulary => ({
  seeds,
  token: /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[\s\S]/g,
  words: [
    ...words,
    ...numberForms,
    'null',
    'true',
    '"eu"',
    '"n":',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"x-mcp-header":',
    '"items":',
    '"integer"',
    '"string"',
  ],
})
const argumentWords = vocabulary(argumentSeeds)
const schemaWords = vocabulary(schemas)

/** A value as node:http would hand it in: latin1, no line breaks. Written well most of the time. */
function headerFor(random: Random, text: string): string {
  const good = random.once(2)
    ? encodeHeader(text)
    : /^[\x21-\x7e]+$/.test(text)
      ? text
      : `=?base64?${Buffer.from(text).toString('base64')}?=`
  return random.once(3) ? mutated(random, values, 2, good) : good
}

function make(random: Random): Input {
  switch (random.below(4)) {
    case 0:
      return { kind: 'text', text: mutated(random, values, 4, random.pick(names)) }
    case 1:
      return { kind: 'value', value: mutated(random, values) }
    case 2: {
      const method = random.pick(methods)
      const name = mutated(random, values, 1, random.pick(names))
      const key = method === 'resources/read' ? 'uri' : method === 'tasks/get' ? 'taskId' : 'name'
      const headers: Headers = {}
      if (!random.once(20)) headers['mcp-method'] = random.once(10) ? mutated(random, values, 2, method) : method
      if (!random.once(10)) headers['mcp-name'] = headerFor(random, name)
      return {
        kind: 'standard',
        headers,
        method,
        params: random.once(12) ? mutated(random, argumentWords) : JSON.stringify({ [key]: name }),
      }
    }
    default: {
      const schema = mutated(random, schemaWords, 1)
      const args = mutated(random, argumentWords, 3)
      const headers: Headers = {}
      for (const [name, path] of [
        ['region', ['region']],
        ['on', ['on']],
        ['n', ['n']],
        ['at-n', ['at', 'n']],
        ['x', ['region']],
        ['constructor', ['constructor']],
      ] as const) {
        const value = args.match(new RegExp(`"${path.at(-1)}":("(?:[^"\\\\]|\\\\.)*"|[^,}\\]]+)`))?.[1]
        if (value !== undefined && !random.once(8)) headers[`mcp-param-${name}`] = headerFor(random, value.replace(/^"|"$/g, ''))
      }
      return { kind: 'params', headers, schema, args }
    }
  }
}

export interface Codec {
  readonly encode: typeof encodeHeader
  readonly decode: typeof decodeHeader
  readonly standard: typeof standardMismatch
  readonly params: typeof paramMismatch
}
const ours: Codec = { encode: encodeHeader, decode: decodeHeader, standard: standardMismatch, params: paramMismatch }

/** `codec` is replaced only to show that the fuzzer finds what it looks for. */
export const headersFuzzer = (codec: Codec = ours): Fuzzer => ({
  name: 'headers',
  share: { cases: 25, seconds: 6 },
  open: (): Target<Input> => ({
    lanes: 1,
    make,
    check: (input) => accepts(input, codec),
    show: (input) => JSON.stringify(input, null, 1),
    close: () => undefined,
  }),
})

function accepts(input: Input, codec: Codec): boolean {
  switch (input.kind) {
    case 'text': {
      if (!input.text.isWellFormed()) return false // a subject like that is refused before it is encoded
      const value = codec.encode(input.text)
      must(
        /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/.test(value),
        () => `encodes as ${JSON.stringify(value)}, which no header can carry`,
      )
      must(
        codec.decode(value) === input.text,
        () => `${JSON.stringify(input.text)} comes back as ${JSON.stringify(codec.decode(value))}`,
      )
      must(decoded(value) === input.text, () => `encoded as ${value}, another reader has ${JSON.stringify(decoded(value))}`)
      return true
    }
    case 'value': {
      const found = codec.decode(input.value)
      must(
        found === decoded(input.value),
        () => `decodes as ${JSON.stringify(found)}, by hand as ${JSON.stringify(decoded(input.value))}`,
      )
      return found !== undefined
    }
    case 'standard':
      return checkStandard(input, codec)
    case 'params':
      return checkParams(input, codec)
  }
}

function checkStandard({ headers, method, params: text }: Input & { kind: 'standard' }, codec: Codec): boolean {
  const params = objectOf(text)
  if (params === undefined) return false
  const row = builtInMethods(method)
  const fault = codec.standard(headers, method, row, params)
  const given = headers['mcp-method']
  const named = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri', 'tasks/get': 'taskId' }[method]
  const subject = named === undefined ? undefined : params[named]
  const methodFits = given !== undefined && withoutPadding(given) === method
  const nameFits =
    typeof subject !== 'string' ||
    !subject.isWellFormed() ||
    (headers['mcp-name'] !== undefined && decoded(headers['mcp-name']) === subject)
  must(
    (fault === undefined) === (methodFits && nameFits),
    () =>
      `says ${JSON.stringify(fault)}; the method ${methodFits ? 'fits' : 'differs'}, the name ${nameFits ? 'fits' : 'differs'}`,
  )
  return fault === undefined
}

function checkParams({ headers, schema, args: text }: Input & { kind: 'params' }, codec: Codec): boolean {
  const args = objectOf(text)
  const declared = paramHeaders(objectOf(schema))
  if (args === undefined || typeof declared === 'string') return false
  const fault = codec.params(headers, declared, args)
  const wrong = declared.filter(
    ({ header, path, integer }) => !fits(headers[`mcp-param-${header.toLowerCase()}`], writtenAt(text, path), integer),
  )
  must(
    (fault === undefined) === (wrong.length === 0),
    () => `says ${JSON.stringify(fault)}; by hand wrong: ${wrong.map(({ header }) => header).join(', ') || 'nothing'}`,
  )
  const sent = requestHeaders('2026-07-28', 'tools/call', builtInMethods('tools/call'), { name: 'x', arguments: args }, declared)
  const own = codec.params(sent, declared, args)
  must(
    own === undefined || !text.isWellFormed() || /\\u[dD][89a-fA-F]/.test(text),
    () => `our own headers ${JSON.stringify(sent)} do not pass: ${own}`,
  )
  return fault === undefined
}

function objectOf(text: string): JsonObject | undefined {
  try {
    const value = parseStrict(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) && !('rawJSON' in value)
      ? (value as JsonObject)
      : undefined
  } catch {
    return undefined
  }
}

/** The argument at `path`: a primitive as text, with numbers as they are written; `null` where no header may be. */
function writtenAt(text: string, path: readonly string[]): { readonly text: string; readonly number: boolean } | null {
  let value: unknown = JSON.parse(text, (_key, read: unknown, context?: { source?: string }) =>
    typeof read === 'number' ? { number: context?.source ?? String(read) } : read,
  )
  for (const key of path)
    value = isHolder(value) && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
  if (typeof value === 'string' || typeof value === 'boolean') return { text: String(value), number: false }
  const number =
    typeof value === 'object' && value !== null && Object.keys(value).join() === 'number'
      ? (value as { number: unknown }).number
      : undefined
  return typeof number === 'string' ? { text: number, number: true } : null
}
const isHolder = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

function fits(
  header: string | undefined,
  wanted: { readonly text: string; readonly number: boolean } | null,
  integer: boolean,
): boolean {
  if (header === undefined || wanted === null) return header === undefined && wanted === null
  const value = decoded(header)
  if (value === undefined) return false
  return value === wanted.text || (integer && sameNumber(value, wanted.text))
}

/** As fractions of whole numbers, without rounding. */
function sameNumber(one: string, two: string): boolean {
  const [left, right] = [fraction(one), fraction(two)]
  return left !== undefined && right !== undefined && left[0] * right[1] === right[0] * left[1]
}
function fraction(text: string): readonly [bigint, bigint] | undefined {
  const [, sign, whole = '', part = '', exponent = '0'] = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  if (sign === undefined || text.length > 400 || Math.abs(Number(exponent)) > 999) return undefined // longer ones are compared as text
  const shift = BigInt(Math.abs(Number(exponent)))
  const digits = BigInt(whole + part) * (sign === '-' ? -1n : 1n)
  const below = 10n ** BigInt(part.length)
  return Number(exponent) < 0 ? [digits, below * 10n ** shift] : [digits * 10n ** shift, below]
}

const withoutPadding = (value: string): string => {
  let [from, to] = [0, value.length]
  while (value[from] === ' ' || value[from] === '\t') from++
  while (to > from && (value[to - 1] === ' ' || value[to - 1] === '\t')) to--
  return value.slice(from, to)
}

/** What a header value says, or undefined where it says nothing. */
export function decoded(value: string): string | undefined {
  const text = withoutPadding(value)
  for (const sign of text) if (!((sign >= ' ' && sign <= '~') || sign === '\t')) return undefined
  if (!(text.length >= 11 && text.slice(0, 9) === '=?base64?' && text.slice(-2) === '?=')) return text
  const bytes = fromBase64(text.slice(9, -2))
  return bytes && fromUtf8(bytes)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** RFC 4648, section 4, padding required. */
function fromBase64(text: string): readonly number[] | undefined {
  if (text.length % 4 !== 0) return undefined
  const bytes: number[] = []
  for (let at = 0; at < text.length; at += 4) {
    const four = text.slice(at, at + 4)
    const padding = at + 4 < text.length ? 0 : four.endsWith('==') ? 2 : four.endsWith('=') ? 1 : 0
    const digits = [...four.slice(0, 4 - padding)].map((sign) => alphabet.indexOf(sign))
    if (digits.includes(-1)) return undefined
    const [a = 0, b = 0, c = 0, d = 0] = digits
    bytes.push(...[(a << 2) | (b >> 4), ((b & 15) << 4) | (c >> 2), ((c & 3) << 6) | d].slice(0, 3 - padding))
  }
  return bytes
}

/** RFC 3629: the shortest form only, no surrogates, nothing beyond U+10FFFF. */
function fromUtf8(bytes: readonly number[]): string | undefined {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at++] as number
    const more =
      lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : -1
    if (more === -1) return undefined
    let point = more === 0 ? lead : lead & (0x3f >> more)
    for (let left = more; left > 0; left--) {
      const next = bytes[at++]
      if (next === undefined || (next & 0xc0) !== 0x80) return undefined
      point = (point << 6) | (next & 0x3f)
    }
    if (point < [0, 0x80, 0x800, 0x10000][more]! || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff) return undefined
    text += String.fromCodePoint(point)
  }
  return text
}
