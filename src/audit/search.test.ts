import assert from 'node:assert/strict'
import test from 'node:test'
import type { Clock } from '../lib/clock.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Entry } from './entry.ts'
import { callOf, frameOf, makeLog, passOne } from './fixture.test.ts'
import { type Filter, search, trace } from './search.ts'
import { tail } from './tail.ts'

/** A minute passes with every look. */
function slowClock(): Clock {
  let now = Date.UTC(2026, 10, 21, 8)
  return { now: () => (now += 60_000), monotonic: () => 0 }
}

const log = makeLog()
test.before(async () => {
  const audit = await log.open({ clock: slowClock() })
  await passOne(audit, { exchange: 'one', subject: 'read_file' })
  await passOne(audit, {
    exchange: 'two',
    subject: 'delete_file',
    principal: 'key:eve',
    class: 'destructive',
    refusal: new Refusal('POLICY_DENIED', { detail: 'Über "alles"' }),
  })
  await audit.event({ action: 'server.disabled', principal: 'cli:me', server: 'crm' })
  await passOne(audit, { exchange: 'three', server: 'crm', method: 'tools/list', subject: 'x' })
  const frame = frameOf({ exchange: 'four' })
  await audit.record(frame).intent(callOf(frame, { class: 'write' }))
  await audit.close()
})
test.after(() => log.remove())

const names = (filter: Filter): string[] =>
  search(log.path, filter).map((passage) => ('exchange' in passage ? passage.exchange : passage.action))

const filters: readonly (readonly [Filter, string[]])[] = [
  [{}, ['one', 'two', 'server.disabled', 'three', 'four']],
  [{ limit: 2 }, ['three', 'four']],
  [{ limit: 0 }, []],
  [{ principal: 'key:eve' }, ['two']],
  [{ principal: 'eve' }, []],
  [{ server: 'crm' }, ['server.disabled', 'three']],
  [{ method: 'tools/list' }, ['three']],
  [{ subject: 'read_file', method: 'tools/call' }, ['one', 'four']],
  [{ ending: 'unknown' }, ['four']],
  [{ ending: 'refused' }, ['two']],
  [{ code: 'POLICY_DENIED' }, ['two']],
  [{ code: 'POLICY' }, []],
  [{ text: 'über' }, ['two']],
  [{ text: 'DELETE_file' }, ['two']],
  [{ since: '2026-11-21T09:00:00Z' }, []],
  [{ until: '2026-11-21T07:00:00Z' }, []],
]
for (const [filter, expected] of filters)
  test(`search ${JSON.stringify(filter)}`, () => assert.deepEqual(names(filter), expected))

test('since and until are compared with the time of the passage', () => {
  const all = search(log.path)
  const [, two, disabled, three] = all
  assert.deepEqual(names({ since: two?.time, until: three?.time }), ['two', 'server.disabled', 'three'])
  assert.deepEqual(names({ since: disabled?.time, until: disabled?.time }), ['server.disabled'])
  assert.throws(() => names({ since: 'yesterday' }), /not a time/)
})

test('an exchange without an outcome reads unknown', () => {
  assert.deepEqual([trace(log.path, 'four').ending, trace(log.path, 'four').entries.length], ['unknown', 1])
  assert.deepEqual(
    [trace(log.path, 'two').ending, trace(log.path, 'two').entries.map(({ kind }) => kind)],
    ['refused', ['intent', 'outcome']],
  )
  assert.deepEqual(trace(log.path, "' OR 1=1 --").entries, [])
})

test('tail gives the end, and follows until it is stopped', async () => {
  const last: Entry[] = []
  for await (const entry of tail(log.path, { last: 2 })) last.push(entry)
  assert.deepEqual(
    last.map(({ kind }) => kind),
    ['outcome', 'intent'],
  )

  const stop = new AbortController()
  const followed: Entry[] = []
  const following = (async () => {
    for await (const entry of tail(log.path, { last: 0, follow: true, signal: stop.signal })) {
      followed.push(entry)
      if (followed.length === 2) stop.abort()
    }
  })()
  const audit = await log.open()
  await passOne(audit, { exchange: 'five' })
  await audit.close()
  await following
  assert.deepEqual(
    followed.map((entry) => ('exchange' in entry ? entry.exchange : '')),
    ['five', 'five'],
  )
})

test('a long log is searched from the middle without being read from the end', async () => {
  const long = makeLog()
  const audit = await long.open({ clock: slowClock() })
  for (let at = 0; at < 2000; at++) audit.record(frameOf({ exchange: `n${at}` })).ended('refused', new Refusal('POLICY_DENIED'))
  await audit.close()
  const middle = long.entries()[1000]?.time
  const found = search(long.path, { since: middle, until: middle })
  assert.equal(found.length <= 1, true)
  const around = search(long.path, { until: middle, limit: 3 })
  assert.equal(around.length, 3)
  assert.ok((around.at(-1)?.time ?? '') <= (middle ?? ''))
  long.remove()
})
