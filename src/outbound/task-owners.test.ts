import assert from 'node:assert/strict'
import test from 'node:test'
import type { Parcel } from '../pipeline/parcel.ts'
import { TaskOwners } from './task-owners.ts'

const reply = (id: string, method: string, body: object): Parcel =>
  ({
    leg: 'result',
    member: 'result',
    concerns: 'server',
    method,
    body,
    principal: { kind: 'api-key', id, holder: id },
  }) as Parcel

test('a list of tasks is without those that somebody else was given', () => {
  const owners = new TaskOwners()
  owners.note(reply('alice', 'tools/call', { task: { taskId: '1' } }))
  owners.note(reply('mallory', 'tools/call', { task: { taskId: '2' } }))
  const listed = (principal: string) => {
    const tasks = [{ taskId: '1' }, { taskId: '2' }, { taskId: 'nobody was given' }, {}, null]
    return owners.note(reply(principal, 'tasks/list', { tasks, nextCursor: 'x' })).body
  }
  const others = [{ taskId: 'nobody was given' }, {}, null]
  assert.deepEqual(listed('alice'), { tasks: [{ taskId: '1' }, ...others], nextCursor: 'x' })
  assert.deepEqual(listed('mallory'), { tasks: [{ taskId: '2' }, ...others], nextCursor: 'x' })
})

test('what is not a list of tasks, and a list that is none, stays as it is', () => {
  const owners = new TaskOwners()
  owners.note(reply('alice', 'tools/call', { taskId: '1' }))
  for (const [method, body] of [
    ['tools/call', { tasks: [{ taskId: '1' }] }],
    ['tasks/list', { tasks: '1' }],
    ['tasks/list', {}],
  ] as const)
    assert.equal(owners.note(reply('mallory', method, body)).body, body)
})
