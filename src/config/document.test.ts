import assert from 'node:assert/strict'
import test from 'node:test'
import { readDocument } from './document.ts'

const bomb = `a: &a [${'x,'.repeat(9)}x]\n${[...'bcdefgh'].map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`).join(',')}]`).join('\n')}`

const refused: readonly [name: string, text: string, message: RegExp, line?: number][] = [
  ['a key twice', 'a: 1\nb: 2\na: 3', /unique/, 3],
  ['a second document, which would be ignored', 'a: 1\n---\nb: 2', /multiple documents/, 2],
  ['a tag', 'a: !!binary aGk=', /tag/, 1],
  ['a tag of its own', 'a: 1\nb: !exec rm', /tag/, 2],
  ['a bomb of aliases', bomb, /alias/],
  ['an alias of itself', 'a: &a { b: [*a] }', /part of/, 1],
  ['an alias of nothing', 'a: *b', /alias/],
  ['a key that is not text', '1: a', /not text/, 1],
  ['a key that is a mapping', '? { a: 1 }\n: b', /not text/, 1],
  ['the key __proto__', 'a:\n  __proto__: { b: 1 }', /never accepted/, 2],
  ['brackets without end', '['.repeat(100_000), /./],
  ['depth', `${'a: { '.repeat(40)}b: 1${' }'.repeat(40)}`, /32 levels/, 1],
  ['size', `# ${'x'.repeat(1_100_000)}`, /longer than/],
  ['what is not YAML', 'a: [1', /./, 1],
]
for (const [name, text, message, line] of refused)
  test(`refuses ${name}`, () => {
    const document = readDocument(text)
    const said = [
      ...document.faults,
      ...document.complaints.map((one) => ({ ...one, ...document.place(one.path, one.at ?? 'value') })),
    ]
    assert.equal(document.value, undefined)
    assert.ok(said.length > 0 && said.length <= 20)
    assert.match(said[0]?.message ?? '', message)
    if (line !== undefined) assert.equal(said[0]?.line, line)
  })

test('reads plain YAML 1.2: no octal surprises, no dates, no merge keys, no yes for true', () => {
  assert.deepEqual(readDocument('a: yes\nb: 2020-01-01\nc: 012\nd: { <<: { x: 1 } }').value, {
    a: 'yes',
    b: '2020-01-01',
    c: 12,
    d: { '<<': { x: 1 } },
  })
})

test('knows the place of keys, of values, and of what is missing', () => {
  const document = readDocument('a:\n  - b: 1\n    c: [x, y]\nd: &n { e: 2 }\nf: *n')
  const at = (path: (string | number)[], what: 'key' | 'value') => Object.values(document.place(path, what)).join(':')
  assert.equal(at(['a', 0, 'c'], 'key'), '3:5')
  assert.equal(at(['a', 0, 'c', 1], 'value'), '3:12')
  assert.equal(at(['a', 0, 'nope'], 'value'), '2:5')
  assert.equal(at(['f', 'e'], 'value'), '4:12')
  assert.equal(at([], 'value'), '1:1')
})
