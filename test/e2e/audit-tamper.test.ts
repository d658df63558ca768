/**
 * Somebody who may edit the store at will, and has no signing key, against `verify` (K-15). Every attack is detected and
 * named; what cannot be detected is stated, and shown. And the log alone against kill -9.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { auditVerify } from '../../src/admin/operations/audit-verify.ts'
import { genesis, link } from '../../src/audit/chain.ts'
import { signer } from '../../src/audit/checkpoint.ts'
import { keys, type LogFixture, makeLog, passMany, passOne } from '../../src/audit/fixture.test.ts'
import { MerkleTree } from '../../src/audit/merkle.ts'
import { verify } from '../../src/audit/verify.ts'

/** 24 entries, a checkpoint signed after every 8. */
async function logWithHistory(): Promise<LogFixture> {
  const log = makeLog()
  for (let round = 0; round < 3; round++) {
    const audit = await log.open()
    await passMany(audit, 4)
    await audit.close()
  }
  return log
}

const edit = (at: number): string => `UPDATE entry SET text = replace(text, 'key:ci', 'key:me') WHERE seq = ${at};`

/** Makes the chain fit again from `from` on, as anybody can: the hashes are no secret. */
function relink(log: LogFixture, from: number, to = Number.MAX_SAFE_INTEGER): void {
  const store = new DatabaseSync(log.path)
  const before = store.prepare('SELECT hash FROM entry WHERE seq = ?').get(from - 1) as { hash: string } | undefined
  let previous = before?.hash ?? genesis((store.prepare('SELECT id FROM log').get() as { id: string }).id)
  for (const { seq, text } of store
    .prepare('SELECT seq, text FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq')
    .all(from, to) as { seq: number; text: string }[]) {
    previous = link(previous, text)
    store.prepare('UPDATE entry SET hash = ? WHERE seq = ?').run(previous, seq)
  }
  store.close()
}

function editAndRelink(log: LogFixture, sql: string, from: number, to?: number): void {
  log.attack(sql)
  relink(log, from, to)
}

/** Signs the whole store anew, with a key of the attacker's own; and the anchor too, where `anchor` says so. */
function resign(log: LogFixture, key: KeyObject, anchor: boolean): void {
  const store = new DatabaseSync(log.path)
  const { id } = store.prepare('SELECT id FROM log').get() as { id: string }
  const sign = signer(key)
  const tree = MerkleTree.empty()
  const lines: string[] = []
  for (const { seq, hash } of store.prepare('SELECT seq, hash FROM entry ORDER BY seq').all() as {
    seq: number
    hash: string
  }[]) {
    tree.append(hash)
    if (seq % 8 !== 0) continue
    lines.push(JSON.stringify(sign({ log: id, size: seq, root: tree.root(), head: hash, time: '2026-11-21T08:00:00.000Z' })))
    store.prepare('UPDATE checkpoint SET text = ? WHERE size = ?').run(lines.at(-1) as string, seq)
  }
  store.close()
  if (!anchor) return
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64url')
  const header = JSON.parse(readFileSync(log.anchor, 'utf8').split('\n')[0] as string) as object
  writeFileSync(log.anchor, [JSON.stringify({ ...header, publicKey, keyId: 'x' }), ...lines, ''].join('\n'))
}

const anchorLines = (log: LogFixture, change: (lines: string[]) => string[]): void =>
  writeFileSync(log.anchor, `${change(readFileSync(log.anchor, 'utf8').trimEnd().split('\n')).join('\n')}\n`)

async function swapAnchor(log: LogFixture): Promise<void> {
  const other = await logWithHistory()
  copyFileSync(other.anchor, log.anchor)
  other.remove()
}

