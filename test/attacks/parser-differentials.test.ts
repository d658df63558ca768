/**
 * One text, two readings: the gateway decides on one and the server acts on the other. cves.md: GHSA-4gph-2hhr-5mwg (Envoy AI
 * Gateway) and docker #414/#418. Each exploit succeeds through a naive gateway and is refused by Sekisho before the server.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { envelope, type Got, send, version } from './support/client.ts'
import { type Echo, echo, type Json } from './support/echo.ts'
import { httpServer, open, passed, refused, yard } from './support/house.ts'
import { type Naive, naive } from './support/naive.ts'
import { caseBlind, firstWins, merged, type Reading } from './support/tolerant.ts'

const house = yard()
const rules = [{ effect: 'allow', server: 'notes', tools: ['read_*'], prompts: ['public_*'], resources: ['public://*'] }]
let upstream: Echo
let url: string
let careless: Naive

before(async () => {
  upstream = await echo()
  careless = await naive(upstream.url, (message) => !JSON.stringify(subject(message)).includes('secret'))
  url = `${(await house.gateway(open({ notes: httpServer(upstream) }, { roles: { all: rules } }))).url}/notes/mcp`
})
after(async () => {
  await house.close()
  await Promise.all([upstream.close(), careless.close()])
})

/** What a policy would look at. */
const subject = (message: Json): unknown => {
  const { name, arguments: given, ref } = (message['params'] ?? {}) as Json & { ref?: Json }
  return message['method'] === 'tools/call' ? [name, given] : [ref?.['type'], ref?.['name'], ref?.['uri']]
}
const meta = `"_meta":${JSON.stringify(envelope())}`
const call = (params: string, method = 'tools/call'): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{${params},${meta}}}`
const complete = (ref: string): string => call(`"argument":{"name":"a","value":""},"ref":{${ref}}`, 'completion/complete')

const asTool = { 'mcp-method': 'tools/call', 'mcp-name': 'read_note' }
const attempt = (at: string, body: string | Buffer, headers: Record<string, string> = asTool): Promise<Got> =>
  send(at, { body, headers: { 'mcp-protocol-version': version, ...headers } })

type Row = readonly [name: string, body: string, reading: Reading, code: string, says: RegExp, headers?: Record<string, string>]
const exploits: readonly Row[] = [
  [
    'GHSA-4gph-2hhr-5mwg: "Name" after "name"',
    call('"name":"read_note","Name":"secret"'),
    caseBlind,
    'INVALID_REQUEST',
    /"Name" is not "name"/,
  ],
  [
    'GHSA-4gph-2hhr-5mwg: "NAME" by escapes',
    call('"name":"read_note","\\u004eAME":"secret"'),
    caseBlind,
    'INVALID_REQUEST',
    /"NAME" is not "name"/,
  ],
  [
    'GHSA-4gph-2hhr-5mwg: "Arguments"',
    call('"name":"read_note","arguments":{},"Arguments":{"of":"secret"}'),
    caseBlind,
    'INVALID_REQUEST',
    /"Arguments" is not/,
  ],
  [
    'GHSA-4gph-2hhr-5mwg: "argumentſ", which folds to "arguments"',
    call('"name":"read_note","arguments":{},"argumentſ":{"of":"secret"}'),
    caseBlind,
    'INVALID_REQUEST',
    /is not "arguments"/,
  ],
  [
    'docker #414: "Params" beside "params"',
    call('"name":"read_note"').replace(/}$/, ',"Params":{"name":"secret"}}'),
    caseBlind,
    'INVALID_REQUEST',
    /"Params" is not "params"/,
  ],
  [
    'docker #418: "Method" beside "method"',
    call('"name":"secret"', 'ping').replace(/}$/, ',"Method":"tools/call"}'),
    caseBlind,
    'INVALID_REQUEST',
    /"Method" is not "method"/,
    { 'mcp-method': 'ping' },
  ],
  ['"name" twice, the server takes the first', call('"name":"secret","name":"read_note"'), firstWins, 'PARSE', /same key twice/],
  [
    '"name" twice, once by escapes',
    call('"n\\u0061me":"secret","name":"read_note"'),
    (text) => firstWins(text.replace('\\u0061', 'a')),
    'PARSE',
    /same key twice/,
  ],
  [
    'an argument twice',
    call('"name":"read_note","arguments":{"of":"secret","of":"public"}'),
    firstWins,
    'PARSE',
    /same key twice/,
  ],
  [
    '"params" twice',
    call('"name":"read_note"').replace('"params":', '"params":{"name":"secret"},"params":'),
    firstWins,
    'PARSE',
    /same key twice/,
  ],
  ['"__proto__" under a merge', call('"__proto__":{"name":"secret"}'), merged, 'PARSE', /__proto__/],
  [
    '"__proto__" deep in the arguments',
    call('"name":"read_note","arguments":{"a":[{"__proto__":{"of":"secret"}}]}'),
    JSON.parse,
    'PARSE',
    /__proto__/,
  ],
  [
    'GHSA-4gph-2hhr-5mwg: "Name" inside "ref"',
    complete('"type":"ref/prompt","name":"public_x","Name":"secret"'),
    caseBlind,
    'INVALID_REQUEST',
    /"Name" is not "name"/,
    { 'mcp-method': 'completion/complete' },
  ],
  [
    'GHSA-4gph-2hhr-5mwg: "URI" inside "ref"',
    complete('"type":"ref/resource","uri":"public://x","URI":"secret://x"'),
    caseBlind,
    'INVALID_REQUEST',
    /"URI" is not "uri"/,
    { 'mcp-method': 'completion/complete' },
  ],
]

describe('the exploit works on a server behind a gateway that decides with JSON.parse', () => {
  for (const [name, body, reading, , , headers] of exploits.filter(([name]) => !name.startsWith('"__proto__" deep')))
    it(name, async () => {
      upstream.heard.length = 0
      const got = await attempt(careless.url, body, headers)
      assert.equal(got.status, 200, got.text)
      const arrived = upstream.heard[0]?.body ?? ''
      const read = reading(arrived)
      const params = (read['params'] ?? {}) as Json
      const acted = [params['name'], params['arguments'], params['ref']]
      assert.match(JSON.stringify(acted), /secret/, 'the server acts on the secret')
    })
})

describe('and is refused by Sekisho, which reads a text in one way or not at all', () => {
  for (const [name, body, , code, says, headers] of exploits)
    it(name, async () => {
      upstream.heard.length = 0
      refused(await attempt(url, body, headers), 400, code, says)
      assert.deepEqual(upstream.methods(), [])
    })
})

const utf16 = Buffer.from(`\ufeff${call('"name":"read_note"')}`, 'utf16le')
const overlong = Buffer.from(call('"name":"read_note@@"'), 'utf8')
overlong.set([0xc0, 0xaf], overlong.indexOf('@@'))
const broken: readonly (readonly [name: string, body: string | Buffer, code: string])[] = [
  ['nothing', '', 'PARSE'],
  ['two texts', `${call('"name":"read_note"')}${call('"name":"secret"')}`, 'PARSE'],
  ['a byte order mark', `\ufeff${call('"name":"read_note"')}`, 'PARSE'],
  ['UTF-16', utf16, 'PARSE'],
  ['an overlong slash', overlong, 'PARSE'],
  ['half a surrogate as raw bytes', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'PARSE'],
  ['a comment', call('/* */"name":"read_note"'), 'PARSE'],
  ['a trailing comma', call('"name":"read_note"').replace('}}', '},}'), 'PARSE'],
  ['single quotes', call("'name':'read_note'"), 'PARSE'],
  ['NaN', call('"name":"read_note","arguments":{"n":NaN}'), 'PARSE'],
  ['a leading zero', call('"name":"read_note","arguments":{"n":01}'), 'PARSE'],
  ['a raw NUL in a string', call('"name":"read\u0000_note"'), 'PARSE'],
  ['65 levels', call(`"name":"read_note","arguments":${'{"a":'.repeat(65)}1${'}'.repeat(65)}`), 'PARSE'],
  ['a string', '"tools/call"', 'INVALID_REQUEST'],
  ['null', 'null', 'INVALID_REQUEST'],
  ['params as a list', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["read_note"]}', 'INVALID_REQUEST'],
  ['id null', call('"name":"read_note"').replace('"id":1', '"id":null'), 'INVALID_REQUEST'],
  ['id 1.5', call('"name":"read_note"').replace('"id":1', '"id":1.5'), 'INVALID_REQUEST'],
  ['id beyond 2^53', call('"name":"read_note"').replace('"id":1', '"id":9007199254740993'), 'INVALID_REQUEST'],
  ['jsonrpc 2', call('"name":"read_note"').replace('"2.0"', '2.0'), 'INVALID_REQUEST'],
  ['a request that is also a response', call('"name":"read_note"').replace(/}$/, ',"result":{}}'), 'INVALID_REQUEST'],
  ['an unknown member beside method', call('"name":"read_note"').replace(/}$/, ',"tenant":"x"}'), 'INVALID_REQUEST'],
  ['a modern message in a batch', `[${call('"name":"read_note"')}]`, 'INVALID_REQUEST'],
]

describe('a text that is not one JSON-RPC message never reaches the server', () => {
  for (const [name, body, code] of broken)
    it(name, async () => {
      upstream.heard.length = 0
      refused(await attempt(url, body), 400, code, /./)
      assert.deepEqual(upstream.methods(), [])
    })
})

describe('what JavaScript would change arrives as it was judged', () => {
  for (const number of ['9007199254740993', '12345678901234567890.5', '1.0', '-0', '1e400', '0.1e-400', '1E2'])
    it(`the number ${number}`, async () => {
      upstream.heard.length = 0
      passed(await attempt(url, call(`"name":"read_note","arguments":{"n":${number}}`)))
      assert.ok(upstream.heard.at(-1)?.body.includes(`{"n":${number}}`), upstream.heard.at(-1)?.body)
    })

  it('we send what we judged, never the bytes that came', async () => {
    upstream.heard.length = 0
    passed(await attempt(url, call('"name" : "r\\u0065ad_note" ,\n "arguments": { "a":"\\ud83d\\ude00" }')))
    const body = upstream.heard.at(-1)?.body ?? ''
    assert.ok(body.includes('"name":"read_note"') && body.includes('{"a":"😀"}'), body)
  })
})
