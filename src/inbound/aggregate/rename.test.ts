import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Cleared } from '../../pipeline/judge.ts'
import { builtInMethods } from '../../protocol/methods.ts'
import { Names } from './names.ts'
import { renamed } from './rename.ts'

const uri = 'file:///a'
const shownUri = 'sekisho://x/file%3A%2F%2F%2Fa'
const link = (at: string) => ({ type: 'resource_link', uri: at })
const embedded = (at: string) => ({ type: 'resource', resource: { uri: at, text: uri } })
const about = (taskId: string) => ({ _meta: { 'io.modelcontextprotocol/related-task': { taskId } } })

const cases: readonly [what: string, leg: string, method: string, said: JsonObject, shown: JsonObject][] = [
  [
    'a folder',
    'catalog',
    'resources/directory/read',
    { resources: [{ uri, name: 'a' }], nextCursor: uri },
    { resources: [{ uri: shownUri, name: 'a' }], nextCursor: uri },
  ],
  [
    'what a tool said',
    'result',
    'tools/call',
    { content: [link(uri), embedded(uri), { type: 'text', text: uri }] },
    { content: [link(shownUri), embedded(shownUri), { type: 'text', text: uri }] },
  ],
  ['a resource', 'result', 'resources/read', { contents: [{ uri, text: uri }] }, { contents: [{ uri: shownUri, text: uri }] }],
  [
    'a prompt',
    'result',
    'prompts/get',
    { messages: [{ content: embedded(uri) }] },
    { messages: [{ content: embedded(shownUri) }] },
  ],
  [
    'a task of 2025-11-25',
    'result',
    'tools/call',
    { task: { taskId: '1', status: 'working' } },
    { task: { taskId: 'x__1', status: 'working' } },
  ],
  ['a task of 2026-07-28', 'result', 'tools/call', { resultType: 'task', taskId: '1' }, { resultType: 'task', taskId: 'x__1' }],
  [
    'a completed task',
    'result',
    'tasks/get',
    { taskId: '1', result: { content: [link(uri)] } },
    { taskId: 'x__1', result: { content: [link(shownUri)] } },
  ],
  ['what belongs to a task', 'result', 'tasks/result', { content: [], ...about('1') }, { content: [], ...about('x__1') }],
  ['a changed resource', 'notice', 'notifications/resources/updated', { uri }, { uri: shownUri }],
  ['a changed task of 2025-11-25', 'notice', 'notifications/tasks/status', { taskId: '1' }, { taskId: 'x__1' }],
  [
    'a changed task of 2026-07-28',
    'notice',
    'notifications/tasks',
    { taskId: '1', result: { content: [link(uri)] } },
    { taskId: 'x__1', result: { content: [link(shownUri)] } },
  ],
  ['progress of a task', 'notice', 'notifications/progress', { progress: 1, ...about('1') }, { progress: 1, ...about('x__1') }],
  [
    'what is none of it',
    'result',
    'tools/call',
    { content: uri, contents: [null], task: '1' },
    { content: uri, contents: [null], task: '1' },
  ],
]
for (const [what, leg, method, said, shown] of cases)
  test(`${what} can be come back to`, () => {
    const list = leg === 'catalog' ? builtInMethods(method)?.list : undefined
    const parcel = { leg, method, member: leg === 'notice' ? 'params' : 'result', body: said, list } as unknown as Cleared
    assert.deepEqual(renamed(new Names(), 'x', parcel).body, shown)
  })

test('an error stays as it is', () => {
  const parcel = { leg: 'result', method: 'tasks/get', member: 'error', body: { code: -32602, message: '', taskId: '1' } }
  assert.deepEqual(renamed(new Names(), 'x', parcel as unknown as Cleared).body, parcel.body)
})