type Attack = readonly [name: string, attack: (log: LogFixture) => unknown, found: readonly string[]]
const attacks: readonly Attack[] = [
  ['edit the text of one entry', (log) => log.attack(edit(11)), ['edited 11-11']],
  ['edit the first', (log) => log.attack(edit(1)), ['edited 1-1']],
  ['edit the last', (log) => log.attack(edit(24)), ['edited 24-24']],
  ['edit three in a row', (log) => log.attack(edit(10) + edit(11) + edit(12)), ['edited 10-12']],
  ['edit two far apart', (log) => log.attack(edit(3) + edit(20)), ['edited 3-3', 'edited 20-20']],
  ['make one unreadable', (log) => log.attack(`UPDATE entry SET text = 'x' WHERE seq = 11`), ['edited 11-11']],
  ['edit an entry and its hash', (log) => editAndRelink(log, edit(11), 11, 11), ['edited 11-12']],
  ['edit a hash alone', (log) => log.attack(`UPDATE entry SET hash = '${'0'.repeat(64)}' WHERE seq = 11`), ['edited 10-12']],
  [
    'edit the column that trace looks at',
    (log) => log.attack(`UPDATE entry SET exchange = 'hidden' WHERE seq = 11`),
    ['edited 11-11'],
  ],
  ['edit and relink to the end', (log) => editAndRelink(log, edit(11), 11), ['rewritten 9-24']],
  [
    'rewrite everything',
    (log) => editAndRelink(log, `UPDATE entry SET text = replace(text, 'key:ci', 'key:me')`, 1),
    ['rewritten 1-24'],
  ],
  ['delete one entry', (log) => log.attack('DELETE FROM entry WHERE seq = 11'), ['deleted 11-11']],
  ['delete the first', (log) => log.attack('DELETE FROM entry WHERE seq = 1'), ['deleted 1-1']],
  ['delete a stretch', (log) => log.attack('DELETE FROM entry WHERE seq BETWEEN 5 AND 14'), ['deleted 5-14']],
  [
    'delete one and close the gap',
    (log) => log.attack('DELETE FROM entry WHERE seq = 11; UPDATE entry SET seq = seq - 1 WHERE seq > 11'),
    ['deleted 11-11'],
  ],
  [
    'delete one, close the gap and relink',
    (log) => editAndRelink(log, 'DELETE FROM entry WHERE seq = 11; UPDATE entry SET seq = seq - 1 WHERE seq > 11', 11),
    ['deleted 11-11', 'rewritten 9-24'],
  ],
  [
    'swap two entries',
    (log) =>
      log.attack(
        'UPDATE entry SET seq = -1 WHERE seq = 11; UPDATE entry SET seq = 11 WHERE seq = 14; UPDATE entry SET seq = 14 WHERE seq = -1',
      ),
    ['reordered 12-13', 'reordered 11-11'],
  ],
  [
    'swap two neighbours',
    (log) =>
      log.attack(
        'UPDATE entry SET seq = -1 WHERE seq = 11; UPDATE entry SET seq = 11 WHERE seq = 12; UPDATE entry SET seq = 12 WHERE seq = -1',
      ),
    ['reordered 11-11'],
  ],
  ['move the last away', (log) => log.attack('UPDATE entry SET seq = 30 WHERE seq = 24'), ['edited 24-24']],
  [
    'add an entry that says it is another',
    (log) => log.attack(`INSERT INTO entry SELECT 25, exchange, text, hash FROM entry WHERE seq = 11`),
    ['inserted 11-11'],
  ],
  ['cut off the end', (log) => log.attack('DELETE FROM entry WHERE seq > 20'), ['truncated 21-24']],
  [
    'cut off the end with its checkpoints',
    (log) => log.attack('DELETE FROM entry WHERE seq > 16; DELETE FROM checkpoint WHERE size > 16'),
    ['checkpoint-removed 24-24', 'truncated 17-24'],
  ],
  ['empty it', (log) => log.attack('DELETE FROM entry'), ['truncated 1-24']],
  ['remove it', (log) => rmSync(log.path), ['store-missing 1-24']],
  ['overwrite it', (log) => writeFileSync(log.path, 'x'.repeat(8192)), ['store-missing 1-24']],
  ['drop the table', (log) => log.attack('DROP TABLE entry'), ['store-missing 1-24']],
  ['remove a checkpoint', (log) => log.attack('DELETE FROM checkpoint WHERE size = 16'), ['checkpoint-removed 16-16']],
  ['remove every checkpoint', (log) => log.attack('DELETE FROM checkpoint'), ['checkpoint-removed 8-24']],
  [
    'forge a checkpoint',
    (log) => log.attack(`UPDATE checkpoint SET text = replace(text, '"size":16', '"size":15') WHERE size = 16`),
    ['checkpoint-forged 16-16', 'checkpoint-removed 16-16'],
  ],
  [
    'add a checkpoint',
    (log) =>
      log.attack(
        `INSERT INTO checkpoint SELECT 12, replace(text, '"size":16', '"size":12'), peaks FROM checkpoint WHERE size = 16`,
      ),
    ['checkpoint-forged 12-12'],
  ],
  [
    'rewrite, and sign with a key of one’s own',
    (log) => {
      editAndRelink(log, edit(11), 11)
      resign(log, generateKeyPairSync('ed25519').privateKey, false)
    },
    ['wrong-key 8-24', 'checkpoint-removed 8-24', 'rewritten 9-24'],
  ],
  ['swap the anchor', swapAnchor, ['anchor-swapped 0-0']],
  ['remove the anchor', (log) => rmSync(log.anchor), ['anchor-missing 0-0']],
  ['remove a line of the anchor', (log) => anchorLines(log, (lines) => lines.toSpliced(2, 1)), ['checkpoint-removed 16-16']],
  ['cut the anchor', (log) => anchorLines(log, (lines) => lines.slice(0, 2)), ['checkpoint-removed 16-16']],
  [
    'edit the anchor',
    (log) => anchorLines(log, (lines) => lines.map((line, at) => (at === 2 ? line.replace('"size":16', '"size":15') : line))),
    ['checkpoint-forged 15-15'],
  ],
  [
    'spoil the anchor',
    (log) => anchorLines(log, (lines) => lines.map((line, at) => (at === 2 ? 'x' : line))),
    ['anchor-damaged 0-0', 'checkpoint-removed 16-16'],
  ],
  ['spoil the head of the anchor', (log) => anchorLines(log, (lines) => ['x', ...lines.slice(1)]), ['anchor-damaged 0-0']],
]

