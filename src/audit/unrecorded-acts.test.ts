import assert from 'node:assert/strict'
import test from 'node:test'
import { openStore } from '../storage/embedded.ts'
import type { OperatorEvent } from './entry.ts'
import { recordActs } from './unrecorded-acts.ts'

const act = { action: 'vault.purged', by: 'cli:me', at: 5, server: 'crm', detail: '2 records' }

test('what cannot be written down stays, and so does everything after it', async () => {
  const store = await openStore('sqlite::memory:')
  for (const detail of ['first', 'second', 'third']) await store.note({ ...act, detail })
  const event = async ({ detail }: OperatorEvent): Promise<void> => {
    if (detail?.endsWith('second')) throw new Error('the disk is full')
  }
  await assert.rejects(recordActs(store, { event }), /the disk is full/)
  assert.deepEqual(
    (await store.unrecorded()).map(({ detail }) => detail),
    ['second', 'third'],
  )
  await store.close()
})

test('an act is written down with its time, once, also without a server or a detail', async () => {
  const store = await openStore('sqlite::memory:')
  await store.note(act)
  await store.note({ ...act, server: undefined, detail: '' })
  const events: OperatorEvent[] = []
  const log = { event: async (event: OperatorEvent) => void events.push(event) }
  await recordActs(store, log)
  await recordActs(store, log)
  assert.deepEqual(events, [
    { action: 'vault.purged', principal: 'cli:me', server: 'crm', detail: 'at 1970-01-01T00:00:00.005Z: 2 records' },
    { action: 'vault.purged', principal: 'cli:me', server: undefined, detail: 'at 1970-01-01T00:00:00.005Z' },
  ])
  await store.close()
})
