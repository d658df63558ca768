import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type JsonObject, parseStrict } from '../lib/strict-json.ts'
import { holdsQuestions, withAllowedQuestions } from './enclosed.ts'
import { call } from './fixture.test.ts'
import type { Cleared } from './judge.ts'
import { alongside, type Parcel } from './parcel.ts'
import { Refusal } from './refusal.ts'

const capabilities = { elicitation: { form: {}, url: {} }, roots: {} }
const said = (body: JsonObject, member: 'result' | 'error' = 'result'): Parcel =>
  alongside({ ...call, origin: { ...call.origin, capabilities } }, { leg: 'result', member, body })
/** Allows what is not evil. */
const judge = (ask: Parcel) =>
  JSON.stringify(ask.body).includes('evil')
    ? { refused: new Refusal('POLICY_DENIED'), opinions: [] }
    : { cleared: ask as Cleared, opinions: [] }
const rest = async (parcel: Parcel): Promise<JsonObject> =>
  holdsQuestions(parcel) ? (await withAllowedQuestions(parcel, judge)).body : parcel.body

const page = (url: string): JsonObject => ({ mode: 'url', url, elicitationId: 'e', message: 'Log in' })
const form = (message: string): JsonObject => ({ method: 'elicitation/create', params: { message } })
const away = (...elicitations: JsonObject[]): JsonObject => ({ code: -32042, message: 'm', data: { elicitations } })

describe('requests inside a result', () => {
  const rows: readonly (readonly [says: string, body: JsonObject, left: JsonObject])[] = [
    ['an allowed one stays', { inputRequests: { q: form('Who?') } }, { inputRequests: { q: form('Who?') } }],
    [
      'a refused one is left out, whatever the result says it is',
      { resultType: 'task', inputRequests: { q: form('evil'), r: form('Who?') } },
      { resultType: 'task', inputRequests: { r: form('Who?') } },
    ],
    ['an undeclared one is', { inputRequests: { q: { method: 'sampling/createMessage' } } }, { inputRequests: {} }],
    ['one that is no question is', { inputRequests: { q: { method: 'tools/call' } } }, { inputRequests: {} }],
    ['one that is no request is', { inputRequests: { q: 'Who?', r: null, s: [], t: {} } }, { inputRequests: {} }],
    ['a list of them is', { inputRequests: [form('Who?')] }, { inputRequests: {} }],
    [
      'in the result of a task',
      { taskId: 't', result: { inputRequests: { q: form('evil') }, content: [] } },
      { taskId: 't', result: { inputRequests: {}, content: [] } },
    ],
    [
      'in the error of a task',
      { taskId: 't', error: away(page('https://evil.example')) },
      { taskId: 't', error: { code: -32042, message: 'm' } },
    ],
  ]
  for (const [says, body, left] of rows) it(says, async () => assert.deepEqual(await rest(said(body)), left))

  it('one whose code only looks like another', async () => {
    const body = parseStrict('{"error":{"code":-32042.0,"data":{"elicitations":[{"url":"https://evil.example"}]}}}') as JsonObject
    assert.equal(JSON.stringify(await rest(said(body))), '{"error":{"code":-32042.0}}')
  })
})

describe('pages to which an error sends the user', () => {
  const good = page('https://good.example')
  const none = { code: -32042, message: 'm' }
  const rows: readonly (readonly [says: string, body: JsonObject, left: JsonObject])[] = [
    ['allowed ones stay', away(good, good), away(good, good)],
    ['one refused takes the others with it', away(good, page('https://evil.example')), none],
    ['one that is no page is refused', { ...none, data: { elicitations: [good, 'https://good.example'] } }, none],
    ['none at all', away(), none],
    ['data of another form', { ...none, data: { url: 'https://evil.example' } }, none],
    ['only what was judged is handed on', { ...none, data: { elicitations: [good], Elicitations: ['evil'] } }, away(good)],
    ['an error of another code keeps its data', { code: -32603, message: 'm', data: 1 }, { code: -32603, message: 'm', data: 1 }],
  ]
  for (const [says, body, left] of rows) it(says, async () => assert.deepEqual(await rest(said(body, 'error')), left))

  it('is judged as a question for a page, whatever it calls itself', async () => {
    const parcel = said(away({ ...good, mode: 'form' }), 'error')
    const unable = { ...parcel, origin: { ...parcel.origin, capabilities: { elicitation: { form: {} } } } }
    assert.deepEqual(await rest(unable), none)
  })
})