for (const [name, attack, expected] of attacks) {
  test(`tampering: ${name}`, async () => {
    const log = await logWithHistory()
    try {
      assert.equal((await verify(log.path, log.anchor)).ok, true)
      await attack(log)
      const found = await verify(log.path, log.anchor)
      assert.equal(found.ok, false)
      assert.deepEqual(
        found.tampering.map(({ kind, from, to }) => `${kind} ${from}-${to}`),
        expected,
      )
    } finally {
      log.remove()
    }
  })
}

test('tampering: who re-signs the store and the anchor is found by the public key', async () => {
  const log = await logWithHistory()
  log.attack(edit(11))
  relink(log, 11)
  resign(log, generateKeyPairSync('ed25519').privateKey, true)
  const found = await verify(log.path, log.anchor, keys.publicKey)
  assert.deepEqual(
    found.tampering.map(({ kind }) => kind),
    ['wrong-key', 'wrong-key', 'wrong-key'],
  )
  log.remove()
})

test('stated, and so: entries after the last checkpoint are not protected yet', async () => {
  const log = await logWithHistory()
  const audit = await log.open()
  await passMany(audit, 2)
  const live = await verify(log.path, log.anchor)
  assert.deepEqual([live.ok, live.protectedTo, live.unprotected], [true, 24, 4])
  log.attack('DELETE FROM entry WHERE seq > 26')
  const cut = await verify(log.path, log.anchor)
  assert.deepEqual([cut.ok, cut.unprotected], [true, 2])
  await audit.close() // the gateway signs what it wrote, and the cut shows
  assert.deepEqual(
    (await verify(log.path, log.anchor)).tampering.map(({ kind, from, to }) => `${kind} ${from}-${to}`),
    ['truncated 27-28'],
  )
  log.remove()
})

test('a store shuffled throughout is not worth an hour', async () => {
  const log = makeLog()
  const audit = await log.open()
  await passMany(audit, 3000)
  await audit.close()
  log.attack('UPDATE entry SET seq = -seq WHERE seq % 2 = 0; UPDATE entry SET seq = 20000 + seq WHERE seq < 0')
  const found = await verify(log.path, log.anchor)
  assert.equal(found.ok, false)
  log.remove()
})

test('verify says how far it is', async () => {
  const log = makeLog()
  const audit = await log.open()
  await passMany(audit, 3000)
  await audit.close()
  const seen: string[] = []
  await auditVerify({ path: log.path, anchor: log.anchor }, (at, total) => void seen.push(`${at}/${total}`))
  assert.deepEqual(seen, ['2000/6000', '4000/6000', '6000/6000'])
  log.remove()
})

const root = join(import.meta.dirname, '..', '..')
const inNode = (code: string, ...args: string[]) =>
  spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code, ...args], {
    cwd: root,
    encoding: 'utf8',
  })
const cli = (...args: string[]) =>
  inNode(
    `const { auditCommand } = await import('./src/cli/audit.ts'); await auditCommand().parseAsync(process.argv.slice(1), { from: 'user' })`,
    ...args,
  )

