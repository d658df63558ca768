import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { plainPrincipal } from '../pipeline/parcel.ts'
import { ownerOf } from './owner.ts'

const of = (id: string, session: string): string => ownerOf(plainPrincipal('api-key', id), session)

const pairs: readonly [one: [string, string], other: [string, string]][] = [
  [
    ['a:b', 'c'],
    ['a', 'b:c'],
  ],
  [
    ['a', ':b'],
    ['a:', 'b'],
  ],
  [
    ['a%3Ab', 'c'],
    ['a:b', 'c'],
  ],
  [
    ['a/b', 'c'],
    ['a', '/bc'],
  ],
  [
    ['é', 's'],
    ['e\u0301', 's'],
  ],
  [
    ['\ud800', 's'],
    ['\ud801', 's'],
  ],
  [
    ['\ud800', 's'],
    ['\\ud800', 's'],
  ],
  [
    ['"', 's'],
    ['\\"', 's'],
  ],
  [
    ['', 's'],
    ['s', ''],
  ],
]
for (const [one, other] of pairs)
  test(`two owners stay two: ${JSON.stringify(one)} and ${JSON.stringify(other)} (SES-C3)`, () =>
    assert.notEqual(of(...one), of(...other)))

test('no two pairs have the same owner, whatever is in them (SES-C3)', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.string({ unit: fc.constantFrom(':', '%', '\\', '"', 'a', '\ud800', 'é'), maxLength: 4 }),
  )
  const pair = fc.tuple(part, part)
  fc.assert(
    fc.property(pair, pair, ([a, b], [c, d]) => (a === c && b === d) === (of(a, b) === of(c, d))),
    { numRuns: 3000 },
  )
})

test('it is <user>:<session>, printable, and pinned', () => {
  assert.equal(of('key:ci', 'abc'), 'key%3Aci:abc')
  assert.match(of('ü\n\u0000', '\ud800/x'), /^[\x21-\x7e]+$/)
})
