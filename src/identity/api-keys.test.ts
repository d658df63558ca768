import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { newApiKey, verifier } from './api-keys.ts'

for (const id of ['', 'C', 'a_b', '1a', 'a'.repeat(33), 'a b', 'ü'])
  test(`refuses to make a key called "${id}"`, () =>
    assert.throws(() => newApiKey(id), { name: 'RangeError', message: /is not an id for a key/ }))

test('a key has 256 random bits, and only its digest is kept', () => {
  const { key, sha256 } = newApiKey('ci')
  assert.match(key, /^sk_ci_[A-Za-z0-9_-]{43}$/)
  assert.equal(sha256, createHash('sha256').update(key).digest('hex'))
  assert.notEqual(newApiKey('ci').key, key)
})

test('a digest of zeros opens nothing', () => {
  assert.equal(verifier([{ id: 'ci', sha256: '0'.repeat(64) }])(newApiKey('ci').key), undefined)
  assert.equal(verifier([])(newApiKey('ci').key), undefined)
})
