/** What the fuzzers know of MCP: good messages of both eras, and the words they are made of. */
import { numberForms, type Vocabulary } from './mutate.ts'

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, sampling: {}, roots: {} },
  'io.modelcontextprotocol/clientInfo': { name: 'fuzzer', version: '1.0.0' },
}
const forms = Object.fromEntries(numberForms.filter((form) => /^-?\d+$/.test(form)).map((form, at) => [`n${at}`, Number(form)]))

/** Parameters of one message; `modern` ones carry the envelope of 2026-07-28. */
export interface Sample {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  readonly notification?: true
}
const both: readonly Sample[] = [
  { method: 'tools/list', params: {} },
  { method: 'tools/list', params: { cursor: 'page-2' } },
  {
    method: 'tools/call',
    params: { name: 'read_file', arguments: { path: 'a.txt', lines: [1, 2.5, -3e-7], deep: { a: { b: [{}] } } } },
  },
  {
    method: 'tools/call',
    params: { name: 'write_file', arguments: { path: 'é\u0000"\\', content: 'x'.repeat(64) }, _meta: { progressToken: 7 } },
  },
  { method: 'tools/call', params: { name: 'forbidden_tool', arguments: {} } },
  { method: 'tools/call', params: { name: 'region', arguments: { region: 'eu', at: { n: 42 }, on: true } } },
  { method: 'tools/call', params: { name: 'region', arguments: forms } },
  { method: 'prompts/list', params: {} },
  { method: 'prompts/get', params: { name: 'hello', arguments: { who: 'wörld' } } },
  { method: 'prompts/get', params: { name: 'forbidden_prompt' } },
  { method: 'resources/list', params: {} },
  { method: 'resources/templates/list', params: {} },
  { method: 'resources/read', params: { uri: 'file:///a%20b.txt' } },
  { method: 'resources/read', params: { uri: 'file:///forbidden/secret' } },
  {
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'hello' }, argument: { name: 'who', value: 'w' } },
  },
  { method: 'notifications/cancelled', params: { requestId: 1, reason: 'no' }, notification: true },
  { method: 'notifications/progress', params: { progressToken: 7, progress: 0.5 }, notification: true },
]
export const modernSamples: readonly Sample[] = [
  ...both,
  { method: 'server/discover', params: {} },
  { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true, resourceSubscriptions: ['file:///a'] } } },
  {
    method: 'tools/call',
    params: { name: 'read_file', arguments: {}, inputResponses: { q1: { action: 'accept', content: {} } }, requestState: 'x' },
  },
  { method: 'tasks/get', params: { taskId: 't-1' } },
].map((sample) => ({
  ...sample,
  params: { ...sample.params, _meta: { ...(sample.params as { _meta?: object })._meta, ...meta } },
}))
export const legacySamples: readonly Sample[] = [
  ...both,
  { method: 'ping', params: {} },
  {
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: { sampling: {} }, clientInfo: { name: 'fuzzer', version: '1' } },
  },
  {
    method: 'initialize',
    params: { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'fuzzer', version: '1' } },
  },
  { method: 'logging/setLevel', params: { level: 'info' } },
  { method: 'resources/subscribe', params: { uri: 'file:///a' } },
  { method: 'resources/unsubscribe', params: { uri: 'file:///a' } },
  { method: 'notifications/initialized', params: {}, notification: true },
  { method: 'notifications/roots/list_changed', params: {}, notification: true },
]

export const messageOf = ({ method, params, notification }: Sample, id: unknown = 1): object =>
  notification ? { jsonrpc: '2.0', method, params } : { jsonrpc: '2.0', id, method, params }

const replies: readonly object[] = [
  { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'hello\n' }], isError: false } },
  { jsonrpc: '2.0', id: 'sekisho-1', result: { action: 'accept', content: { name: 'x' } } },
  { jsonrpc: '2.0', id: 'a', result: { tools: [{ name: 'read_file', inputSchema: { type: 'object' } }], nextCursor: 'n' } },
  { jsonrpc: '2.0', id: 3, error: { code: -32601, message: 'Method not found', data: { x: [1, 2] } } },
  { jsonrpc: '2.0', error: { code: -32700, message: 'Parse error' } },
]

const lexical: readonly string[] = [
  ' [ ] ',
  '{"a":{"b":{"c":[1,[2,[3,[4,{"d":null}]]]]}},"e":"\\u0000\\ud83d\\ude00"}',
  '{"jsonrpc" : "2.0" ,\r\n\t"id":"\\u0031","method":"\\u0074ools\\/list"}',
  `[${numberForms.filter((form) => /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(form)).join(',')}]`,
  `${'['.repeat(64)}${']'.repeat(64)}`,
  `${'{"a":'.repeat(63)}[1]${'}'.repeat(63)}`,
  '{"constructor":{"prototype":1},"toString":2,"hasOwnProperty":{},"1":1,"0":0,"":""}',
]

/** Keys that mean something, beside keys that nearly do. */
const keys = [
  'jsonrpc',
  'id',
  'method',
  'params',
  'result',
  'error',
  '_meta',
  'name',
  'arguments',
  'uri',
  'cursor',
  'ref',
  'requestState',
  'progressToken',
]
const nearKeys = [
  'Name',
  'ARGUMENTS',
  'param\u017f',
  'to\u212aen',
  'metHod',
  'ｎame',
  '__proto__',
  '__Proto__',
  'constructor',
  'n\\u0061me',
  '\\u005f_proto__',
  'Result',
  'iD',
]

export const messageTexts: readonly string[] = [
  ...[...modernSamples, ...legacySamples].map((sample) => JSON.stringify(messageOf(sample))),
  ...replies.map((reply) => JSON.stringify(reply)),
]

export const jsonVocabulary: Vocabulary = {
  seeds: [...messageTexts, ...lexical],
  token: /"(?:[^"\\]|\\.)*"\s*:?|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]|\s+|[\s\S]/g,
  words: [
    ...[...keys, ...nearKeys].map((key) => `"${key}":`),
    ...[...keys, ...nearKeys].map((key) => `"${key}":1,`),
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '/*x*/',
      '//x\n',
      "'a'",
      'true',
      'false',
      'null',
      'undefined',
      '{}',
      '[]',
      '""',
      '"a":1',
      ',"a":2',
      '"\\ud800"',
      '\\u0022',
    ],
    ...[
      '"2.0"',
      '"tools/call"',
      '"forbidden_tool"',
      '"2026-07-28"',
      '"id":null,',
      '"id":1.0,',
      '"__proto__":{},',
      '"\\u006eame":"x",',
      '\ufeff',
      ' ',
      '\n',
    ],
    ...numberForms,
  ],
  pairs: [
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"b":1},', ']'],
    ['"', '"'],
  ],
}
