import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { makeLog, passOne } from '../audit/fixture.test.ts'
import { parseConfig } from '../config/load.ts'
import { Accounts } from '../identity/front/accounts.ts'
import { Records } from '../identity/front/records.ts'
import { systemClock } from '../lib/clock.ts'
import { openStore } from '../storage/embedded.ts'
import { openKeyFile } from '../vault/key-file.ts'
import { hasBeenHere } from './has-been-here.ts'

const tenant = '11111111-aaaa-4aaa-8aaa-111111111111'
const provider = `provider: { kind: entra, tenant: ${tenant}, clientId: x }`
const own = `identity: { mode: authorization-server, ${provider}, registration: { clients: [ { id: known, name: K, redirectUris: ["https://k.example/"] } ] } }`
const theirs = `identity: { mode: resource-server, ${provider}, audience: resource }`

/** In the log: somebody. With an account: ada. */
const asked: readonly (readonly [mode: string, kind: 'user' | 'client', value: string, known: boolean])[] = [
  [own, 'user', `user:${tenant}.eve`, false],
  [own, 'user', `application:${tenant}.ada`, false],
  [own, 'client', 'editr', false],
  [theirs, 'user', `user:${tenant}.ada`, false],
  [own, 'user', `user:${tenant}.ada`, true],
  [own, 'user', 'SOMEBODY', true],
  [own, 'client', 'known', true],
  [theirs, 'user', 'SOMEBODY', true],
  [theirs, 'client', 'whatever', true],
]

test('who is known: by an account, by the log, by the configuration', async (t) => {
  const log = makeLog()
  t.after(() => log.remove())
  const audit = await log.open()
  await passOne(audit, { exchange: 'one' })
  await audit.close()
  const folder = join(log.path, '..')
  const store = await openStore('sqlite::memory:')
  const records = new Records(store, await openKeyFile(join(folder, 'sekisho.key')), systemClock)
  const proof = { contexts: [], authenticatedAt: 1, checkedAt: 1, groups: [], roles: [], shownName: undefined }
  await new Accounts(records).keep({ ...proof, id: `${tenant}.ada`, tenant })
  for (const [mode, kind, value, known] of asked) {
    const config = parseConfig(`${mode}\naudit: { path: "${log.path}" }\nvault: { keyFile: sekisho.key }`, folder)
    const somebody = value.replace('SOMEBODY', 'key:ci')
    assert.equal(await hasBeenHere(config, store)(kind, somebody), known, `${config.identity.mode}: ${kind} ${somebody}`)
  }
  await store.close()
})

test('before there is a log nobody is known by it', async () => {
  const store = await openStore('sqlite::memory:')
  assert.equal(await hasBeenHere(parseConfig(theirs, '/nowhere'), store)('user', 'user:t.a'), false)
  await store.close()
})
