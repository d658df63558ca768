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

test('known and unknown ids take the same path, and the same time', () => {
  const known = newApiKey('ci')
  const verify = verifier([{ id: 'ci', sha256: known.sha256 }])
  const wrong = newApiKey('ci').key
  const unknown = newApiKey('co').key
  const timeOf = (key: string): number => {
    const start = performance.now()
    for (let n = 0; n < 100; n++) verify(key)
    return performance.now() - start
  }
  // The fastest of many rounds: what the work itself takes when nothing else is in the way.
  let [fastestWrong, fastestUnknown] = [Infinity, Infinity]
  for (let round = 0; round < 300; round++) {
    fastestWrong = Math.min(fastestWrong, timeOf(wrong))
    fastestUnknown = Math.min(fastestUnknown, timeOf(unknown))
  }
  const ratio = fastestWrong / fastestUnknown
  assert.ok(ratio > 0.7 && ratio < 1.4, `ratio ${ratio}`)
})
