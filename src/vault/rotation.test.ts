import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import test from 'node:test'
import { cellar } from './fixture.test.ts'
import type { RecordKey } from './record-key.ts'
import { rotate } from './rotation.ts'
import { verifyVault } from './verification.ts'

const keyOf = (at: number): RecordKey => ({ owner: `key:user-${at % 7}`, server: 'crm', kind: 'access-token', client: `c${at}` })
const textOf = (at: number): string => `value number ${at}`

async function filled(count: number) {
  const one = await cellar()
  for (let at = 0; at < count; at++) await one.vault.put(keyOf(at), textOf(at))
  return one
}

/** A process of its own that rotates, and ends with kill -9 just before or after what it does with the store, at the `dies`th. */
const rotator = (folder: string, dies: number): Promise<{ code: number | null; signal: string | null }> => {
  const here = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
  const script = `
    import { cellar } from ${here('./fixture.test.ts')}
    import { rotate } from ${here('./rotation.ts')}
    import { openVault } from ${here('./open-vault.ts')}
    const { store, keyFile, clock } = await cellar({}, ${JSON.stringify(folder)})
    let done = 0
    const records = new Proxy(store.vault, {
      get: (target, name) => async (...given) => {
        const step = () => ['keys', 'count'].includes(name) || (++done === ${dies} && process.kill(process.pid, 'SIGKILL'))
        step()
        const answer = await target[name](...given)
        step()
        return answer
      },
    })
    const config = { keyFile, keyProvider: { kind: 'file' }, previousKeyProviders: [] }
    const { keys } = openVault({ config, records, clock })
    await rotate({ records, keys, clock, by: 'cli:me' })`
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })))
}

test('an empty vault has no key to rotate', async () => {
  const { store, keys, clock } = await cellar()
  assert.deepEqual(await rotate({ records: store.vault, keys, clock, by: 'cli:me' }), {
    key: undefined,
    resumed: false,
    rewrapped: 0,
    removed: [],
    broken: [],
  })
  assert.deepEqual(await store.unrecorded(), [])
})

test('a record that does not open is named, and keeps its key; the others move', async () => {
  const { vault, store, keys, clock, sql } = await filled(3)
  const [row] = sql('SELECT lower(hex(name)) AS name FROM vault_records LIMIT 1')
  sql("UPDATE vault_records SET wrapped = x'00' WHERE lower(hex(name)) = ?", String(row?.['name']))
  const name = String(row?.['name']).slice(0, 16)
  const done = await rotate({ records: store.vault, keys, clock, by: 'cli:me' })
  assert.deepEqual(done, { key: 'file:2', resumed: false, rewrapped: 2, removed: [], broken: [name] })
  const found = await verifyVault({ records: store.vault, keys })
  assert.deepEqual(found, { records: 3, broken: [{ record: name, server: 'crm', kind: 'access-token' }], closed: [] })
  const again = await rotate({ records: store.vault, keys, clock, by: 'cli:me' })
  assert.deepEqual([again.key, again.rewrapped, again.broken], ['file:2', 0, [name]])
  assert.equal((await Array.fromAsync(vault.list())).length, 3)
})

test('every record moves, and who rotated is there for the audit log', async () => {
  const { vault, store, keys, clock, sql } = await filled(120)
  const before = sql('SELECT name, sealed, version, at FROM vault_records')
  const seen: string[] = []
  const progress = (done: number, total: number): void => void seen.push(`${done}/${total}`)
  const done = await rotate({ records: store.vault, keys, clock, by: 'cli:me', progress })
  assert.deepEqual(done, { key: 'file:2', resumed: false, rewrapped: 120, removed: ['file:1'], broken: [] })
  assert.deepEqual(seen, ['50/120', '100/120', '120/120'])
  assert.deepEqual(sql('SELECT name, sealed, version, at FROM vault_records'), before, 'values and names are not touched')
  for (let at = 0; at < 120; at++) assert.equal(await vault.get(keyOf(at)), textOf(at))
  assert.deepEqual(
    (await store.unrecorded()).map(({ action, by, detail }) => `${action} ${by} ${detail}`),
    ['vault.key-added gateway file:1', 'vault.key-added cli:me file:2', 'vault.rotated cli:me 120 records to file:2'],
  )
})

test('while one process rotates, another reads, writes and removes, and loses nothing', { timeout: 60_000 }, async () => {
  const { vault, folder, store, sql } = await filled(300)
  const rotations = [rotator(folder, 0), rotator(folder, 0)]
  let going = true
  void Promise.all(rotations).then(() => (going = false))
  const latest = new Map(Array.from({ length: 300 }, (_, at) => [at, textOf(at)]))
  for (let turn = 0; going || turn < 300; turn++) {
    const at = (turn * 37) % 300
    assert.equal(await vault.get(keyOf(at)), latest.get(at))
    if (turn % 3 === 0) {
      latest.set(at, `${textOf(at)}, turn ${turn}`)
      await vault.put(keyOf(at), latest.get(at) as string)
    }
    if (turn % 7 === 0) {
      latest.delete(at)
      await vault.delete(keyOf(at))
    }
    await new Promise(setImmediate)
  }
  assert.deepEqual(await Promise.all(rotations), [
    { code: 0, signal: null },
    { code: 0, signal: null },
  ])
  for (let at = 0; at < 300; at++) assert.equal(await vault.get(keyOf(at)), latest.get(at))
  assert.equal(sql('SELECT count(*) AS count FROM vault_keys')[0]?.['count'], 1)
  assert.equal(await store.vault.count(), latest.size)
})

test('killed before any of its steps, a rotation loses nothing and is finished by the next', { timeout: 120_000 }, async () => {
  const { vault, folder, store, keys, clock, sql } = await filled(60)
  let kills = 0
  for (let step = 1; ; step++) {
    const { signal, code } = await rotator(folder, step)
    for (let at = 0; at < 60; at += 7) assert.equal(await vault.get(keyOf(at)), textOf(at), `after step ${step}`)
    if (signal === null) {
      assert.equal(code, 0)
      break
    }
    kills++
    if (step % 4 === 0) {
      const unfinished = (await store.vault.count((await keys.current()).row.id)) > 0
      const { resumed, broken } = await rotate({ records: store.vault, keys, clock, by: 'cli:me' })
      assert.deepEqual([resumed, broken], [unfinished, []])
      assert.equal(sql('SELECT count(*) AS count FROM vault_keys')[0]?.['count'], 1)
    }
  }
  assert.ok(kills >= 12, `only ${kills} steps`)
  assert.deepEqual(await verifyVault({ records: store.vault, keys }), { records: 60, broken: [], closed: [] })
})
