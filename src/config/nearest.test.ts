import assert from 'node:assert/strict'
import test from 'node:test'
import { nearest, suggest } from './nearest.ts'

const known = ['listen', 'servers', 'allowedHosts', 'requestTimeoutMs', 'key', 'cert']
const cases: readonly [word: string, meant: string | undefined][] = [
  ['frobnicate', undefined],
  ['x', undefined],
  ['z'.repeat(1000), undefined],
  ['lisen', 'listen'],
  ['Listen', 'listen'],
  ['allowed_hosts', 'allowedHosts'],
  ['requestTimeout', 'requestTimeoutMs'],
  ['kye', 'key'],
]
for (const [word, meant] of cases)
  test(`${word.slice(0, 20)} is taken for ${meant}`, () => assert.equal(nearest(word, known), meant))

test('without a near word, the known ones are listed', () => {
  assert.equal(suggest('frobnicate', ['a', 'b']), 'known here: a, b')
  assert.equal(suggest('frobnicate', []), 'remove it')
})
