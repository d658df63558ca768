import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as soon } from 'node:timers/promises'
import { atMostAtOnce, systemLookup } from './name-lookup.ts'
import { Stop, unstoppable } from './stop.ts'

/** A name server that answers when it is told to. */
function slow() {
  const asked: string[] = []
  const answers = new Map<string, PromiseWithResolvers<[]>>()
  return {
    asked,
    look: (name: string) => {
      asked.push(name)
      answers.set(name, Promise.withResolvers())
      return answers.get(name)!.promise
    },
    answer: (name: string) => answers.get(name)?.resolve([]),
    fail: (name: string) => answers.get(name)?.reject(new Error(`${name} fails`)),
  }
}

test('the next begins when one has ended, well or not, in the order they came', async () => {
  const { asked, look, answer, fail } = slow()
  const bounded = atMostAtOnce(2, look)
  const all = ['a', 'b', 'c', 'd'].map((name) => bounded(name, unstoppable))
  await soon()
  assert.deepEqual(asked, ['a', 'b'])
  fail('b')
  await assert.rejects(all[1] as Promise<unknown>, /b fails/)
  await soon()
  assert.deepEqual(asked, ['a', 'b', 'c'])
  answer('a')
  await soon()
  assert.deepEqual(asked, ['a', 'b', 'c', 'd'])
  answer('c')
  answer('d')
  await Promise.all([all[0], all[2], all[3]])
})

test('one that nobody waits for any more is not begun, and does not keep its place', async () => {
  const { asked, look, answer } = slow()
  const bounded = atMostAtOnce(1, look)
  const stop = new Stop()
  const first = bounded('first', unstoppable)
  const given = assert.rejects(bounded('given up', stop), /enough/)
  const last = bounded('last', unstoppable)
  stop.stop(new Error('enough'))
  answer('first')
  await Promise.all([first, given])
  await soon()
  assert.deepEqual(asked, ['first', 'last'])
  answer('last')
  await last
})

test('the machine knows its own name', async () =>
  assert.ok((await systemLookup('localhost')).some(({ address }) => address === '127.0.0.1' || address === '::1')))
