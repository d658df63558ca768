import assert from 'node:assert/strict'
import test from 'node:test'
import { type JsonValue, parseStrict } from '../lib/strict-json.ts'
import { EnvelopeRefused, readMessage, writeMessage } from './json-rpc.ts'

// Checklist 28, 29: ids are strings or integers, never null. GHSA-4gph-2hhr-5mwg: near misses of protocol keys.
const refusals: readonly string[] = [
  '[]',
  '1',
  '{"jsonrpc":"1.0","id":1,"method":"ping"}',
  '{"id":1,"method":"ping"}',
  '{"jsonrpc":"2.0","id":null,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
  '{"jsonrpc":"2.0","id":1.0,"method":"ping"}',
  '{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}',
  '{"jsonrpc":"2.0","id":{},"method":"ping"}',
  '{"jsonrpc":"2.0","id":1,"method":""}',
  '{"jsonrpc":"2.0","id":1,"method":1}',
  '{"jsonrpc":"2.0","id":1,"Method":"ping"}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","Id":2}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","extra":2}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}',
  '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","ARGUMENTS":{}}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","argument\\u017f":{}}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progresstoken":1}}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/ProtocolVersion":1}}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":[]}}',
  '{"jsonrpc":"2.0","id":1}',
  '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}',
  '{"jsonrpc":"2.0","id":1,"result":[]}',
  '{"jsonrpc":"2.0","result":{}}',
  '{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":""}}',
  '{"jsonrpc":"2.0","id":1,"error":{"code":1}}',
  '{"jsonrpc":"2.0","id":1,"result":{"content":[],"Content":[]}}',
]
for (const text of refusals)
  test(`refuses ${text}`, () => {
    assert.throws(() => readMessage(parseStrict(text)), EnvelopeRefused)
  })

test('names the id of a refused request where one can be read', () => {
  assert.throws(
    () => readMessage({ jsonrpc: '2.0', id: 7, method: 'x', extra: 1 }),
    (error) => error instanceof EnvelopeRefused && error.id === 7,
  )
})

const roundTrips: readonly JsonValue[] = [
  {
    jsonrpc: '2.0',
    id: 'a',
    method: 'tools/call',
    params: { name: 'x', arguments: { Name: 1, name: 2, anything: [null] }, unknown: true },
  },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  { jsonrpc: '2.0', id: 0, result: { resultType: 'task', anything: { content: [{ type: 'hologram' }] } } },
  { jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'no', data: [1], more: 1 } },
]
for (const value of roundTrips)
  test(`reads and writes ${JSON.stringify(value).slice(0, 60)} without loss (checklist 153)`, () => {
    assert.deepEqual(writeMessage(readMessage(value)), value)
  })

test('an error without an id, as servers send for what they could not read, is a response', () => {
  assert.deepEqual(readMessage({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'bad' } }).kind, 'response')
})
