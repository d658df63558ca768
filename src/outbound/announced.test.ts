import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as soon } from 'node:timers/promises'
import { Queue } from '../lib/queue.ts'
import type { Flow } from '../pipeline/exchange.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import { builtInMethods } from '../protocol/methods.ts'
import { Announcements } from './announced.ts'

const tools = 'notifications/tools/list_changed' as const
const callOf = (era: 'legacy' | 'modern'): Parcel => ({ origin: { era }, method: 'session/stream' }) as unknown as Parcel
const notice = (call: Parcel, method: string, body: object = {}): Parcel =>
  alongside(call, { leg: 'notice', method, body: body as Parcel['body'] })

/** A stream of which the test is the server. */
function stream(era: 'legacy' | 'modern') {
  const server = new Queue<Parcel>()
  const answers: unknown[] = []
  let returned = 0
  const flow: Flow = {
    next: (answer) => {
      answers.push(answer)
      return server.next()
    },
    async return() {
      returned++
    },
  }
  const announcements = new Announcements()
  const call = callOf(era)
  const whole = announcements.on(flow, call, builtInMethods)
  const next = async () => ((await whole.next()) as { value: Parcel | undefined }).value?.method
  return { server, announcements, whole, next, call, answers, returned: () => returned }
}

describe('a standing stream', () => {
  it('has what the server says and what we say, in the order of their saying', async () => {
    const { server, announcements, next, call } = stream('legacy')
    const first = next()
    await soon()
    announcements.tell(tools)
    assert.equal(await first, tools)
    server.push(notice(call, 'notifications/message'))
    assert.equal(await next(), 'notifications/message')
    const third = next()
    await soon()
    server.push(notice(call, 'notifications/resources/updated'))
    assert.equal(await third, 'notifications/resources/updated')
  })

  it('asks the server once, however often we speak: an answer to our words is not an answer to its question', async () => {
    const { announcements, next, answers } = stream('legacy')
    announcements.tell(tools)
    await next()
    announcements.tell(tools)
    await next()
    assert.equal(answers.length, 1)
  })

  it('tells a modern client what it was promised, and nothing before', async () => {
    const { server, announcements, next, call } = stream('modern')
    announcements.tell(tools)
    server.push(notice(call, 'notifications/subscriptions/acknowledged', { notifications: { toolsListChanged: true } }))
    assert.equal(await next(), 'notifications/subscriptions/acknowledged')
    announcements.tell('notifications/prompts/list_changed')
    announcements.tell(tools)
    assert.equal(await next(), tools)
  })

  it('ends with the server, and is told nothing more', async () => {
    const { server, announcements, whole } = stream('legacy')
    server.end()
    assert.equal((await whole.next()).done, true)
    announcements.tell(tools)
    assert.equal((await whole.next()).done, true)
  })

  it('fails as the server does', async () => {
    const { server, whole } = stream('legacy')
    const first = whole.next()
    server.end(new Error('gone'))
    await assert.rejects(first, /gone/)
  })

  it('lets go of the server when its reader goes', async () => {
    const { whole, announcements, returned } = stream('legacy')
    void whole.next()
    await whole.return()
    announcements.tell(tools)
    assert.equal(returned(), 1)
  })

  it('keeps no more than three for a reader who does not read', async () => {
    const { announcements, next, server, call } = stream('legacy')
    for (let at = 0; at < 1000; at++) announcements.tell(tools)
    assert.deepEqual([await next(), await next(), await next()], [tools, tools, tools])
    server.push(notice(call, 'notifications/message'))
    assert.equal(await next(), 'notifications/message')
  })
})
