/** Is a fuzzer worth its time? Each has to find a mistake that was made for it, and to make the same case twice. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from '../../src/config/load.ts'
import { LineSplitter } from '../../src/lib/lines.ts'
import { readEvents } from '../../src/lib/sse.ts'
import { JsonRefused, type JsonValue, parseStrict } from '../../src/lib/strict-json.ts'
import { type Message, readMessage } from '../../src/protocol/json-rpc.ts'
import { decodeHeader, encodeHeader, paramMismatch, standardMismatch } from '../../src/protocol/revisions/2026-07-28/headers.ts'
import type { Definition } from '../../src/trust/definition.ts'
import type { ScanFinding } from '../../src/trust/scan/finding.ts'
import { scanDefinition } from '../../src/trust/scan/scan.ts'
import { configFuzzer, type ParseConfig } from './config.ts'
import { drive, type Fuzzer, type Target } from './fuzzer.ts'
import { type Codec, headersFuzzer } from './headers.ts'
import { jsonFuzzer, type Reader } from './json.ts'
import { linesFuzzer } from './lines.ts'
import { keyTwice, readPlainly } from './plain-json.ts'
import { Random } from './random.ts'
import { scanFuzzer } from './scan.ts'
import { sseFuzzer } from './sse.ts'
import { wrongWith } from './upstream.ts'

const json = (mistake: Partial<Reader>): Fuzzer => jsonFuzzer({ parse: parseStrict, read: readMessage, ...mistake })
const headers = (mistake: Partial<Codec>): Fuzzer =>
  headersFuzzer({ encode: encodeHeader, decode: decodeHeader, standard: standardMismatch, params: paramMismatch, ...mistake })
const lenient = (text: string): JsonValue => {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    throw new JsonRefused('syntax', 'not JSON')
  }
}
/** Without the reading of keys that are nearly right. */
const careless = (value: JsonValue): Message => {
  try {
    return readMessage(value)
  } catch (error) {
    const bare = value as { id?: number; method?: string; params?: object; jsonrpc?: string }
    if (
      bare?.jsonrpc === '2.0' &&
      typeof bare.method === 'string' &&
      typeof bare.params === 'object' &&
      typeof bare.id === 'number'
    )
      return { kind: 'request', id: bare.id, method: bare.method, params: {} }
    throw error
  }
}
/** Reads each chunk by itself. */
async function* forgetful(body: AsyncIterable<Uint8Array>, eventBytesMax: number): ReturnType<typeof readEvents> {
  for await (const chunk of body) yield* readEvents(one(chunk), eventBytesMax)
}
async function* one(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk
}
const trusting: ParseConfig = (text) => {
  try {
    return parseConfig(text, '/fuzz')
  } catch (error) {
    return parseConfig(text.replace(/^(listen|identity):.*$/gm, ''), '/fuzz') ?? error
  }
}

const scanned = (definition: Definition): readonly ScanFinding[] => scanDefinition(definition, { server: 'fuzz' })
const bare = (definition: Definition): readonly ScanFinding[] =>
  scanned(definition).map((found) => ({ ...found, shown: String(definition.body['description']) }))
const beyond = (definition: Definition): readonly ScanFinding[] =>
  scanned(definition).map((found) => ({ ...found, at: { ...found.at, end: found.at.end + 1 } }))

const mistakes: readonly [mistake: string, fuzzer: Fuzzer, finds: RegExp][] = [
  ['takes the last of two keys', json({ parse: lenient }), /comes twice|"__proto__"|wrote another value/],
  ['rounds numbers', json({ parse: (text, depthMax) => (parseStrict(text, depthMax), lenient(text)) }), /wrote another value/],
  [
    'refuses what it need not',
    json({ parse: (text, depthMax) => (text.includes('\t') ? lenient('') : parseStrict(text, depthMax)) }),
    /refused what is good/,
  ],
  [
    'throws something else',
    json({ parse: (text, depthMax) => (text.includes('\u2028') ? null!['x'] : parseStrict(text, depthMax)) }),
    /null/,
  ],
  ['does not mind the depth', json({ parse: (text) => parseStrict(text, 100_000) }), /too deep/],
  ['takes Name for name', json({ read: careless }), /tolerant reader|reads differently/],
  [
    'cannot be read again',
    json({ read: (value) => (JSON.stringify(value).includes('{},') ? never() : readMessage(value)) }),
    /no reason/,
  ],
  [
    'folds the case of a name',
    headers({
      standard: (all, ...rest) => standardMismatch({ ...all, 'mcp-method': all['mcp-method']?.toLowerCase() }, ...rest),
    }),
    /method differs/,
  ],
  ['trims what is not a space', headers({ decode: (value) => decodeHeader(value.trim()) }), /by hand/],
  [
    'rounds an integer',
    headers({
      params: (all, declared, args) =>
        paramMismatch(all, declared, args) && 'n' in args && Number(all['mcp-param-n']) === Number(JSON.stringify(args['n']))
          ? undefined
          : paramMismatch(all, declared, args),
    }),
    /by hand wrong: /,
  ],
  [
    'takes Base64 without padding',
    headers({
      decode: (value) =>
        decodeHeader(value) ??
        (/^=\?base64\?\w+\?=$/.test(value) ? Buffer.from(value.slice(9, -2), 'base64').toString() : undefined),
    }),
    /by hand as undefined/,
  ],
  ['writes UTF-8 into a header', headers({ encode: (text) => text }), /no header can carry/],
  ['forgets what a chunk ended with', sseFuzzer(forgetful), /in \d+ chunks/],
  ['takes any size', sseFuzzer((body) => readEvents(body, 1e9)), /reads on|ended with undefined|in \d+ chunks/],
  [
    'splits at a CR',
    linesFuzzer((max, onLine, onFault) => ({
      push: (chunk) => new LineSplitter(max, (line) => line.split('\r').forEach(onLine), onFault).push(chunk),
    })),
    /chunks/,
  ],
  ['takes any line', linesFuzzer((_, onLine, onFault) => new LineSplitter(1e9, onLine, onFault)), /too-long/],
  ['lets a broken key be', configFuzzer(trusting), /./],
  ['shows the text as it is', scanFuzzer(bare), /shows what cannot be seen/],
  ['marks beyond the end', scanFuzzer(beyond), /marks what is not there/],
]

