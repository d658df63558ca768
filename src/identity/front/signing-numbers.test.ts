import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { openStore } from '../../storage/embedded.ts'
import { keyRing } from '../../vault/key-file.ts'
import { Records } from './records.ts'
import { signingPairs } from './signing.ts'
import { believed, rotateSigning, signingNumbers } from './signing-numbers.ts'

const clock = { at: 1_700_000_000_000, now: () => clock.at, monotonic: () => clock.at }
const hourMs = 3_600_000

async function house() {
  const store = await openStore('sqlite::memory:', clock)
  return { store, records: new Records(store, keyRing(randomBytes(32)), clock) }
}

test('a key is believed until what it signed has expired, and not a rotation longer', async () => {
  const { store, records } = await house()
  assert.deepEqual(believed(await signingNumbers(records), clock.at), [1])
  await rotateSigning(records, clock, 'cli:me')
  clock.at += hourMs / 2
  await rotateSigning(records, clock, 'cli:me')
  const numbers = await signingNumbers(records)
  assert.deepEqual(believed(numbers, clock.at), [3, 2, 1], 'two rotations within an hour cut nobody off')
  assert.deepEqual(believed(numbers, clock.at + hourMs / 2 + 200_000), [3, 2])
  assert.deepEqual(believed(numbers, clock.at + hourMs + 200_000), [3])
  clock.at += 2 * hourMs
  assert.deepEqual(
    (await rotateSigning(records, clock, 'cli:me')).retired.map(({ number }) => number),
    [3],
  )
  assert.deepEqual(
    (await store.unrecorded()).map(({ action, by, detail }) => `${action} ${by} ${detail}`),
    [2, 3, 4].map((number) => `signing.rotated cli:me to key ${number} of our own tokens`),
  )
  await store.close()
})

test('every number is another key, and the same one for every process with the same secret', () => {
  const { derive } = keyRing(Buffer.alloc(32, 7))
  const kids = signingPairs(derive)([3, 2, 1]).map(({ kid }) => kid)
  assert.equal(new Set(kids).size, 3)
  assert.deepEqual(
    signingPairs(keyRing(Buffer.alloc(32, 7)).derive)([1, 3]).map(({ kid }) => kid),
    [kids[2], kids[0]],
  )
  assert.notDeepEqual(
    signingPairs(keyRing(Buffer.alloc(32, 8)).derive)([3, 2, 1]).map(({ kid }) => kid),
    kids,
  )
})
