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
  await soon()
  stop.stop(new Error('enough'))
  answer('first')
  await Promise.all([first, given])
  await soon()
  assert.deepEqual(asked, ['first', 'last'])
  answer('last')
  await last
})

const strangers = ['slow1.attacker.example', 'slow2.attacker.example', 'slow3.attacker.example', 'a.b.attacker.example']

test('many names of one domain take one place, and keep nobody else waiting', async () => {
  const { asked, look, answer } = slow()
  const bounded = atMostAtOnce(2, look)
  const theirs = strangers.map((name) => bounded(name, unstoppable))
  const known = bounded('client.vscode.example', unstoppable)
  const british = bounded('one.co.uk', unstoppable)
  await soon()
  assert.deepEqual(asked, ['slow1.attacker.example', 'client.vscode.example'])
  answer('client.vscode.example')
  await known
  await soon()
  assert.deepEqual(asked.slice(2), ['one.co.uk'])
  const another = bounded('two.co.uk', unstoppable)
  answer('one.co.uk')
  await british
  await soon()
  assert.deepEqual(asked.slice(3), ['two.co.uk'], 'two who share no more than co.uk')
  answer('two.co.uk')
  await another
  for (const name of strangers) {
    answer(name)
    await soon()
  }
  await Promise.all(theirs)
})

test('a domain whose name server is late is given up, and not asked about again for a while', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { asked, look, answer } = slow()
  const bounded = atMostAtOnce(2, look)
  const first = assert.rejects(bounded('slow1.attacker.example', unstoppable), /no answer of the name server/)
  const second = assert.rejects(bounded('slow2.attacker.example', unstoppable), /no answer of the name server/)
  await soon()
  context.mock.timers.tick(2000)
  await Promise.all([first, second])
  await assert.rejects(bounded('slow3.attacker.example', unstoppable), /no answer of the name server/)
  const known = bounded('client.vscode.example', unstoppable)
  await soon()
  answer('client.vscode.example')
  await known
  assert.deepEqual(asked, ['slow1.attacker.example', 'client.vscode.example'])
  answer('slow1.attacker.example')
  await soon()
  await assert.rejects(bounded('slow4.attacker.example', unstoppable), /no answer of the name server/)
  context.mock.timers.tick(30_000)
  const later = bounded('well.attacker.example', unstoppable)
  await soon()
  answer('well.attacker.example')
  await later
})

test('the machine knows its own name', async () =>
  assert.ok((await systemLookup('localhost')).some(({ address }) => address === '127.0.0.1' || address === '::1')))
