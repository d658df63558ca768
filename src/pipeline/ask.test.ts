import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../lib/strict-json.ts'
import { mayAsk } from './ask.ts'
import type { Parcel } from './parcel.ts'

const form = { mode: 'form', requestedSchema: {} }
const url = { mode: 'url', url: 'https://example.com' }
const cases: readonly (readonly [may: boolean, method: string, params: JsonObject, capabilities: JsonObject])[] = [
  [false, 'elicitation/create', form, {}],
  [false, 'elicitation/create', form, { elicitation: null }],
  [false, 'elicitation/create', form, { elicitation: { url: {} } }],
  [false, 'elicitation/create', {}, { elicitation: { url: {} } }],
  [false, 'elicitation/create', url, { elicitation: {} }],
  [false, 'elicitation/create', url, { elicitation: { form: {} } }],
  [false, 'elicitation/create', { mode: 'toString' }, { elicitation: {} }],
  [false, 'sampling/createMessage', {}, { elicitation: {} }],
  [true, 'elicitation/create', form, { elicitation: {} }],
  [true, 'elicitation/create', {}, { elicitation: {} }],
  [true, 'elicitation/create', {}, { elicitation: { form: {} } }],
  [true, 'elicitation/create', form, { elicitation: { form: {}, url: {} } }],
  [true, 'elicitation/create', url, { elicitation: { url: {} } }],
  [true, 'sampling/createMessage', {}, { sampling: { tools: {} } }],
]
for (const [may, method, params, capabilities] of cases)
  test(`${method} ${JSON.stringify(params)} ${may ? 'may' : 'may not'} be asked of ${JSON.stringify(capabilities)}`, () => {
    assert.equal(mayAsk({ origin: { capabilities } } as unknown as Parcel, method, params), may)
  })
