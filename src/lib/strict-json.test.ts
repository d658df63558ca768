import assert from 'node:assert/strict'
import test from 'node:test'
import { canonicalJson } from './canonical-json.ts'
import { isRawNumber, type JsonFault, JsonRefused, parseStrict } from './strict-json.ts'

const refusals: readonly [text: string, fault: JsonFault][] = [
  ['{"name":"a","name":"b"}', 'duplicate-key'],
  ['{"a":{"b":[{"c":1,"c":2}]}}', 'duplicate-key'],
  ['{"a":1,"\\u0061":2}', 'duplicate-key'],
  ['{"a":{"x":1,"y":2},"a":1}', 'duplicate-key'],
  ['{"a":{"\\ud800":1}}', 'encoding'],
  ['{"__proto__":1}', 'forbidden-key'],
  ['{"a":[{"\\u005f_proto__":{}}]}', 'forbidden-key'],
  [`${'['.repeat(65)}${']'.repeat(65)}`, 'depth'],
  [`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'depth'],
  ['['.repeat(1_000_000), 'depth'],
  ['', 'syntax'],
  ['{"a":1,}', 'syntax'],
  ['{"a":01}', 'syntax'],
  ["{'a':1}", 'syntax'],
  ['\ufeff{}', 'syntax'],
  ['{} {}', 'syntax'],
  ['"\\', 'syntax'],
  ['NaN', 'syntax'],
]
for (const [text, fault] of refusals)
  test(`refuses ${text.slice(0, 40)} as ${fault}`, () => {
    assert.throws(
      () => parseStrict(text),
      (error) => error instanceof JsonRefused && error.fault === fault,
    )
  })

const exact = ['12345678901234567890', '1.0', '1e5', '-0', '0.1000', '123456789.123456789123', '1E400']
for (const number of exact)
  test(`keeps the text of ${number}`, () => {
    const value = parseStrict(`{"n":[${number}]}`) as { n: [unknown] }
    assert.ok(isRawNumber(value.n[0]))
    assert.equal(JSON.stringify(value), `{"n":[${number}]}`)
    assert.equal(canonicalJson(value), `{"n":[${number}]}`)
  })

test('reads what JSON.parse reads, where it is unambiguous', () => {
  const texts = [
    '{}',
    '[]',
    'null',
    '"a:b{}\\"\\\\"',
    '{"a":":","b":["{",1,-2.5,true]}',
    '{"constructor":1,"toString":[{}]}',
    '9007199254740991',
  ]
  for (const text of texts) assert.deepEqual(parseStrict(text), JSON.parse(text))
})

test('a depth at the limit passes', () => {
  assert.ok(parseStrict(`${'['.repeat(64)}${']'.repeat(64)}`))
})

test('canonical JSON has one spelling for every value (RFC 8785)', () => {
  assert.equal(canonicalJson({ b: [1, { d: 'é', c: null }], a: 1e21 }), '{"a":1e+21,"b":[1,{"c":null,"d":"é"}]}')
  assert.notEqual(canonicalJson(parseStrict('{"n":9007199254740993}')), canonicalJson(parseStrict('{"n":9007199254740992}')))
})
