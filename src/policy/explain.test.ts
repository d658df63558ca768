import assert from 'node:assert/strict'
import test from 'node:test'
import { type Principal, plainPrincipal } from '../pipeline/parcel.ts'
import { explain, principalOf, type Question, type Said } from './explain.ts'
import { compilePolicy } from './policy.ts'
import type { Rule } from './schema.ts'

const rule = (parts: Partial<Rule>): Rule => ({
  effect: 'allow',
  server: '*',
  tools: [],
  prompts: [],
  resources: [],
  asks: [],
  ...parts,
})
const policy = compilePolicy({
  roles: {
    reader: [
      rule({ tools: ['read_*'], class: ['read'] }),
      rule({ effect: 'deny', server: 'files', tools: ['read_secret'] }),
      rule({ server: 'crm', tools: ['*'] }),
    ],
    writer: [rule({ tools: ['*'] })],
  },
  bindings: [
    { role: 'reader', anonymous: true },
    { role: 'writer', apiKey: 'ci' },
  ],
})
const ask = (parts: Partial<Question>) =>
  explain(policy, {
    principal: plainPrincipal('anonymous', 'anonymous'),
    server: 'files',
    concern: 'tool',
    subject: 'read_a',
    class: 'read',
    ...parts,
  })
const rules = (parts: Partial<Question>) => ask(parts).rules.map(({ rule: name, matches, why }) => `${name} ${matches} ${why}`)

test('a denied call: every rule with its reason, and the binding that would allow it', () => {
  const { allowed, because, next } = ask({ subject: 'write_a', class: 'write' })
  assert.equal(allowed, false)
  assert.equal(because, 'No rule of reader allows the tool "write_a" of server "files" for anonymous.')
  assert.deepEqual(rules({ subject: 'write_a', class: 'write' }), [
    'roles.reader[0] false "tools" does not name it',
    'roles.reader[1] false "tools" does not name it',
    'roles.reader[2] false is about server crm',
  ])
  assert.match(next.change ?? '', /- \{ role: writer, anonymous: true \}/)
  assert.equal(next.command, 'sekisho check')
})

test('a deny rule that decides, and the allow rule that it beats', () => {
  const { because, next } = ask({ subject: 'read_secret' })
  assert.match(because, /^roles\.reader\[1\] denies/)
  assert.deepEqual(rules({ subject: 'read_secret' }).slice(0, 2), [
    'roles.reader[0] true matches, but a deny rule decides',
    'roles.reader[1] true decides',
  ])
  assert.match(next.change ?? '', /deny rule roles\.reader\[1\]/)
})

test('a class that no rule has', () => {
  assert.equal(rules({ class: 'destructive' })[0], 'roles.reader[0] false "class" does not have its class')
})

test('an allowed call', () => {
  const { allowed, because, next } = ask({})
  assert.deepEqual([allowed, because], [true, 'roles.reader[0] allows the tool "read_a" of server "files" for anonymous.'])
  assert.deepEqual(next, { change: undefined, command: 'sekisho servers list' })
})

test('someone without a role, and a thing that no role allows: the rule to write', () => {
  const nobody = ask({ principal: plainPrincipal('api-key', 'key:new'), concern: 'prompt', subject: 'greet' })
  assert.equal(nobody.because, 'key:new has no role, so nothing is allowed.')
  assert.match(nobody.next.change ?? '', /- \{ effect: allow, server: files, prompts: \["greet"\] \}.*apiKey: new/)
  assert.match(ask({ concern: 'ask', subject: 'sampling' }).next.change ?? '', /under "roles\.reader":.*asks: \["sampling"\]/)
})

const held = compilePolicy({
  roles: { reader: [rule({ tools: ['read_*'] })], writer: [rule({ tools: ['*'] })] },
  bindings: [
    { role: 'reader', group: 'staff' },
    { role: 'reader', appRole: 'Reader' },
    { role: 'reader', scope: 'mcp' },
    { role: 'reader', client: 'editor' },
    { role: 'reader', tenant: 't' },
  ],
})
const changeFor = (said: Said): string | undefined =>
  explain(held, {
    principal: principalOf('user:t.ada', said) as Principal,
    ...{ server: 'files', concern: 'tool', subject: 'write_a', class: 'write' },
  }).next.change

const shared: readonly Said[] = [
  { groups: ['staff'] },
  { roles: ['Reader'] },
  { scopes: ['mcp'] },
  { client: 'editor' },
  { tenant: 't' },
  { groups: ['staff'], roles: ['Reader'], scopes: ['mcp'] },
]
for (const said of shared)
  test(`a higher role is for one person, where others share what gave the lower: ${Object.keys(said)}`, () =>
    assert.equal(changeFor(said), 'bind the role that allows it, under "bindings":  - { role: writer, user: "user:t.ada" }'))

test('a first role may be for everybody in a group, and says so', () => {
  const first = 'bind the role that allows it, under "bindings":  - { role: writer, user: "user:t.ada" }'
  assert.equal(changeFor({}), first)
  assert.equal(changeFor({ groups: ['new'] }), `${first}  or, for everybody who has it:  - { role: writer, group: new }`)
  assert.equal(changeFor({ roles: ['New'] }), `${first}  or, for everybody who has it:  - { role: writer, appRole: "New" }`)
})

test('a whole server', () => {
  const { allowed, because } = ask({ concern: 'server', subject: undefined })
  assert.deepEqual([allowed, because], [true, 'roles.reader[0] allows the server "files" for anonymous.'])
})

test('principals are written as in the audit log', () => {
  assert.deepEqual(principalOf('key:ci'), plainPrincipal('api-key', 'key:ci'))
  assert.deepEqual(principalOf('anonymous'), plainPrincipal('anonymous', 'anonymous'))
  for (const word of ['', 'key:', 'key:C_I', 'user:x', 'user:', 'user:a.b c', 'group:a.b', 'Anonymous'])
    assert.equal(principalOf(word), undefined, word)
})
