/** INJ-C9: what changes while a person is asked. A server that is not added in the end leaves nothing behind. */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { serversAdd } from '../../src/admin/operations/servers-add.ts'
import { openStore } from '../../src/storage/embedded.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-meanwhile-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a configuration that somebody has changed meanwhile', async () => {
  const file = join(folder, 'sekisho.yaml')
  const { servers, ...rest } = { servers: {}, roles: {}, bindings: [], identity: { mode: 'anonymous' } }
  const loopback = { listen: '127.0.0.1:0', admin: { listen: '127.0.0.1:0' } }
  writeFileSync(file, JSON.stringify({ ...loopback, store: 'sqlite:./s.db', supply: { lock: 'sekisho.lock' }, ...rest, servers }))
  const adding = serversAdd({
    ...{ file, grant: undefined, hold: false, dryRun: false, sign: undefined, suppressions: [], by: 'cli:ana', now: 1000 },
    wanted: {
      id: 'notes',
      url: 'http://127.0.0.1:9/mcp',
      cwd: folder,
      env: [],
      isSandboxed: true,
      read: [],
      write: [],
      hosts: [],
    },
    ...{ variables: {}, pinTls: undefined, enquire: () => assert.fail('there are no packages'), said: () => undefined },
    agrees: async () => {
      appendFileSync(file, '\n')
      return true
    },
    attempt: async ({ store: at }) => {
      const store = await openStore(at)
      const text = '{"name":"t"}'
      const decision = { standing: 'approved', by: 'gateway', at: 1, reason: '', seenAt: 1 } as const
      await store.seePins([{ server: 'notes', kind: 'tool', name: 't', digest: 'd', text, ...decision }], () => 'sealed')
      await store.close()
      return { reached: [] }
    },
  })
  await assert.rejects(adding, /has changed it meanwhile/)
  const store = await openStore(`sqlite:${join(folder, 's.db')}`)
  try {
    const { pins, servers: known } = await store.keptPins()
    assert.deepEqual([pins, known], [[], []])
  } finally {
    await store.close()
  }
  assert.ok(!existsSync(join(folder, 'sekisho.lock')))
})
