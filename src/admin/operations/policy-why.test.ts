import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from '../../config/load.ts'
import { type PolicyQuestion, policyWhy } from './policy-why.ts'

const text = `
servers: { files: { command: [x], tools: { read: ["read_*"] } } }
roles: { reader: [ { effect: allow, server: files, tools: ["*"], class: [read] } ] }
`
const open = parseConfig(`${text}bindings: [ { role: reader, anonymous: true } ]`)
const keyed = parseConfig(
  `${text}identity: { mode: api-keys, keys: [ { id: ci, sha256: ${'ab'.repeat(32)} } ] }\nbindings: [ { role: reader, apiKey: ci } ]`,
)
const question: PolicyQuestion = { principal: 'anonymous', server: 'files', concern: 'tool', subject: 'read_a' }

const refused: readonly [name: string, config: typeof open, parts: Partial<PolicyQuestion>, message: RegExp][] = [
  ['a word that is no principal', open, { principal: 'alice' }, /write anonymous, key:ID, user:ID or application:ID/],
  ['a key nobody made', keyed, { principal: 'key:cj' }, /nobody is "key:cj".*did you mean "key:ci"/],
  ['anonymous where keys are asked for', keyed, {}, /nobody is "anonymous" with identity mode "api-keys"/],
  ['a server that is not there', open, { server: 'fils' }, /there is no server "fils"; did you mean "files"/],
]
for (const [name, config, parts, message] of refused)
  test(`refuses ${name}`, () => assert.rejects(policyWhy(config, { ...question, ...parts }), { message }))

test('the class of a tool is what the configuration says, unless it is given', async () => {
  const of = async (parts: Partial<PolicyQuestion>) => {
    const { allowed, class: toolClass } = await policyWhy(open, { ...question, ...parts })
    return [allowed, toolClass]
  }
  assert.deepEqual(await of({}), [true, 'read'])
  assert.deepEqual(await of({ subject: 'write_a' }), [false, 'destructive'])
  assert.deepEqual(await of({ subject: 'write_a', class: 'read' }), [true, 'read'])
  assert.equal((await policyWhy(keyed, { ...question, principal: 'key:ci' })).allowed, true)
})
