import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fault } from './wire.ts'

const json = 'application/json'
const sse = 'text/event-stream'
const right = '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"abcd"}]}}'

const cases: [name: string, status: number, contentType: string, text: string, expected: RegExp | null][] = [
  ['JSON', 200, json, right, null],
  [
    'SSE with priming event, comment and notification',
    200,
    sse,
    `: hi\n\nid: 1\ndata: \n\ndata: {"method":"x"}\n\ndata: ${right}\n\n`,
    null,
  ],
  ['SSE with CRLF', 200, `${sse}; charset=utf-8`, `event: message\r\ndata: ${right}\r\n\r\n`, null],
  ['another status', 429, json, 'slow down', /^HTTP 429 slow down/],
  ['no JSON', 200, json, 'oops', /^not JSON/],
  ['an SSE stream that ends early', 200, sse, ': open\n\n', /^no message with id 7/],
  ['another id', 200, json, right.replace('7', '8'), /^no message with id 7/],
  ['the id as text', 200, json, right.replace('7', '"7"'), /^no message with id 7/],
  ['an error', 200, json, '{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"no"}}', /^error -32001: no/],
  ['a tool error', 200, json, right.replace('"content"', '"isError":true,"content"'), /^tool error: abcd/],
  ['a shorter text', 200, json, right.replace('abcd', 'abc'), /^text of 3 characters, not 4/],
]

for (const [name, status, contentType, text, expected] of cases) {
  test(`fault: ${name}`, () => {
    const found = fault(status, contentType, text, 7, 4)
    if (expected === null) assert.equal(found, null)
    else assert.match(found ?? 'nothing wrong', expected)
  })
}
