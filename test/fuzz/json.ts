/** JSON-RPC text → parseStrict → readMessage, against a reader that is too simple to be wrong. */
import { canonicalJson } from '../../src/lib/canonical-json.ts'
import { JsonRefused, type JsonValue, parseStrict } from '../../src/lib/strict-json.ts'
import { EnvelopeRefused, type Message, readMessage, writeMessage } from '../../src/protocol/json-rpc.ts'
import { type Fuzzer, must, type Target } from './fuzzer.ts'
import { jsonVocabulary } from './messages.ts'
import { mutated } from './mutate.ts'
import { hasKey, keyTwice, memberOf, type Node, readPlainly, spelled, textOf } from './plain-json.ts'
import type { Random } from './random.ts'

/** Never read through lib/: what the gateway says that its limits are. */
const depthMax = 64

export interface Reader {
  readonly parse: (text: string, depthMax?: number) => JsonValue
  readonly read: (value: JsonValue) => Message
}

/** `reader` is replaced only to show that the fuzzer finds what it looks for. */
export const jsonFuzzer = (reader: Reader = { parse: parseStrict, read: readMessage }): Fuzzer => ({
  name: 'json',
  share: { cases: 44, seconds: 8 },
  open: (): Target<string> => ({
    lanes: 1,
    make: (random: Random) => mutated(random, jsonVocabulary),
    check: (text) => accepts(text, reader),
    show: (text) => text,
    close: () => undefined,
  }),
})

function accepts(text: string, { parse, read }: Reader): boolean {
  const value = attempt(() => parse(text, depthMax), JsonRefused)
  const plain = readPlainly(text, depthMax)
  const why = plain === undefined ? 'it is not JSON, or too deep' : ambiguity(plain)
  must(
    (value === undefined) === (why !== undefined),
    () => `parseStrict ${value === undefined ? 'refused what is good' : `accepted, but ${why}`}`,
  )
  if (value === undefined || plain === undefined) return false
  sameAgain(value, plain, parse)
  const message = attempt(() => read(value), EnvelopeRefused)
  if (message === undefined) return false
  readsAs(message, plain)
  const again = read(parse(JSON.stringify(writeMessage(message))))
  must(canonicalJson(again) === canonicalJson(message), () => 'the message reads differently after it was written')
  return true
}

/** Undefined where it was refused with the one error that it may be refused with. */
function attempt<Value extends object | string | number | boolean | null>(
  work: () => Value,
  refusal: new (...args: never[]) => Error,
): Value | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof refusal) return undefined
    throw error
  }
}

/** Why two readers could disagree about it. */
export function ambiguity(plain: Node): string | undefined {
  const twice = keyTwice(plain)
  if (twice !== undefined) return `the key ${JSON.stringify(twice)} comes twice`
  if (hasKey(plain, (key) => key === '__proto__')) return 'there is a key "__proto__"'
  if (hasKey(plain, (key) => !key.isWellFormed())) return 'a key is not Unicode'
  return undefined
}

/** Written and read again it is the same, and every number has its text. */
function sameAgain(value: JsonValue, plain: Node, parse: Reader['parse']): void {
  const canonical = canonicalJson(value)
  for (const [name, text] of [
    ['JSON.stringify', JSON.stringify(value)],
    ['canonicalJson', canonical],
  ] as const) {
    const back = readPlainly(text, depthMax)
    must(back !== undefined && spelled(back) === spelled(plain), () => `${name} wrote another value: ${text.slice(0, 200)}`)
    must(canonicalJson(parse(text)) === canonical, () => `read again after ${name}, the canonical JSON is another`)
  }
}

/** Keys that decide what a message is. Compared as the most tolerant readers do: Unicode simple case folding. */
const like = (...keys: string[]) => keys.map((key) => [key, new RegExp(`^${key}$`, 'iu')] as const)
const deciding = like(
  ...['jsonrpc', 'id', 'method', 'params', 'result', 'error', '_meta', 'name', 'arguments', 'uri', 'cursor', 'ref', 'requestId'],
  ...['taskId', 'requestState', 'progressToken', 'inputResponses', 'notifications', 'level', 'argument', 'context'],
)
const inside: readonly (readonly [member: string, keys: ReturnType<typeof like>])[] = [
  ['_meta', deciding],
  ['ref', like('type', 'name', 'uri')],
  ['notifications', like('toolsListChanged', 'promptsListChanged', 'resourcesListChanged', 'resourceSubscriptions')],
]

/** The key that a tolerant reader takes for another, in the holders that decide something. */
export function nearMiss(plain: Node): string | undefined {
  const method = memberOf(plain, 'method')
  const params = memberOf(plain, 'params') ?? memberOf(plain, 'result') ?? memberOf(plain, 'error')
  const holders = [
    [plain, deciding] as const,
    [params, deciding] as const,
    ...inside
      .filter(([member]) => method !== undefined || member === '_meta')
      .map(([member, keys]) => [memberOf(params, member), keys] as const),
  ]
  for (const [holder, keys] of holders)
    if (holder?.kind === 'object')
      for (const [key] of holder.members) if (keys.some(([meant, form]) => form.test(key) && key !== meant)) return key
  return undefined
}

/** An accepted message says what its text says. */
function readsAs(message: Message, plain: Node): void {
  const near = nearMiss(plain)
  must(near === undefined, () => `accepted with the key ${JSON.stringify(near)}, which a tolerant reader takes for another`)
  must(textOf(memberOf(plain, 'jsonrpc')) === '2.0', () => 'accepted without "jsonrpc": "2.0"')
  const method = textOf(memberOf(plain, 'method'))
  must(method === (message.kind === 'response' ? undefined : message.method), () => `the method is ${method}`)
  const id = memberOf(plain, 'id')
  if (message.kind === 'notification') return must(id === undefined, () => 'a notification has an id')
  if (message.kind === 'response' && message.id === undefined) return
  const written = id === undefined ? '' : spelled(id)
  must(
    written === JSON.stringify(message.id),
    () => `the id is ${written} in the text and ${JSON.stringify(message.id)} in the message`,
  )
}
