import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { heard } from './admit.ts'

/** What was heard, and what was said against it, of a child that writes these. */
async function listen(
  confirm: (() => Promise<void>) | undefined,
  ...writes: string[]
): Promise<{ heard: string; refused: unknown[] }> {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  const refused: unknown[] = []
  heard(
    stream,
    confirm,
    (chunk) => chunks.push(chunk),
    (reason) => refused.push(reason),
  )
  for (const one of writes) {
    stream.write(one)
    await setImmediate()
  }
  stream.end()
  await new Promise((resolve) => stream.once('end', resolve))
  return { heard: Buffer.concat(chunks).toString(), refused }
}

it('nothing is heard of a child that is not confirmed, whatever it says', async () => {
  const reason = new Error('touched')
  assert.deepEqual(await listen(() => Promise.reject(reason), 'one\n', 'two\n', 'three\n'), { heard: '', refused: [reason] })
})

it('everything is heard, in order, of one that is confirmed late, and it is asked once', async () => {
  let asked = 0
  const confirm = async (): Promise<void> => {
    asked++
    for (let turn = 0; turn < 5; turn++) await setImmediate()
  }
  assert.deepEqual(await listen(confirm, 'one\n', 'two\n', 'three\n'), { heard: 'one\ntwo\nthree\n', refused: [] })
  assert.equal(asked, 1)
})

it('a child that nobody has to confirm is heard at once', async () => {
  assert.deepEqual(await listen(undefined, 'one\n', 'two\n'), { heard: 'one\ntwo\n', refused: [] })
})