const never = (): never => {
  throw new Error('no reason')
}

for (const [mistake, fuzzer, finds] of mistakes)
  test(`the ${fuzzer.name} fuzzer finds a reader that ${mistake}`, async () => {
    const { found, cases } = await drive(fuzzer, { seed: 1, cases: 20_000, seconds: 20 })
    assert.ok(found, `nothing in ${cases} cases`)
    assert.match(String(found.error), finds)
    assert.equal(found.inputs.length, 1)
    const again = await drive(fuzzer, { seed: 1, from: found.at as number, cases: 1, seconds: 5 })
    assert.equal(again.found?.at, found.at)
  })

test('the same seed and number make the same case, another number another', () => {
  const target = jsonFuzzer().open() as Target<string>
  const text = (seed: number, at: number): string =>
    Array.from({ length: 50 }, (_, place) => target.make(new Random(seed, at + place))).join('\n')
  assert.equal(text(5, 100), text(5, 100))
  assert.notEqual(text(5, 100), text(5, 200))
  assert.notEqual(text(5, 100), text(6, 100))
})

const head = [
  'content-type',
  'application/json',
  'mcp-method',
  'tools/call',
  'mcp-name',
  'a',
  'mcp-protocol-version',
  '2026-07-28',
]
const bodyWith = (params: string): string => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`
const meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}'
const arrivals: readonly [what: string, headers: readonly string[], body: string, wrong: RegExp | undefined][] = [
  ['a good call', head, bodyWith(`{"name":"a",${meta}}`), undefined],
  ['a key twice', head, bodyWith(`{"name":"a","name":"b",${meta}}`), /comes twice/],
  ['a key that is nearly one', head, bodyWith(`{"name":"a","Name":"b",${meta}}`), /tolerant/],
  ['another name in the header', head, bodyWith(`{"name":"b",${meta}}`), /Mcp-Name/],
  ['another version in the header', head, bodyWith('{"name":"a"}'), /Protocol-Version/],
  ['a credential', [...head, 'authorization', 'Bearer x'], bodyWith(`{"name":"a",${meta}}`), /authorization/],
  ['a header twice', [...head, 'Mcp-Name', 'b'], bodyWith(`{"name":"a",${meta}}`), /mcp-name comes twice/],
  [
    'what policy denies',
    [...head.slice(0, 5), 'forbidden_tool', ...head.slice(6)],
    bodyWith(`{"name":"forbidden_tool",${meta}}`),
    /policy denies/,
  ],
  ['a batch', head, `[${bodyWith('{}')}]`, /not one message/],
  ['half a character', head, bodyWith('{"name":"a","\\ud800":1}'), /not Unicode/],
]
for (const [what, rawHeaders, body, wrong] of arrivals)
  test(`the gateway fuzzer's upstream ${wrong ? 'minds' : 'does not mind'} ${what}`, () => {
    const found = wrongWith({ rawHeaders: [...rawHeaders], url: '/modern' }, Buffer.from(body))
    if (wrong) assert.match(found ?? '', wrong)
    else assert.equal(found, undefined)
  })

test('the plain reader reads what JSON.parse reads, and sees keys that come twice', () => {
  for (const text of ['{}', '[1,-2.5e+3,"a\\u0062\\n",true,null,{"a":{"b":[]}}]', ' "x" ', '0', '"\\ud800"'])
    assert.ok(readPlainly(text, 9))
  for (const text of ['', '{', '{"a":1,}', '[1 2]', '01', '+1', '.5', "'a'", '"\n"', '"\\x"', 'nul', '{a:1}', '[1]x', '\ufeff1'])
    assert.equal(readPlainly(text, 9), undefined)
  assert.equal(readPlainly('[[[1]]]', 2), undefined)
  assert.equal(keyTwice(readPlainly('{"a":[{"b":1,"\\u0062":2}]}', 9)!), 'b')
})
