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

const tenant = '11111111-aaaa-4aaa-8aaa-111111111111'
const refused: [name: string, config: typeof open, parts: Partial<PolicyQuestion>, message: RegExp][] = [
  ['a word that is no principal', open, { principal: 'alice' }, /write anonymous, key:ID, user:ID or application:ID/],
  ['a key nobody made', keyed, { principal: 'key:cj' }, /nobody is "key:cj".*did you mean "key:ci"/],
  ['anonymous where keys are asked for', keyed, {}, /nobody is "anonymous" with identity mode "api-keys"/],
  ['a server that is not there', open, { server: 'fils' }, /there is no server "fils"; did you mean "files"/],
]
const tokens = parseConfig(`${text}
identity: { mode: resource-server, audience: resource, scopes: { read: mcp.read, write: mcp.write }, provider: { kind: entra, tenant: ${tenant} } }
bindings: [ { role: reader, group: readers }, { role: reader, tenant: ${tenant} } ]`)
refused.push(
  ['a user where nobody logs in', open, { principal: 'user:t.a' }, /nobody is "user:t.a" with identity mode "anonymous"/],
  ['a key where people log in', tokens, { principal: 'key:ci' }, /write user:ID or application:ID, as the audit log shows it/],
  ['what a key says', keyed, { principal: 'key:ci', said: { groups: ['g'] } }, /comes without a token/],
)
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

test('a token holder has the roles of what the token says; the tenant of Entra stands in the id', async () => {
  const of = async (parts: Partial<PolicyQuestion>) => {
    const { allowed, roles, scopeMissing, next } = await policyWhy(tokens, { ...question, principal: 'user:other.a', ...parts })
    return [allowed, roles.join(), scopeMissing, next.change]
  }
  const bound = 'bind the role that allows it, under "bindings":  - { role: reader, user: "user:other.a" }'
  const shared = (by: string): string => `${bound}  or, for everybody who has it:  - { role: reader, ${by} }`
  assert.deepEqual(await of({}), [false, '', 'mcp.read', bound])
  assert.deepEqual(await of({ said: { roles: ['Mcp.Reader'] } }), [false, '', 'mcp.read', shared('appRole: "Mcp.Reader"')])
  assert.deepEqual(await of({ said: { groups: ['staff'], roles: ['x'] } }), [false, '', 'mcp.read', shared('group: staff')])
  assert.deepEqual(await of({ said: { groups: ['readers'], scopes: ['mcp.write'] } }), [true, 'reader', undefined, undefined])
  assert.deepEqual(await of({ principal: `user:${tenant}.a`, said: { scopes: ['mcp.read'] } }), [
    true,
    'reader',
    undefined,
    undefined,
  ])
  assert.deepEqual((await of({ principal: `application:${tenant}.a` })).slice(0, 3), [true, 'reader', 'mcp.read'])
})
