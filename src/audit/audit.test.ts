import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../lib/clock.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { type Audit, openAudit } from './audit.ts'
import { callOf, frameOf, keys, type LogFixture, makeLog, passMany, passOne } from './fixture.test.ts'
import { verify } from './verify.ts'

function withLog(name: string, work: (log: LogFixture) => Promise<void>, options: { skip?: string | false } = {}): void {
  test(name, options, async () => {
    const log = makeLog()
    try {
      await work(log)
    } finally {
      log.remove()
    }
  })
}

const unavailable = (error: unknown): boolean => error instanceof Refusal && error.code === 'AUDIT_UNAVAILABLE'

/** Everything is refused, and goes on being refused. */
async function assertClosed(audit: Audit): Promise<void> {
  for (const kind of ['read', 'write'] as const) {
    const frame = frameOf()
    const record = audit.record(frame)
    await assert.rejects(async () => record.intent(callOf(frame, { class: kind })), unavailable)
    await assert.rejects(async () => record.durable(), unavailable)
    record.ended('refused', new Refusal('AUDIT_UNAVAILABLE'))
  }
  await assert.rejects(audit.event({ action: 'x', principal: 'me' }), unavailable)
  await assert.rejects(audit.flushed(), unavailable)
  assert.equal(audit.healthy(), false)
}

withLog('a disk that cannot be written refuses everything until a restart, even after it has recovered', async (log) => {
  const audit = await log.open()
  await passOne(audit, { class: 'write' })
  const attacker = new DatabaseSync(log.path)
  attacker.exec('BEGIN IMMEDIATE') // holds the write lock for longer than the worker waits
  await assert.rejects(passOne(audit, { class: 'write' }), unavailable)
  attacker.exec('ROLLBACK')
  attacker.close()
  await assertClosed(audit)
  assert.match(audit.status().failure ?? '', /locked/)
  await audit.close()
  const again = await log.open()
  await passOne(again, { class: 'write' })
  await again.close()
  assert.equal((await verify(log.path, log.anchor)).ok, true)
})

withLog('a read whose intent cannot be written is refused before it is answered', async (log) => {
  const audit = await log.open()
  const attacker = new DatabaseSync(log.path)
  attacker.exec('BEGIN IMMEDIATE')
  const frame = frameOf()
  const record = audit.record(frame)
  assert.equal(record.intent(callOf(frame)), undefined)
  await assert.rejects(async () => record.durable(), unavailable)
  attacker.exec('ROLLBACK')
  attacker.close()
  await assertClosed(audit)
  await audit.close()
})

const tmpfs = mkdtempSync(join(tmpdir(), 'sekisho-tmpfs-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', tmpfs]).status === 0
test('a full disk refuses everything, and what was acknowledged is intact', {
  skip: mounted ? false : 'no tmpfs may be mounted here',
}, async () => {
  const elsewhere = makeLog()
  const files = { path: join(tmpfs, 'audit.db'), anchor: elsewhere.anchor }
  const audit = await openAudit({ ...files, signingKey: keys.privateKey, clock: systemClock, sinks: [] })
  let acknowledged = 0
  await assert.rejects(async () => {
    for (;;) {
      await passOne(audit, { class: 'write' })
      acknowledged++
    }
  }, unavailable)
  await assertClosed(audit)
  assert.match(audit.status().failure ?? '', /full|disk/)
  await audit.close()
  const found = await verify(files.path, files.anchor)
  assert.deepEqual(found.tampering, [])
  elsewhere.remove()
  assert.ok(acknowledged > 50 && found.entries >= acknowledged, `${acknowledged} acknowledged, ${found.entries} found`)
})
test.after(() => {
  if (mounted) spawnSync('umount', ['-l', tmpfs])
  rmSync(tmpfs, { recursive: true, force: true })
})

withLog('after it was closed, nothing is taken any more', async (log) => {
  const audit = await log.open()
  await audit.close()
  await assertClosed(audit)
  await audit.close()
})

