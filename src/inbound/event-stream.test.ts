import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Outlet } from './arrival.ts'
import { ResumableStream } from './event-stream.ts'

/** What a client reads on one connection. */
function reader(): Outlet & { readonly data: string[] } {
  const data: string[] = []
  return {
    data,
    write: (text) => void data.push(/^data: (.*)$/m.exec(text)?.[1] ?? ''),
    end: () => undefined,
    drop: () => undefined,
  }
}

test('a client that opens the stream anew gets what it has not had, and that once', async () => {
  const stream = new ResumableStream(false)
  const readers = [reader(), reader(), reader()] as const
  stream.attach(readers[0], undefined)
  stream.write('heard')
  stream.detach()
  stream.write('missed')
  stream.attach(readers[1], undefined)
  stream.write('then')
  await nextTurn()
  stream.detach()
  stream.attach(readers[2], undefined)
  assert.deepEqual(
    readers.map(({ data }) => data),
    [['heard'], ['missed', 'then'], []],
  )
})

test('a client that says where it was goes on from there', async () => {
  const stream = new ResumableStream(false)
  const [first, second] = [reader(), reader()]
  stream.attach(first, undefined)
  for (const data of ['a', 'b', 'c']) stream.write(data)
  stream.attach(second, 1)
  stream.write('d')
  await nextTurn()
  assert.deepEqual(
    [first.data, second.data],
    [
      ['a', 'b', 'c'],
      ['b', 'c', 'd'],
    ],
  )
})
