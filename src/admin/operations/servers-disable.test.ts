import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from '../../config/load.ts'
import { openStore } from '../../storage/embedded.ts'
import { serversDisable } from './servers-disable.ts'
import { serversEnable } from './servers-enable.ts'
import { serversList } from './servers-list.ts'

const config = parseConfig(
  'servers: { files: { command: [./bin/files, --token, x, y] }, crm: { url: "https://crm.example.com/mcp?tenant=1" } }',
  '/srv',
)
const clock = { now: () => 5, monotonic: () => 0 }

test('refuses a server that is not there, with the nearest one', async () => {
  const store = await openStore('sqlite::memory:', clock)
  for (const id of ['file', 'constructor', ''])
    await assert.rejects(serversDisable(config, store, id, 'cli:me', ''), /there is no server/)
  await assert.rejects(serversDisable(config, store, 'file', 'cli:me', ''), {
    message: 'there is no server "file"; did you mean "files"?',
  })
  await assert.rejects(serversEnable(config, store, 'file', 'cli:me'), /did you mean "files"/)
  assert.deepEqual(await store.unrecorded(), [])
  await store.close()
})

test('disabled, listed as such without secrets or query, enabled, and each of it for the record', async () => {
  const store = await openStore('sqlite::memory:', clock)
  await serversDisable(config, store, 'files', 'cli:me', 'leaks')
  assert.deepEqual(await serversList(config, store), [
    {
      id: 'files',
      kind: 'stdio',
      target: '/srv/bin/files --token ••• y',
      trust: 'untrusted',
      disabled: { at: '1970-01-01T00:00:00.005Z', by: 'cli:me', reason: 'leaks' },
    },
    { id: 'crm', kind: 'http', target: 'https://crm.example.com/mcp', trust: 'untrusted', disabled: undefined },
  ])
  assert.equal(await serversEnable(config, store, 'files', 'cli:you'), true)
  assert.equal(await serversEnable(config, store, 'files', 'cli:you'), false)
  assert.deepEqual(
    (await store.unrecorded()).map(({ action, server, by }) => `${action} ${server} ${by}`),
    ['server.disabled files cli:me', 'server.enabled files cli:you'],
  )
  await store.close()
})

test('a server that has left the configuration can still be enabled', async () => {
  const store = await openStore('sqlite::memory:', clock)
  await store.disableServer('gone', 'cli:me', '')
  assert.equal(await serversEnable(config, store, 'gone', 'cli:me'), true)
  await store.close()
})
