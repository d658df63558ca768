/** What a caller is shown and what it may call are one decision, taken twice (PERM-C1). */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { Verdict } from '../pipeline/guard.ts'
import { judge } from '../pipeline/judge.ts'
import { noHeaders, type Parcel, plainPrincipal } from '../pipeline/parcel.ts'
import { builtInMethods } from '../protocol/methods.ts'
import { policyGuard } from './guard.ts'
import { compilePolicy } from './policy.ts'
import type { Rule } from './schema.ts'
import { toolClasses } from './tool-class.ts'

const origin = { door: 'library', era: 'modern', version: '', client: undefined, capabilities: {}, session: undefined } as const
const parcel = (parts: Partial<Parcel>): Parcel =>
  Object.freeze({
    ...{ exchange: 'x', leg: 'call', principal: plainPrincipal('anonymous', 'anonymous'), server: 'files', concerns: 'server' },
    ...{
      origin: { ...origin, logLevel: undefined, remote: undefined },
      method: '',
      subject: undefined,
      class: 'read',
      member: 'params',
    },
    ...{ body: {}, question: undefined, list: undefined, paramHeaders: noHeaders },
    ...parts,
  } as Parcel)
const catalog = (method: string, body: object): Parcel =>
  parcel({ leg: 'catalog', method, member: 'result', list: builtInMethods(method)?.list, body: body as Parcel['body'] })

const source = { trust: 'internal', tools: { read: ['read_*'], write: [], destructive: ['rm*'] } } as const
function guarded(rules: readonly Partial<Rule>[]) {
  const full = rules.map(
    (rule): Rule => ({ effect: 'allow', server: '*', tools: [], prompts: [], resources: [], asks: [], ...rule }),
  )
  const policy = compilePolicy({ roles: { r: full }, bindings: [{ role: 'r', anonymous: true }] })
  const classes = toolClasses({ files: source })
  const guard = policyGuard(() => policy, classes.seen)
  return { guard, classOf: classes.classOf, judge: (one: Parcel): Verdict => guard.judge(one) as Verdict }
}

/** The names that are left when the row of guards has done with a catalog. */
async function listed(guard: ReturnType<typeof guarded>['guard'], tools: unknown): Promise<readonly unknown[]> {
  const judgement = await judge(catalog('tools/list', { tools }), { guards: [guard], guardTimeoutMs: 50, mode: () => 'enforce' })
  assert.ok('cleared' in judgement)
  return (judgement.cleared.body['tools'] as { name?: unknown }[]).map((tool) => tool.name)
}

test('entries without a usable name are left out', async () => {
  const tools = [{ name: 'a' }, {}, { name: 5 }, { name: '' }, { name: 'x'.repeat(10_000) }, null, 'text']
  assert.deepEqual(await listed(guarded([{ tools: ['*'] }]).guard, tools), ['a'])
})

test('an entry without a name is left out even when it is the only one', async () => {
  for (const entry of [{}, { name: 5 }, null, { name: 'a\ud800' }, { name: '\udc00a' }])
    assert.deepEqual(await listed(guarded([{ tools: ['*'] }]).guard, [entry]), [])
})

test('of two entries with one name, the worse decides for both', async () => {
  const twice = [
    { name: 'a', annotations: { readOnlyHint: true } },
    { name: 'a', annotations: { destructiveHint: true } },
    { name: 'read_b' },
  ]
  assert.deepEqual(await listed(guarded([{ tools: ['*'], class: ['read'] }]).guard, twice), ['read_b'])
})

test('what is left out is said once, and how much', () => {
  const verdict = guarded([{ tools: ['a'] }]).judge(
    catalog('tools/list', { tools: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }),
  )
  assert.deepEqual(
    verdict.findings?.map(({ rule, evidence }) => `${rule}: ${evidence}`),
    ['policy/no-rule: 2 of 3 tools of server "files" are not for anonymous'],
  )
})

test('what has no usable name is said apart: nobody has a rule for it', () => {
  const verdict = guarded([{ tools: ['a'] }]).judge(
    catalog('tools/list', { tools: [{ name: 'a' }, { name: 'b' }, { name: 'a\ud800' }] }),
  )
  assert.deepEqual(
    verdict.findings?.map(({ rule, severity, evidence }) => `${severity} ${rule}: ${evidence.slice(0, 60)}`),
    [
      'info policy/no-rule: 1 of 3 tools of server "files" are not for anonymous',
      'medium policy/no-subject: 1 of 3 tools of server "files" are left out: they have no na',
    ],
  )
})

const globs = fc.array(fc.constantFrom('*', 'a*', 'b', '?', 'read_*', 'rm', 'ab'), { maxLength: 2 })
const someRule = fc.record({
  effect: fc.constantFrom('allow' as const, 'deny' as const),
  server: fc.constantFrom('*', 'files', 'crm'),
  tools: globs,
  prompts: globs,
  resources: globs,
  class: fc.option(fc.uniqueArray(fc.constantFrom('read' as const, 'write' as const, 'destructive' as const), { minLength: 1 }), {
    nil: undefined,
  }),
})
const someRules = fc.array(someRule, { maxLength: 5 })
const name = fc.constantFrom('a', 'b', 'ab', 'abc', 'read_a', 'rm', 'rm_a', 'constructor', '*', 'a://b')
const hint = fc.option(fc.boolean(), { nil: undefined })
const someTools = fc.uniqueArray(fc.record({ name, annotations: fc.record({ readOnlyHint: hint, destructiveHint: hint }) }), {
  selector: (tool) => tool.name,
})

test('a tool is listed if and only if it may be called', async () => {
  let allowed = 0
  let refused = 0
  const property = fc.asyncProperty(someRules, someTools, async (rules, tools) => {
    const { guard, classOf, judge: ask } = guarded(rules)
    const names = await listed(guard, tools)
    for (const tool of tools) {
      const verdict = ask(
        parcel({
          method: 'tools/call',
          concerns: 'tool',
          subject: tool.name,
          class: classOf('files', tool.name),
          body: { name: tool.name },
        }),
      )
      assert.equal(verdict.kind === 'pass', names.includes(tool.name), tool.name)
      if (verdict.kind === 'pass') allowed++
      else refused++
    }
  })
  await fc.assert(property, { numRuns: 500 })
  assert.ok(allowed > 50 && refused > 50, 'the property was tried both ways')
})

for (const [method, items, key, call] of [
  ['prompts/list', 'prompts', 'name', 'prompts/get'],
  ['resources/list', 'resources', 'uri', 'resources/read'],
] as const)
  test(`what ${method} lists, ${call} gives, and nothing else`, () => {
    const concerns = builtInMethods(call)!.concerns
    const property = fc.property(someRules, fc.uniqueArray(name), (rules, names) => {
      const { judge: ask } = guarded(rules)
      const verdict = ask(catalog(method, { [items]: names.map((one) => ({ [key]: one })) }))
      for (const one of names) {
        const isListed = verdict.kind === 'pass' || (verdict.kind === 'omit' && !verdict.names.has(one))
        assert.equal(ask(parcel({ method: call, concerns, subject: one, body: { [key]: one } })).kind === 'pass', isListed, one)
      }
    })
    fc.assert(property, { numRuns: 300 })
  })
