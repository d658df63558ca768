import assert from 'node:assert/strict'
import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openStore } from './embedded.ts'
import { migrations } from './migrations.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-store-'))
const at = (name: string): string => `sqlite:${join(folder, name)}`
const clock = { now: () => 1_700_000_000_000, monotonic: () => 0 }

test('refuses a store that a newer version wrote, and a file that is no store', async () => {
  const newer = new DatabaseSync(join(folder, 'newer.db'))
  newer.exec('PRAGMA user_version = 99')
  newer.close()
  await assert.rejects(openStore(at('newer.db')), /written by a newer version of sekisho/)
  writeFileSync(join(folder, 'text.db'), 'this is not a database, and it is long enough to be read as one')
  await assert.rejects(openStore(at('text.db')), /not a database/)
})

test('nobody else may read the store, or what SQLite puts beside it', { skip: process.platform === 'win32' }, async () => {
  const store = await openStore(at('private.db'))
  await store.disableServer('files', 'cli:alice', '')
  for (const file of ['private.db', 'private.db-wal', 'private.db-shm'])
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file)
  await store.close()
})

test('what is disabled stays disabled after a restart, until it is enabled', async () => {
  const first = await openStore(at('new/folder/switches.db'), clock)
  await first.disableServer('files', 'cli:alice', 'leaks')
  await first.disableServer('crm', 'cli:bob', '')
  await first.disableServer('files', 'cli:carol', "it's \u0000 worse; DROP TABLE servers_disabled")
  await first.close()
  const second = await openStore(at('new/folder/switches.db'), clock)
  assert.deepEqual(await second.disabledServers(), [
    { id: 'crm', at: clock.now(), by: 'cli:bob', reason: '' },
    { id: 'files', at: clock.now(), by: 'cli:carol', reason: "it's \u0000 worse; DROP TABLE servers_disabled" },
  ])
  assert.equal(await second.enableServer('files', 'cli:alice'), true)
  assert.equal(await second.enableServer('files', 'cli:alice'), false)
  assert.deepEqual(
    (await second.disabledServers()).map(({ id }) => id),
    ['crm'],
  )
  await second.close()
})

test('every switching is there for the audit log until it says that it has it', async () => {
  const store = await openStore('sqlite::memory:', clock)
  await store.disableServer('files', 'cli:alice', 'leaks')
  await store.enableServer('files', 'cli:bob')
  await store.enableServer('files', 'cli:bob') // changed nothing
  const [first, second, ...rest] = await store.unrecorded()
  assert.deepEqual(first, {
    seq: 1,
    action: 'server.disabled',
    server: 'files',
    at: clock.now(),
    by: 'cli:alice',
    detail: 'leaks',
  })
  assert.deepEqual(second, { seq: 2, action: 'server.enabled', server: 'files', at: clock.now(), by: 'cli:bob', detail: '' })
  assert.deepEqual(rest, [])
  await store.recorded(1)
  assert.deepEqual(
    (await store.unrecorded()).map(({ seq }) => seq),
    [2],
  )
  await store.recorded(2)
  await store.disableServer('files', 'cli:alice', '')
  assert.deepEqual(
    (await store.unrecorded()).map(({ seq }) => seq),
    [3],
    'a number is never used twice',
  )
  await store.close()
})

test('a store of the first shape keeps its switches, and what was not written down yet', async () => {
  const path = join(folder, 'first.db')
  const old = new DatabaseSync(path)
  old.exec(`${migrations[0]}; PRAGMA user_version = 1; INSERT INTO servers_disabled VALUES ('crm', 1, 'cli:x', 'why');
    INSERT INTO switchings_unrecorded (id, to_, at, by, reason) VALUES ('crm', 'enabled', 1, 'cli:x', ''), ('crm', 'disabled', 2, 'cli:x', 'why')`)
  old.close()
  const store = await openStore(`sqlite:${path}`)
  assert.equal((await store.disabledServers()).length, 1)
  assert.deepEqual(
    (await store.unrecorded()).map(({ seq: _, ...act }) => act),
    [
      { action: 'server.enabled', at: 1, by: 'cli:x', server: 'crm', detail: '' },
      { action: 'server.disabled', at: 2, by: 'cli:x', server: 'crm', detail: 'why' },
    ],
  )
  await store.close()
})

test('another process’s change is noticed soon, our own at once', async () => {
  const here = await openStore(at('shared.db'))
  const there = await openStore(at('shared.db'))
  let told = 0
  const stop = here.watch(() => told++)
  await here.disableServer('files', 'x', '')
  assert.equal(told, 1)
  await there.disableServer('crm', 'x', '')
  assert.equal(told, 1)
  while (told === 1) await wait(10)
  assert.equal(told, 2)
  assert.deepEqual(
    (await here.disabledServers()).map(({ id }) => id),
    ['crm', 'files'],
  )
  await wait(300)
  assert.equal(told, 2, 'told once for each change')
  stop()
  await there.enableServer('crm', 'x')
  await wait(300)
  assert.equal(told, 2)
  await here.close()
  await there.close()
})

test('many processes may open a new store at once', async () => {
  const [processes, stores] = [6, 25]
  const start = Date.now() + 1500
  const script = `import { openStore } from ${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)}
    for (let n = 0; n < ${stores}; n++) {
      while (Date.now() < ${start} + n * 50);
      const store = await openStore(${JSON.stringify(at('crowd'))} + n + '.db')
      await store.disableServer('s' + process.pid, 'x', '')
      await store.close()
    }`
  const { spawn } = await import('node:child_process')
  const run = () =>
    new Promise<number | null>((resolve) =>
      spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
        stdio: 'inherit',
      }).on('exit', resolve),
    )
  assert.deepEqual(await Promise.all(Array.from({ length: processes }, run)), Array(processes).fill(0))
  for (let n = 0; n < stores; n++) {
    const store = await openStore(at(`crowd${n}.db`))
    assert.equal((await store.disabledServers()).length, processes)
    await store.close()
  }
})

test('an open store does not keep a process alive', async () => {
  const store = await openStore('sqlite::memory:')
  store.watch(() => undefined)
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'Immediate'),
    [],
  )
  await store.close()
})
