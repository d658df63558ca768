import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as soon } from 'node:timers/promises'
import { Stop } from '../lib/stop.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Origin } from '../pipeline/parcel.ts'
import type { Message } from '../protocol/json-rpc.ts'
import { Conversation } from './conversation.ts'

test('a question that is never answered ends with an error, and the client is told', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const said: Message[] = []
  const question = { leg: 'ask', method: 'elicitation/create', member: 'params', body: {} } as Cleared
  const answer = new Conversation({} as Origin).ask(question, new Stop(), (message) => void said.push(message))
  await soon()
  t.mock.timers.tick(600_000)
  assert.deepEqual([(await answer).leg, (await answer).member], ['answer', 'error'])
  assert.deepEqual(
    said.map((message) => message.kind !== 'response' && message.method),
    ['elicitation/create', 'notifications/cancelled'],
  )
})
