import assert from 'node:assert/strict'
import test from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Principal, plainPrincipal } from '../pipeline/parcel.ts'
import type { Class, Concern } from '../protocol/methods.ts'
import { compilePolicy, type Policy } from './policy.ts'
import type { PolicyConfig, Rule } from './schema.ts'

const anonymous: Principal = plainPrincipal('anonymous', 'anonymous')
const ci: Principal = plainPrincipal('api-key', 'key:ci')
const rule = (parts: Partial<Rule>): Rule => ({
  effect: 'allow',
  server: '*',
  tools: [],
  prompts: [],
  resources: [],
  asks: [],
  ...parts,
})
const policyOf = (...rules: Partial<Rule>[]): Policy => {
  const config: PolicyConfig = { roles: { r: rules.map(rule) }, bindings: [{ role: 'r', anonymous: true }] }
  return compilePolicy(config)
}
const everything: Partial<Rule> = { tools: ['*'], prompts: ['*'], resources: ['*'], asks: ['*'] }

type Case = readonly [
  name: string,
  rules: Partial<Rule>[],
  concern: Concern,
  subject: string | undefined,
  toolClass: Class,
  allowed: boolean,
]
const cases: readonly Case[] = [
  // deny by default
  ['no rule at all', [], 'tool', 'x', 'read', false],
  ['no rule for the name', [{ tools: ['read_*'] }], 'tool', 'write_file', 'read', false],
  ['no rule for the class', [{ tools: ['*'], class: ['read'] }], 'tool', 'x', 'destructive', false],
  ['no rule for the server', [{ server: 'other', tools: ['*'] }], 'tool', 'x', 'read', false],
  ['a tool rule is no prompt rule', [{ tools: ['*'] }], 'prompt', 'x', 'read', false],
  ['a prompt rule is no resource rule', [{ prompts: ['*'] }], 'resource', 'file:///x', 'read', false],
  ['no rule for the question', [{ tools: ['*'], asks: ['roots'] }], 'ask', 'sampling', 'read', false],
  ['case counts', [{ tools: ['read_*'] }], 'tool', 'Read_file', 'read', false],
  // deny beats allow, whatever the order
  ['a deny after an allow', [everything, { effect: 'deny', tools: ['rm*'] }], 'tool', 'rm_all', 'read', false],
  ['a deny before an allow', [{ effect: 'deny', tools: ['rm*'] }, everything], 'tool', 'rm_all', 'read', false],
  [
    'a deny of a class',
    [everything, { effect: 'deny', tools: ['*'], class: ['destructive'] }],
    'tool',
    'x',
    'destructive',
    false,
  ],
  ['a deny of another class', [everything, { effect: 'deny', tools: ['*'], class: ['destructive'] }], 'tool', 'x', 'write', true],
  ['a deny of a pattern of servers', [everything, { effect: 'deny', server: 'fi*', tools: ['*'] }], 'tool', 'x', 'read', false],
  ['a deny of another server', [everything, { effect: 'deny', server: 'crm', tools: ['*'] }], 'tool', 'x', 'read', true],
  // no usable name
  ['no name', [everything], 'tool', undefined, 'read', false],
  ['an empty name', [everything], 'prompt', '', 'read', false],
  ['a name of megabytes', [everything], 'resource', 'x'.repeat(1_000_000), 'read', false],
  // allowed
  ['a name by pattern', [{ tools: ['read_*'] }], 'tool', 'read_file', 'write', true],
  ['a class', [{ tools: ['*'], class: ['read', 'write'] }], 'tool', 'x', 'write', true],
  ['a resource by pattern', [{ resources: ['file:///a/*'] }], 'resource', 'file:///a/b', 'read', true],
  ['a question', [{ asks: ['sampling'] }], 'ask', 'sampling', 'read', true],
  ['any question', [{ asks: ['*'] }], 'ask', 'acme', 'read', true],
  // tasks: whoever may call some tool
  ['a task without tools', [{ prompts: ['*'] }], 'task', 't', 'read', false],
  ['a task with a tool', [{ tools: ['x'] }], 'task', 't', 'write', true],
  ['a task when every tool is denied', [everything, { effect: 'deny', tools: ['*'] }], 'task', 't', 'read', false],
  [
    'a task when one class is left',
    [everything, { effect: 'deny', tools: ['*'], class: ['write', 'destructive'] }],
    'task',
    't',
    'read',
    true,
  ],
  [
    'a task when no class is left',
    [
      { tools: ['*'], class: ['read'] },
      { effect: 'deny', tools: ['*'], class: ['read'] },
    ],
    'task',
    't',
    'read',
    false,
  ],
  // a whole server: whoever may do anything there
  ['a server without a rule', [{ server: 'other', tools: ['*'] }], 'server', undefined, 'read', false],
  ['a server with only a deny', [{ effect: 'deny', tools: ['x'] }], 'server', undefined, 'read', false],
  ['a server with any allow', [{ asks: ['roots'] }], 'server', undefined, 'read', true],
  ['a server where all of it is denied', [everything, { effect: 'deny', ...everything }], 'server', undefined, 'read', false],
  ['a server where some is left', [everything, { effect: 'deny', tools: ['*'] }], 'server', undefined, 'read', true],
  [
    'a method of the operator that writes, for a reader',
    [{ tools: ['*'], class: ['read'] }],
    'server',
    undefined,
    'write',
    false,
  ],
  ['a method of the operator that writes, for prompts', [{ prompts: ['*'] }], 'server', undefined, 'write', false],
  [
    'a method of the operator that writes, for a writer',
    [{ tools: ['*'], class: ['write'] }],
    'server',
    undefined,
    'write',
    true,
  ],
]
for (const [name, rules, concern, subject, toolClass, allowed] of cases)
  test(`${name}: ${allowed ? 'allowed' : 'denied'} (PERM-C1)`, () => {
    const policy = policyOf(...rules)
    for (const round of ['first', 'from memory'])
      assert.equal(policy.decide(anonymous, 'files', concern, subject, toolClass).allowed, allowed, round)
  })