/** What is done to a closed log, and what the next start says. */
const refusals: readonly (readonly [name: string, (log: LogFixture) => unknown, says: RegExp])[] = [
  ['the anchor is gone', (log) => rmSync(log.anchor), /anchor .* is missing/],
  [
    'the anchor is of another log',
    async (log) => {
      const other = makeLog()
      await (await other.open()).close()
      const { copyFileSync } = await import('node:fs')
      copyFileSync(other.anchor, log.anchor)
      other.remove()
    },
    /belongs to another log/,
  ],
  ['the log is gone and the anchor is not', (log) => rmSync(log.path), /belongs to another log/],
  ['the log was emptied', (log) => log.attack('DELETE FROM entry; DELETE FROM checkpoint'), /ends before entry/],
  [
    'the end was cut off',
    (log) => log.attack('DELETE FROM entry WHERE seq > 3; DELETE FROM checkpoint WHERE size > 3'),
    /ends before entry/,
  ],
  [
    'the end was cut off, the checkpoint left',
    (log) => log.attack('DELETE FROM entry WHERE seq > 3'),
    /is not the one we signed/,
  ],
  [
    'the last entry was replaced',
    (log) => log.attack(`UPDATE entry SET hash = '${'0'.repeat(64)}' WHERE seq = (SELECT max(seq) FROM entry)`),
    /is not the one we signed/,
  ],
  [
    'the last checkpoint was changed',
    (log) => log.attack(`UPDATE checkpoint SET text = replace(text, '"v":1', '"v":2')`),
    /not what we signed/,
  ],
  ['the peaks were changed', (log) => log.attack('UPDATE checkpoint SET peaks = zeroblob(length(peaks))'), /not what we signed/],
  [
    'an entry was added',
    (log) => log.attack(`INSERT INTO entry SELECT max(seq) + 1, '', '{}', '${'0'.repeat(64)}' FROM entry`),
    /does not follow/,
  ],
  ['a newer Sekisho wrote it', (log) => log.attack('PRAGMA user_version = 99'), /newer Sekisho/],
]
for (const [name, damage, says] of refusals) {
  withLog(`it does not go on when ${name}`, async (log) => {
    const audit = await log.open()
    await passMany(audit, 4)
    await audit.close()
    await damage(log)
    await assert.rejects(log.open(), says)
  })
}

withLog('it does not go on with another key, nor beside another writer', async (log) => {
  const audit = await log.open()
  await assert.rejects(log.open(), { name: 'LogRefused', fault: 'in-use' })
  await passOne(audit)
  await audit.close()
  await assert.rejects(log.open({ signingKey: generateKeyPairSync('ed25519').privateKey }), {
    name: 'LogRefused',
    fault: 'damaged',
  })
})

withLog('it does not start where it cannot write', async (log) => {
  mkdirSync(log.path, { recursive: true })
  await assert.rejects(log.open(), { name: 'LogRefused', fault: 'unwritable' })
})

withLog('a write waits for the disk; a read does not, but its answer does', async (log) => {
  const audit = await log.open()
  const frame = frameOf()
  const record = audit.record(frame)
  const intent = record.intent(callOf(frame, { class: 'destructive' }))
  assert.ok(intent instanceof Promise)
  assert.equal(audit.status().pending, 1)
  await intent
  assert.equal(log.entries().length, 1)
  assert.equal(record.durable(), undefined)
  record.ended('delivered')

  const read = frameOf()
  const reading = audit.record(read)
  assert.equal(reading.intent(callOf(read)), undefined)
  assert.ok(reading.durable() instanceof Promise)
  await reading.durable()
  assert.equal(log.entries().at(-1)?.kind, 'intent')
  reading.ended('delivered')
  await audit.close()
})

withLog('an outcome waits for company, and 20 ms at most', async (log) => {
  const audit = await log.open()
  await passOne(audit, { class: 'write' })
  assert.equal(audit.status().pending, 1)
  assert.equal(log.entries().length, 1)
  await delay(250)
  assert.equal(audit.status().pending, 0)
  assert.equal(log.entries().length, 2)
  await audit.close()
})

withLog('an operator’s action is on disk when event() resolves', async (log) => {
  const audit = await log.open()
  await audit.event({ action: 'server.disabled', principal: 'cli:me', server: 'files' })
  assert.deepEqual(
    log.entries().map(({ kind }) => kind),
    ['operator'],
  )
  await audit.close()
})

withLog('a checkpoint is signed within a second, and on closing', async (log) => {
  const audit = await log.open()
  await passMany(audit, 3)
  await delay(1400)
  const early = await verify(log.path, log.anchor, keys.publicKey)
  assert.deepEqual([early.ok, early.protectedTo, early.unprotected], [true, 6, 0])
  await passMany(audit, 1)
  await audit.close()
  const late = await verify(log.path, log.anchor, keys.publicKey)
  assert.deepEqual([late.ok, late.protectedTo, late.checkpoints], [true, 8, 2])
})

withLog(
  'it goes on where it was, with a checkpoint that reached the store only, and with half a line in the anchor',
  async (log) => {
    for (let round = 1; round <= 4; round++) {
      const audit = await log.open()
      await passMany(audit, 5)
      await audit.close()
      if (round === 2) truncateSync(log.anchor, statSync(log.anchor).size - 200) // the last line is half there
      if (round === 3) appendFileSync(log.anchor, '{"head":"')
    }
    const found = await verify(log.path, log.anchor)
    assert.deepEqual(found.tampering, [])
    assert.deepEqual([found.entries, found.protectedTo, found.checkpoints], [40, 40, 4])
  },
)

withLog('the files are for their owner only', async (log) => {
  const audit = await log.open()
  await passOne(audit)
  await audit.close()
  if (process.platform === 'win32') return
  for (const file of [log.path, `${log.path}.lock`, log.anchor]) assert.equal(statSync(file).mode & 0o077, 0)
})

withLog('an empty anchor, left by a crash while it was made, is made again', async (log) => {
  mkdirSync(join(log.anchor, '..'), { recursive: true })
  writeFileSync(log.anchor, '')
  const audit = await log.open()
  await passOne(audit)
  await audit.close()
  assert.equal((await verify(log.path, log.anchor)).ok, true)
})