test('on the command line: 0 and what is covered, or 1 and what and where', async () => {
  const log = await logWithHistory()
  const files = ['--path', log.path, '--anchor', log.anchor]
  const intact = cli('verify', ...files)
  assert.equal(intact.status, 0, intact.stderr)
  assert.match(intact.stdout, /^intact\n {2}entries +24, of which 0 intents without an outcome\n/)
  assert.equal(intact.stderr, '')
  log.attack(edit(11))
  const edited = cli('verify', ...files)
  assert.equal(edited.status, 1)
  assert.match(edited.stdout, /^tampered with\n[\s\S]*\n {2}edited {2}entry 11 {2}its text does not give its signed hash\n$/)
  const json = cli('verify', ...files, '--json')
  assert.equal(json.status, 1)
  assert.deepEqual((JSON.parse(json.stdout) as { tampering: object[] }).tampering, [
    { kind: 'edited', from: 11, to: 11, detail: 'its text does not give its signed hash' },
  ])
  log.remove()
})

test('on the command line: what strangers are called cannot move the cursor', async () => {
  const log = makeLog()
  const audit = await log.open()
  const evil = 'a\u001b[2J\u009b2J\u202eb\nintact'
  const exchange = await passOne(audit, { subject: evil })
  await audit.close()
  for (const args of [['search'], ['tail'], ['trace', exchange]]) {
    for (const json of [[], ['--json']]) {
      const { stdout, status, stderr } = cli(...(args as [string]), '--path', log.path, ...json)
      assert.equal(status, 0, stderr)
      assert.match(stdout, /tools\/call/)
      assert.ok(!/[\u001b\u009b\u202e]|\nintact/.test(stdout), JSON.stringify(stdout))
    }
  }
  assert.equal(cli('trace', 'nobody', '--path', log.path).status, 1)
  assert.match(cli('search', '--since', 'yesterday', '--path', log.path).stderr, /It is a time, or a span/)
  log.remove()
})

const kills = 20
test(`kill -9, ${kills} times: nothing acknowledged is lost, and the log verifies`, { timeout: 180_000 }, async () => {
  const log = makeLog()
  const child = join(import.meta.dirname, '..', '..', 'src', 'audit', 'fixture.test.ts')
  const code = `
    const { makeLog, passOne } = await import(${JSON.stringify(child)})
    const { openAudit } = await import('./src/audit/audit.ts')
    const { systemClock } = await import('./src/lib/clock.ts')
    const { createPrivateKey } = await import('node:crypto')
    const { openSync, writeSync } = await import('node:fs')
    const [path, anchor, pem, acknowledged] = process.argv.slice(1)
    const file = openSync(acknowledged, 'a')
    const audit = await openAudit({ path, anchor, signingKey: createPrivateKey(pem), clock: systemClock, sinks: [] })
    writeSync(1, 'open\\n')
    const lane = async (name) => {
      for (let at = 0; ; at++) {
        const exchange = process.pid + '-' + name + '-' + at
        await passOne(audit, { exchange, class: at % 2 ? 'read' : 'write' })
        writeSync(file, exchange + '\\n')
      }
    }
    for (let name = 0; name < 8; name++) lane(name)
  `
  const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const heard = `${log.path}.heard` // a file, because a full pipe would be a failure of its own
  for (let round = 0; round < kills; round++)
    await killedAtRandom([
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      code,
      log.path,
      log.anchor,
      pem,
      heard,
    ])
  const acknowledged = readFileSync(heard, 'utf8').split('\n').slice(0, -1)
  const found = await verify(log.path, log.anchor, keys.publicKey)
  assert.deepEqual(found.tampering, [])
  const store = new DatabaseSync(log.path)
  const written = new Set(
    (store.prepare('SELECT DISTINCT exchange FROM entry').all() as { exchange: string }[]).map(({ exchange }) => exchange),
  )
  store.close()
  const lost = acknowledged.filter((exchange) => !written.has(exchange))
  assert.deepEqual(lost, [])
  assert.ok(acknowledged.length > kills * 10, `only ${acknowledged.length} were acknowledged`)
  assert.ok(found.unknown > 0)
  log.remove()
})

/** Runs a process, and kills it up to half a second after it has first written something. */
function killedAtRandom(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let problems = ''
    child.stderr.on('data', (chunk) => (problems += chunk))
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), Math.random() * 500))
    child.on('close', (_, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error(`it ended by itself: ${problems}`))))
  })
}