const strangers: readonly Principal[] = [
  ci,
  plainPrincipal('api-key', 'anonymous'),
  plainPrincipal('anonymous', 'key:ci'),
  plainPrincipal('martian' as 'anonymous', 'anonymous'),
  plainPrincipal('anonymous', 'constructor'),
]
for (const stranger of strangers)
  test(`nobody is mistaken for anonymous: ${stranger.kind} ${stranger.id}`, () => {
    assert.deepEqual(policyOf(everything).decide(stranger, 'files', 'tool', 'x', 'read'), { allowed: false, because: 'no-rule' })
  })

test('roles add up, and each principal has only its own', () => {
  const roles = { reader: [rule({ tools: ['read'] })], writer: [rule({ tools: ['write'] })] }
  const bindings = [
    { role: 'reader', anonymous: true as const },
    { role: 'reader', apiKey: 'ci' },
    { role: 'writer', apiKey: 'ci' },
  ]
  const policy = compilePolicy({ roles, bindings })
  const may = (who: Principal, tool: string) => policy.decide(who, 'files', 'tool', tool, 'write').allowed
  assert.deepEqual(
    [may(anonymous, 'read'), may(anonymous, 'write'), may(ci, 'read'), may(ci, 'write')],
    [true, false, true, true],
  )
})

test('a rule may be about servers that use a component, whatever they are called', () => {
  const components = [
    { kind: 'model', name: 'big', usedBy: ['chat'] },
    { kind: 'api', name: 'openai', usedBy: ['chat', 'search'] },
  ]
  const bindings = [{ role: 'r', anonymous: true as const }]
  const may = (server: string, ...rules: Partial<Rule>[]): boolean =>
    compilePolicy({ roles: { r: rules.map(rule) }, bindings, components }).decide(anonymous, server, 'tool', 'x', 'read').allowed
  const noModels: Partial<Rule> = { effect: 'deny', uses: ['model:*'], tools: ['*'] }
  assert.deepEqual([may('chat', everything, noModels), may('search', everything, noModels)], [false, true])
  const onlyApis: Partial<Rule> = { uses: ['api:open*', 'data-set:*'], tools: ['*'] }
  assert.deepEqual([may('chat', onlyApis), may('search', onlyApis), may('files', onlyApis)], [true, true, false])
  assert.equal(may('chat', { ...onlyApis, server: 'search' }), false, 'both have to be right')
  assert.equal(may('chat', { uses: ['model:BIG'], tools: ['*'] }), false, 'case counts')
})

test('a decision names the rule that made it', () => {
  const policy = policyOf({ tools: ['a'] }, { effect: 'deny', tools: ['b'] })
  assert.deepEqual(policy.decide(anonymous, 'files', 'tool', 'a', 'read'), { allowed: true, because: 'rule', rule: 'roles.r[0]' })
  assert.deepEqual(policy.decide(anonymous, 'files', 'tool', 'b', 'read'), {
    allowed: false,
    because: 'rule',
    rule: 'roles.r[1]',
  })
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
/** Bytes that are still in use. */
function held(): number {
  collect()
  return process.memoryUsage().heapUsed
}

test('names of strangers do not fill the memory', () => {
  const policy = policyOf(everything)
  const before = held()
  for (let n = 0; n < 100_000; n++) policy.decide(anonymous, 'files', 'tool', `stranger_${n}_${'x'.repeat(200)}`, 'read')
  assert.ok(held() - before < 4 * 1024 * 1024)
})
