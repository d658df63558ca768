import assert from 'node:assert/strict'
import test from 'node:test'
import { Stop } from '../lib/stop.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { builtInMethods } from '../protocol/methods.ts'
import type { LegacyLink } from './legacy-link.ts'
import { legacyStream } from './legacy-streams.ts'
import { Listeners } from './listeners.ts'

test('a subscription that cannot be made leaves nobody listening', async () => {
  const listeners = new Listeners()
  const queue = listeners.listen(new Stop())
  const link = {
    options: { methods: builtInMethods },
    events: async () => queue,
    follow: async () => {
      throw new Error('the server is gone')
    },
    unfollow: async () => undefined,
  } as unknown as LegacyLink
  const call = {
    origin: { era: 'modern' },
    body: { notifications: { resourceSubscriptions: ['test://a'] } },
  } as unknown as Cleared
  const stream = legacyStream(link, call, { capabilities: { resources: { subscribe: true } } }, new Stop())
  await assert.rejects(stream.next(), /the server is gone/)
  listeners.tell({ kind: 'notification', method: 'notifications/resources/updated', params: {} }, 100)
  assert.equal(queue.weight, 0)
})
