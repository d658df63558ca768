import assert from 'node:assert/strict'
import test from 'node:test'
import { type JsonObject, parseStrict } from '../../../lib/strict-json.ts'
import { builtInMethods } from '../../methods.ts'
import { decodeHeader, encodeHeader, paramMismatch, requestHeaders, standardMismatch } from './headers.ts'
import { paramHeaders } from './param-headers.ts'

// Checklist 18; the table of examples in 2026-07-28 Streamable HTTP, Value Encoding.
const encodings: readonly [text: string, header: string][] = [
  ['us-west1', 'us-west1'],
  ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
  ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
  ['', '=?base64??='],
]
for (const [text, header] of encodings)
  test(`encodes ${JSON.stringify(text)}`, () => {
    assert.equal(encodeHeader(text), header)
    assert.equal(decodeHeader(header), text)
  })

for (const bad of ['=?base64?***?=', '=?base64?YQ?=', '=?base64?/w==?=', 'caf\u00e9', 'a\u0000b'])
  test(`refuses the header value ${JSON.stringify(bad)}`, () => assert.equal(decodeHeader(bad), undefined))

test('the markers are exact: another case is plain text', () => {
  assert.equal(decodeHeader('=?BASE64?YQ==?='), '=?BASE64?YQ==?=')
})

// Checklist 14, 16, 17.
const row = builtInMethods('tools/call')
const named = { name: 'read', arguments: {} }
const mismatches: readonly [headers: Record<string, string>, fault: RegExp | undefined][] = [
  [{}, /Mcp-Method header is missing/],
  [{ 'mcp-method': 'TOOLS/CALL', 'mcp-name': 'read' }, /Mcp-Method/],
  [{ 'mcp-method': 'tools/call' }, /Mcp-Name header is missing/],
  [{ 'mcp-method': 'tools/call', 'mcp-name': 'READ' }, /Mcp-Name/],
  [{ 'mcp-method': 'tools/call', 'mcp-name': '=?base64?!!!?=' }, /invalid/],
  [{ 'mcp-method': 'tools/call', 'mcp-name': ' read ' }, undefined],
  [{ 'mcp-method': '\u00a0tools/call', 'mcp-name': 'read' }, /Mcp-Method/],
  [{ 'mcp-method': 'tools/call', 'mcp-name': '=?base64?cmVhZA==?=' }, undefined],
]
for (const [headers, fault] of mismatches)
  test(`compares ${JSON.stringify(headers)} with the body`, () => {
    const found = standardMismatch(headers, 'tools/call', row, named)
    if (fault) assert.match(found ?? '', fault)
    else assert.equal(found, undefined)
  })

// Checklist 21: present in the body means present in the header, absent or null means absent.
const schema: JsonObject = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    at: { type: 'object', properties: { n: { type: 'integer', 'x-mcp-header': 'N' } } },
  },
}
const declared = paramHeaders(schema)
assert.ok(typeof declared !== 'string')
const params: readonly [args: string, headers: Record<string, string>, ok: boolean][] = [
  ['{"region":"eu"}', { 'mcp-param-region': 'eu' }, true],
  ['{"region":"eu"}', {}, false],
  ['{"region":"eu"}', { 'mcp-param-region': 'us' }, false],
  ['{"region":null}', {}, true],
  ['{"region":null}', { 'mcp-param-region': 'eu' }, false],
  ['{}', {}, true],
  ['{"at":{"n":42}}', { 'mcp-param-n': '42.0' }, true],
  ['{"at":{"n":42}}', { 'mcp-param-n': '43' }, false],
  ['{"at":{"n":9007199254740993}}', { 'mcp-param-n': '9007199254740993' }, true],
  ['{"at":{"n":9007199254740993}}', { 'mcp-param-n': '9007199254740992' }, false],
  ['{"at":{"n":1e2}}', { 'mcp-param-n': '100.0' }, true],
  ['{"at":{"n":-0}}', { 'mcp-param-n': '0' }, true],
  ['{"at":{"n":16}}', { 'mcp-param-n': '0x10' }, false],
  ['{"at":{"n":1e400}}', { 'mcp-param-n': 'Infinity' }, false],
]
for (const [args, headers, ok] of params)
  test(`declared parameters ${args} against ${JSON.stringify(headers)}`, () => {
    assert.equal(paramMismatch(headers, declared, parseStrict(args) as JsonObject) === undefined, ok)
  })

test('outgoing headers are derived from the judged message (checklist 23, 24)', () => {
  const message = { name: 'wéird', arguments: { region: 'eu', at: { n: 1 } } }
  assert.deepEqual(requestHeaders('2026-07-28', 'tools/call', row, message, declared), {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': '=?base64?d8OpaXJk?=',
    'mcp-param-region': 'eu',
    'mcp-param-n': '1',
  })
})

// Checklist 22.
const invalid: readonly [why: RegExp, schema: JsonObject][] = [
  [/token/, { properties: { a: { type: 'string', 'x-mcp-header': '' } } }],
  [/token/, { properties: { a: { type: 'string', 'x-mcp-header': 'A\r\nB' } } }],
  [/string, integer or boolean/, { properties: { a: { type: 'number', 'x-mcp-header': 'A' } } }],
  [/same/, { properties: { a: { type: 'string', 'x-mcp-header': 'A' }, b: { type: 'string', 'x-mcp-header': 'a' } } }],
  [/chain/, { properties: { a: { type: 'array', items: { type: 'string', 'x-mcp-header': 'A' } } } }],
  [/chain/, { oneOf: [{ properties: { a: { type: 'string', 'x-mcp-header': 'A' } } }] }],
  [/chain/, { $defs: { a: { properties: { b: { type: 'string', 'x-mcp-header': 'A' } } } } }],
]
for (const [why, bad] of invalid)
  test(`refuses the declaration in ${JSON.stringify(bad)}`, () => assert.match(String(paramHeaders(bad)), why))
