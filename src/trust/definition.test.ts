import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '../lib/canonical-json.ts'
import { type JsonObject, type JsonValue, parseStrict } from '../lib/strict-json.ts'
import { type Definition, digestOf, isSameJson } from './definition.ts'
import { introducedIn } from './introduction.ts'

const tool = (body: JsonObject): Definition => ({ kind: 'tool', name: 't', body })

test('two values are the same where their canonical JSON is', () => {
  const value = fc.jsonValue({ maxDepth: 4 })
  fc.assert(
    fc.property(value, value, (one, other) => {
      assert.equal(isSameJson(one, other), canonicalJson(one) === canonicalJson(other))
      assert.ok(isSameJson(one, JSON.parse(JSON.stringify(one))))
    }),
    { numRuns: 2000 },
  )
})

const different: readonly (readonly [says: string, one: JsonValue, other: JsonValue])[] = [
  ['a list and a mapping', [], {}],
  ['null and a mapping', null, {}],
  ['a text and a number', '1', 1],
  ['a member more', { a: 1 }, { a: 1, b: null }],
  ['a member under another name', { a: 1 }, { b: 1 }],
  ['a member in the place of one with the name of a prototype', JSON.parse('{"__proto__":{}}'), { a: 1 }],
  ['numbers that are one in JavaScript', parseStrict('[9007199254740993]'), parseStrict('[9007199254740992]')],
  ['an unsafe number and its text', parseStrict('[9007199254740993]'), ['9007199254740993']],
]
for (const [says, one, other] of different)
  test(`not the same: ${says}`, () => {
    assert.equal(isSameJson(one, other), false)
    assert.equal(isSameJson(other, one), false)
  })

test('an order of keys is no change, and anything else is', () => {
  const one = tool({ name: 't', description: 'd', inputSchema: { type: 'object', properties: { a: {}, b: {} } } })
  const reordered = tool({ inputSchema: { properties: { b: {}, a: {} }, type: 'object' }, description: 'd', name: 't' })
  assert.equal(digestOf(one), digestOf(reordered))
  const others = [
    { ...one.body, description: 'd\u200b' },
    { ...one.body, description: 'd ' },
    { ...one.body, title: '' },
    { ...one.body, annotations: { readOnlyHint: true } },
    { ...one.body, _meta: { x: 1 } },
  ]
  assert.equal(new Set([one.body, ...others].map((body) => digestOf(tool(body)))).size, 6)
})

test('when a resource was written, and how long it is, is no part of what it is', () => {
  const resource = (body: JsonObject): string => digestOf({ kind: 'resource', name: 'x://a', body })
  const plain = resource({ uri: 'x://a', name: 'a', annotations: { audience: ['user'] } })
  assert.equal(resource({ uri: 'x://a', name: 'a', size: 7, annotations: { audience: ['user'], lastModified: '2026' } }), plain)
  assert.notEqual(resource({ uri: 'x://a', name: 'a', annotations: { audience: ['assistant'] } }), plain)
})

test('of the first answer: the instructions, and the names of what a server can do, in whichever order', () => {
  const said = introducedIn({ instructions: 'Be kind.', capabilities: { tools: { listChanged: true }, logging: {} } })
  assert.deepEqual(said, [
    { kind: 'instructions', name: '', body: { instructions: 'Be kind.' } },
    { kind: 'capabilities', name: '', body: { capabilities: ['logging', 'tools', 'tools.listChanged'] } },
  ])
  assert.deepEqual(introducedIn({ instructions: '', serverInfo: {} }), [])
})
