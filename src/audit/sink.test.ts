import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Entry } from './entry.ts'
import { makeLog, passMany, passOne } from './fixture.test.ts'
import type { AuditSink } from './sink.ts'

/** A sink that does as the test says with the entries it is handed. */
function fakeSink(take: (seqs: readonly number[]) => void | Promise<void>): AuditSink {
  return {
    name: 'fake',
    async write(entries) {
      await take(entries.map((text) => (JSON.parse(text) as Entry).seq))
    },
    close: async () => {},
  }
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1)

async function until(condition: () => boolean, msMax = 8000): Promise<void> {
  const end = performance.now() + msMax
  while (!condition() && performance.now() < end) await delay(20)
  assert.ok(condition(), `not in ${msMax} ms`)
}

test('a sink that is down costs no traffic, is counted, and gets everything in order when it is back', async () => {
  const log = makeLog()
  const taken: number[] = []
  let down = true
  const audit = await log.open({
    sinks: [
      fakeSink((seqs) => {
        if (down) throw new Error('down')
        taken.push(...seqs)
      }),
    ],
  })
  await passMany(audit, 500)
  await until(() => (audit.status().sinks[0]?.failures ?? 0) > 0)
  assert.deepEqual(
    audit.status().sinks.map(({ name, lag }) => [name, lag]),
    [['fake', 1000]],
  )
  assert.equal(audit.healthy(), true)
  down = false
  await until(() => audit.status().sinks[0]?.lag === 0)
  assert.deepEqual(taken, upTo(1000))
  await audit.close()
  log.remove()
})

test('a failure in the middle is repeated from there, never skipped', async () => {
  const log = makeLog()
  const taken: number[] = []
  let calls = 0
  const audit = await log.open({
    sinks: [
      fakeSink(async (seqs) => {
        const call = ++calls
        await delay(call % 3 === 0 ? 1 : 15) // they do not settle in the order in which they were asked
        if (call % 4 === 0) throw new Error('no')
        taken.push(...seqs)
      }),
    ],
  })
  for (let round = 0; round < 5; round++) {
    await passMany(audit, 100)
    await delay(120)
  }
  await until(() => audit.status().sinks[0]?.lag === 0)
  assert.deepEqual(
    [...new Set(taken)].sort((a, b) => a - b),
    upTo(1000),
  )
  await audit.close()
  log.remove()
})

test('after a restart it goes on where it was', async () => {
  const log = makeLog()
  const taken: number[] = []
  const sink = () => fakeSink((seqs) => void taken.push(...seqs))
  const first = await log.open({ sinks: [sink()] })
  await passMany(first, 20)
  await first.close()
  assert.deepEqual(taken, upTo(40))
  const without = await log.open()
  await passMany(without, 5)
  await without.close()
  const second = await log.open({ sinks: [sink()] })
  await passOne(second)
  await second.close()
  assert.deepEqual(taken, upTo(52))
  log.remove()
})

test('a sink that never answers holds up neither traffic nor the end', { timeout: 60_000 }, async () => {
  const log = makeLog()
  const audit = await log.open({ sinks: [{ name: 'stuck', write: () => new Promise(() => {}), close: async () => {} }] })
  await passMany(audit, 50)
  await audit.close()
  assert.equal(log.entries().length, 100)
  log.remove()
})
