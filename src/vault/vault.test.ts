import assert from 'node:assert/strict'
import { chmodSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { migrations } from '../storage/migrations.ts'
import { vaultRecords } from '../storage/vault-records.ts'
import { type Cellar, cellar } from './fixture.test.ts'
import { fileProvider } from './key-providers/file.ts'
import { VaultKeys } from './keys.ts'
import type { RecordKey } from './record-key.ts'
import { Vault } from './vault.ts'

const alice: RecordKey = { owner: 'key:alice', server: 'crm', kind: 'access-token' }
const bob: RecordKey = { ...alice, owner: 'key:bob' }
const token = 'ghp_this-is-the-secret-of-alice'

for (const [says, key] of [
  ['no owner', { ...alice, owner: '' }],
  ['a long owner', { ...alice, owner: 'a'.repeat(1025) }],
  ['no server', { ...alice, server: '' }],
  ['no kind', { ...alice, kind: '' }],
  ['an empty client', { ...alice, client: '' }],
  ['a number', { ...alice, owner: 1 as unknown as string }],
] as const)
  test(`refuses a record with ${says}`, async () => {
    const { vault } = await cellar()
    for (const attempt of [vault.put(key, token), vault.get(key), vault.delete(key)])
      await assert.rejects(attempt, { name: 'RangeError', message: /of a vault record is a text of 1 to/ })
  })

for (const [says, value, message] of [
  ['a value above a megabyte', 'a'.repeat(1_048_577), /at most 1048576 bytes/],
  ['bytes that are no text', Uint8Array.of(0xff, 0xfe), /is UTF-8 text/],
] as const)
  test(`refuses ${says}`, async () => {
    const { vault } = await cellar()
    await assert.rejects(vault.put(alice, value), { message })
    assert.equal(await vault.get(alice), undefined)
  })

/** What can be done to the row of alice by whoever can write to the store. TOK-C3: edited, swapped, cut short. */
const other = "(SELECT %s FROM vault_records WHERE kind = 'other')"
const edits: readonly [says: string, change: string][] = [
  ...['owner', 'label', 'wrapped', 'sealed', 'version'].map(
    (column) => [`the ${column} of another row`, `${column} = ${other.replace('%s', column)}`] as [string, string],
  ),
  ...['wrapped', 'sealed', 'label'].flatMap((column): [string, string][] => [
    [`the ${column} cut short`, `${column} = substr(${column}, 1, length(${column}) - 1)`],
    [`the ${column} cut to nothing`, `${column} = x''`],
    [`the ${column} longer`, `${column} = CAST(${column} || x'00' AS BLOB)`],
    [`the ${column} of zeros`, `${column} = zeroblob(length(${column}))`],
  ]),
  ['value and key of another row', `wrapped = ${other.replace('%s', 'wrapped')}, sealed = ${other.replace('%s', 'sealed')}`],
  ['another server', "server = 'files'"],
  ['another kind', "kind = 'refresh-token'"],
  ['another version', 'version = version + 1'],
  ['another time', 'at = at + 1'],
]
for (const [says, change] of edits)
  test(`a row with ${says} does not open, and is named (TOK-C3)`, async () => {
    const { vault, sql } = await cellar()
    const another = { owner: 'key:carol', server: 'crm', kind: 'other' }
    await vault.put(another, 'the secret of the other')
    await vault.put(another, 'the other, second version')
    await vault.put(alice, token)
    const [row] = sql("SELECT lower(hex(name)) AS name FROM vault_records WHERE kind = 'access-token'")
    sql(`UPDATE vault_records SET ${change} WHERE kind = 'access-token'`)
    await assert.rejects(vault.get(alice), (error: Error & { record?: string; fix?: string }) => {
      assert.equal(error.name, 'VaultRecordBroken')
      assert.equal(error.record, String(row?.['name']).slice(0, 16))
      assert.match(error.message, /was changed outside the vault and does not open/)
      assert.match(String(error.fix), /restore the store from a copy/)
      assert.doesNotMatch(inspect(error, { depth: 10 }).replaceAll(/^ +at .*$/gm, ''), /secret|alice|ghp_/)
      return true
    })
    assert.equal(await vault.get(another), 'the other, second version')
  })

test('the rows of two owners, swapped, open for neither', async () => {
  const { vault, sql } = await cellar()
  await vault.put(alice, token)
  await vault.put(bob, 'the secret of bob')
  const [one, two] = sql('SELECT name FROM vault_records') as { name: Uint8Array }[]
  sql("UPDATE vault_records SET name = x'00' WHERE name = ?", one?.name as Uint8Array)
  sql('UPDATE vault_records SET name = ? WHERE name = ?', one?.name as Uint8Array, two?.name as Uint8Array)
  sql("UPDATE vault_records SET name = ? WHERE name = x'00'", two?.name as Uint8Array)
  for (const key of [alice, bob]) await assert.rejects(vault.get(key), { name: 'VaultRecordBroken' })
})

test('a record that was broken can be stored again', async () => {
  const { vault, sql } = await cellar()
  await vault.put(alice, token)
  sql("UPDATE vault_records SET sealed = x'00', version = 7")
  await vault.put(alice, 'a new one')
  assert.equal(await vault.get(alice), 'a new one')
})

const losses: readonly [says: string, lose: (cellar: Cellar) => void, message: RegExp][] = [
  [
    'the key file is gone',
    ({ keyFile }) => unlinkSync(keyFile),
    /the key file .* is not there, and what the vault keeps is sealed/,
  ],
  ['another key is in its place', ({ keyFile }) => writeFileSync(keyFile, Buffer.alloc(32, 3)), /it is another key/],
  ['the store forgot its keys', ({ sql }) => void sql('DELETE FROM vault_keys'), /knows no key file:1/],
  [
    'the key is one of a provider that is not named',
    ({ sql }) => void sql("UPDATE vault_keys SET id = 'x:1'"),
    /no provider that has it/,
  ],
]
for (const [says, lose, message] of losses)
  test(`when ${says}: an error that says what to do, and no new key in its place`, async () => {
    const before = await cellar()
    await before.vault.put(alice, token)
    await before.vault.put(bob, token)
    lose(before)
    const keys = before.sql('SELECT id, seq, names FROM vault_keys')
    const { vault, keys: opened } = await before.open()
    const refused = { name: 'VaultKeyMissing', message }
    if (keys.length > 0)
      for (const attempt of [vault.get(alice), vault.put(alice, 'x'), vault.check()]) await assert.rejects(attempt, refused)
    await assert.rejects(opened.of('file:1'), { name: 'VaultKeyMissing' })
    assert.deepEqual(before.sql('SELECT id, seq, names FROM vault_keys'), keys)
  })

test('a key file that others may read opens nothing', { skip: process.platform === 'win32' }, async () => {
  const { vault, keyFile, open } = await cellar()
  await vault.put(alice, token)
  chmodSync(keyFile, 0o640)
  await assert.rejects((await open()).vault.get(alice), { name: 'KeyFileRefused', fix: `chmod 600 ${keyFile}` })
})

test('a key file that comes back opens everything again, in the same process', async () => {
  const { vault, keyFile, open } = await cellar()
  await vault.put(alice, token)
  renameSync(keyFile, `${keyFile}.away`)
  const second = await open()
  await assert.rejects(second.vault.get(alice), { name: 'VaultKeyMissing' })
  renameSync(`${keyFile}.away`, keyFile)
  assert.equal(await second.vault.get(alice), token)
})

test('a full disk is an error; what was stored before stays', async () => {
  const database = new DatabaseSync(':memory:')
  for (const step of migrations) database.exec(step)
  const { keyFile, clock } = await cellar()
  const records = vaultRecords(database, () => undefined)
  const keys = new VaultKeys(records, [fileProvider(keyFile)], clock)
  const vault = new Vault(records, keys, clock)
  await vault.put(alice, token)
  database.exec(`PRAGMA max_page_count = ${database.prepare('PRAGMA page_count').get()?.['page_count']}`)
  await assert.rejects(vault.put(alice, 'x'.repeat(500_000)), /full/)
  assert.equal(await vault.get(alice), token)
  database.exec('PRAGMA max_page_count = 100000')
  await vault.put(alice, 'x'.repeat(500_000))
  assert.equal((await vault.get(alice))?.length, 500_000)
  database.close()
})

test('keeps what it was given, in its newest version, until it is removed', async () => {
  const { vault, open } = await cellar()
  assert.equal(await vault.get(alice), undefined)
  assert.equal(await vault.delete(alice), false)
  for (const value of ['', 'a', 'ü\u0000\n😀', 'x'.repeat(1_048_576), Buffer.from('bytes')]) {
    await vault.put(alice, value)
    assert.equal(await (await open()).vault.get(alice), value.toString())
  }
  await vault.put({ ...alice, client: 'c' }, 'of one client')
  await vault.put(bob, 'of bob')
  assert.equal(await vault.get({ ...alice, client: 'c' }), 'of one client')
  assert.equal(await vault.get(alice), 'bytes')
  assert.equal(await vault.delete(alice), true)
  assert.equal(await vault.get(alice), undefined)
  await vault.put(alice, 'again')
  assert.equal(await vault.deleteOwner('key:alice'), 2)
  assert.equal(await vault.deleteOwner('key:alice'), 0)
  assert.equal(await vault.get(bob), 'of bob')
})

test('the caller’s bytes are left alone, and no two writings look alike', async () => {
  const { vault, sql } = await cellar()
  const bytes = Buffer.from(token)
  await vault.put(alice, bytes)
  assert.equal(bytes.toString(), token)
  const first = sql('SELECT wrapped, sealed, label FROM vault_records')
  await vault.put(alice, token)
  assert.notDeepEqual(sql('SELECT wrapped, sealed, label FROM vault_records'), first)
})

test('no two records share a name, whatever is in them (TOK-C3)', async () => {
  const { vault, keys } = await cellar()
  await vault.put(alice, token)
  const names = await keys.names()
  const part = fc.string({
    unit: fc.constantFrom('"', '\\', ',', 'a', '\ud800', '\ud801', 'é', 'e\u0301'),
    minLength: 1,
    maxLength: 3,
  })
  const key = fc.record({ owner: part, server: part, kind: part, client: part }, { requiredKeys: ['owner', 'server', 'kind'] })
  fc.assert(
    fc.property(key, key, (one, two) => {
      const same =
        JSON.stringify([one.owner, one.server, one.kind, one.client]) ===
        JSON.stringify([two.owner, two.server, two.kind, two.client])
      return same === names?.recordOf(one).equals(names.recordOf(two))
    }),
  )
})

test('a list has everything but values, and an owner only where the row is whole', async () => {
  const { vault, sql, clock } = await cellar()
  await vault.put(alice, token)
  await vault.put({ ...bob, client: 'c' }, token)
  const [{ hex } = {}] = sql("SELECT hex(owner) AS hex FROM vault_records WHERE server = 'crm' LIMIT 1")
  sql("UPDATE vault_records SET server = 'files' WHERE hex(owner) = ?", String(hex))
  const listed = (await Array.fromAsync(vault.list())).map(({ record, ...rest }) => {
    assert.match(record, /^[0-9a-f]{16}$/)
    return rest
  })
  const common = { kind: 'access-token', version: 1, at: clock.at, key: 'file:1' }
  assert.equal(listed.length, 2)
  assert.deepEqual(
    listed.filter(({ owner }) => owner === undefined),
    [{ ...common, owner: undefined, client: undefined, server: 'files' }],
  )
  assert.doesNotMatch(JSON.stringify(listed), /ghp_/)
})

test('of many who write one record at once, each succeeds, and one of their values is there', async () => {
  const { vault, open, sql } = await cellar()
  const others = await Promise.all([open(), open(), open()])
  const vaults = [vault, ...others.map((one) => one.vault)]
  await Promise.all(vaults.map((one, at) => one.put(alice, `value ${at}`)))
  assert.match(String(await vault.get(alice)), /^value [0-3]$/)
  assert.equal(sql('SELECT count(*) AS count FROM vault_keys')[0]?.['count'], 1, 'they agree on one key')
})

test('nothing that a program can print has a key or a value in it (TOK-C5)', async () => {
  const { vault, keys, keyFile } = await cellar()
  await vault.put(alice, token)
  await vault.get(alice)
  const secrets = [token, readFileSync(keyFile).toString('hex'), (await keys.names())?.secret().toString('hex')]
  const printed = inspect([vault, keys, await keys.current()], { depth: 20, showHidden: true, maxArrayLength: null })
  assert.match(printed, /file:1/)
  for (const secret of secrets) assert.ok(!printed.replaceAll(/[^0-9a-z_-]/gi, '').includes(String(secret)))
})
