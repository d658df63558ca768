import assert from 'node:assert/strict'
import test from 'node:test'
import { Subscribers } from './subscribers.ts'

test('the server is told of the first follower and of the last', () => {
  const subscribers = new Subscribers()
  assert.deepEqual([subscribers.add('a', 1), subscribers.add('a', 2), subscribers.add('b', 1)], [true, false, true])
  assert.deepEqual([subscribers.remove('a', 1), subscribers.remove('a', 2)], [false, true])
})

test('who leaves takes along what nobody else follows', () => {
  const subscribers = new Subscribers()
  for (const [uri, follower] of [
    ['a', 1],
    ['a', 2],
    ['b', 1],
    ['c', 2],
  ] as const)
    subscribers.add(uri, follower)
  assert.deepEqual(subscribers.removeAll(1), ['b'])
  assert.deepEqual(subscribers.removeAll(2), ['a', 'c'])
  assert.equal(subscribers.add('a', 3), true)
})

test('unsubscribing from what nobody is known to follow reaches the server', () => {
  assert.equal(new Subscribers().remove('a', 1), true)
})
