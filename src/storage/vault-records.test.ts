import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import type { RecordRow } from '../vault/records.ts'
import { openStore } from './embedded.ts'
import { migrations } from './migrations.ts'

const bytes = (...given: number[]): Uint8Array => Uint8Array.from(given)
const row = (changes: Partial<RecordRow> = {}): RecordRow => ({
  name: bytes(1),
  owner: bytes(9),
  server: 'crm',
  kind: 'k',
  label: bytes(),
  version: 1,
  at: 10,
  key: 'file:1',
  wrapped: bytes(1),
  sealed: bytes(2),
  ...changes,
})
const doing = { action: 'vault.test', by: 'cli:me', at: 5, detail: 'd' }
const key = { id: 'file:1', made: 1, parameters: '{}', names: bytes(3) }

async function records() {
  const store = await openStore('sqlite::memory:')
  assert.equal(await store.vault.addKey(key, 0, doing), true)
  return store.vault
}

test('a record is not written over a version that has changed, nor under a key that is gone', async () => {
  const vault = await records()
  const refused: readonly [given: RecordRow, keySeq: number][] = [
    [row({ version: 2 }), 1],
    [row({ key: 'file:2' }), 1],
    [row(), 2],
  ]
  for (const [given, keySeq] of refused) assert.equal(await vault.write(given, keySeq), false)
  assert.equal(await vault.write(row(), 1), true)
  assert.equal(await vault.write(row(), 1), false)
  assert.equal(await vault.write(row({ version: 2, at: 11 }), 1), true)
  assert.deepEqual({ ...(await vault.record(bytes(1))) }, row({ version: 2, at: 11 }))
})

test('a key is not added beside one that came first, and its note only with it', async () => {
  const store = await openStore('sqlite::memory:')
  const { vault } = store
  await vault.addKey(key, 0, doing)
  assert.equal(await vault.addKey({ ...key, id: 'file:2' }, 0, doing), false)
  assert.equal((await store.unrecorded()).length, 1)
  assert.equal(await vault.addKey({ ...key, id: 'file:2' }, 1, { ...doing, server: 'crm' }), true)
  assert.deepEqual(
    (await vault.keys()).map(({ id, seq }) => [id, seq]),
    [
      ['file:1', 1],
      ['file:2', 2],
    ],
  )
  assert.deepEqual(
    (await store.unrecorded()).map(({ seq, server }) => [seq, server]),
    [
      [1, undefined],
      [2, 'crm'],
    ],
  )
  await store.recorded(1)
  assert.deepEqual(
    (await store.unrecorded()).map(({ seq }) => seq),
    [2],
  )
})

test('nothing is purged without a condition; several have to fit together; the last record takes the keys along', async () => {
  const vault = await records()
  for (const [name, server, at] of [
    [1, 'crm', 10],
    [2, 'crm', 20],
    [3, 'files', 10],
  ] as const)
    await vault.write(row({ name: bytes(name), server, at }), 1)
  await assert.rejects(vault.removeAll({}), /say which records/)
  assert.equal(await vault.removeAll({ server: 'crm', before: 20 }), 1)
  assert.equal(await vault.removeAll({ owner: bytes(8) }), 0)
  assert.equal(await vault.removeAll({ owner: bytes(9) }), 2)
  assert.equal((await vault.keys()).length, 1, 'a principal who leaves changes no key')
  assert.equal(await vault.removeAll({ server: 'crm' }, () => doing), 0)
  assert.deepEqual(await vault.keys(), [])
})

test('who watches the store learns of a note at once, and of nothing else that the vault does', async () => {
  const store = await openStore('sqlite::memory:')
  let told = 0
  store.watch(() => told++)
  await store.vault.addKey(key, 0, doing)
  assert.equal(told, 1)
  await store.vault.write(row(), 1)
  await store.vault.remove(bytes(1))
  assert.equal(told, 1)
  await store.vault.removeAll({ server: 'crm' }, () => doing)
  assert.equal(told, 2)
  await store.close()
})

test('a rewrapping of what has changed meanwhile, or to a key that is gone, is left out', async () => {
  const vault = await records()
  await vault.addKey({ ...key, id: 'file:2' }, 1, doing)
  await vault.write(row(), 1)
  const change = { name: bytes(1), version: 1, from: 'file:1', to: 'file:2', wrapped: bytes(7) }
  assert.equal(
    await vault.rewrap([
      { ...change, version: 2 },
      { ...change, from: 'file:3' },
      { ...change, to: 'file:4' },
    ]),
    0,
  )
  assert.equal(await vault.rewrap([change]), 1)
  assert.equal(await vault.count('file:2'), 0)
  assert.deepEqual(await vault.removeUnusedKeys('file:2', doing), ['file:1'])
})

test('a store of before the vault gets it, and keeps what it has; what is deleted is overwritten', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'sekisho-store-')), 'old.db')
  const old = new DatabaseSync(path)
  old.exec(`${migrations[0]}; PRAGMA user_version = 1; INSERT INTO servers_disabled VALUES ('crm', 1, 'x', '')`)
  old.close()
  const store = await openStore(`sqlite:${path}`)
  assert.equal((await store.disabledServers()).length, 1)
  await store.vault.addKey(key, 0, doing)
  const sealed = Buffer.from('ciphertext that has to go '.repeat(4))
  await store.vault.write(row({ sealed }), 1)
  await store.vault.removeAll({ server: 'crm' }, () => doing)
  for (const file of [path, `${path}-wal`]) assert.ok(!readFileSync(file).includes('ciphertext'), file)
  await store.close()
})
