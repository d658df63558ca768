import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { type CheckName, checksOf, type Facts } from './inventory-checks.ts'
import type { Component } from './inventory-component.ts'
import { isAtLeast, supplyPolicyShape } from './inventory-policy.ts'

const policyOf = (given: object) => z.strictObject(supplyPolicyShape).parse(given)
const open = policyOf({})
const hash = `sha256:${'a'.repeat(64)}`
const base: Component = { kind: 'model', name: 'm', seen: ['declared'], usedBy: [], dependsOn: [], gaps: [] }
const attestation = { by: 'Ann', owner: 'Acme', statement: 'looked', expires: '2027-01-01' }
const report = { format: 'pickle', findings: [], globals: [] } as const

const cases: readonly [
  what: CheckName,
  component: Partial<Component>,
  facts: Partial<Facts>,
  policy: typeof open,
  outcome: string | undefined,
][] = [
  ['pinned', { gaps: ['no version'] }, {}, open, 'absent'],
  ['pinned', { version: '1' }, {}, open, 'verified'],
  ['hash', { hash, file: 'x' }, { digest: { value: 'b'.repeat(64) } }, open, 'failed'],
  ['hash', { hash, file: 'x' }, { digest: { unknown: 'not there' } }, open, 'not-checked'],
  ['hash', { hash }, {}, open, 'not-checked'],
  ['hash', { file: 'x' }, {}, open, 'absent'],
  ['hash', { hash, file: 'x' }, { digest: { value: 'a'.repeat(64) } }, open, 'verified'],
  ['format', {}, { model: { value: { ...report, outcome: 'failed' } } }, open, 'failed'],
  ['format', {}, { model: { value: { ...report, outcome: 'not-checked', why: 'xz' } } }, open, 'not-checked'],
  ['format', {}, { model: { unknown: 'not there' } }, open, 'not-checked'],
  ['format', {}, { model: { value: { ...report, outcome: 'passed' } } }, open, 'verified'],
  ['licence', { licence: 'GPL-3.0-only' }, {}, policyOf({ licences: { allow: ['MIT'] } }), 'failed'],
  ['licence', {}, {}, policyOf({ licences: { unknown: 'refuse' } }), 'failed'],
  ['licence', {}, {}, open, 'absent'],
  ['licence', { licence: 'MIT' }, {}, open, 'not-checked'],
  ['licence', { licence: 'MIT' }, {}, policyOf({ licences: { deny: ['AGPL-3.0-only'] } }), 'verified'],
  ['licence', { kind: 'package' }, {}, open, undefined],
  ['owner', {}, {}, open, 'absent'],
  ['owner', { owner: 'Acme' }, {}, open, 'verified'],
  ['tls-key', { tlsKey: 'sha256/x', url: 'https://x' }, { tlsKey: { value: 'sha256/y' } }, open, 'failed'],
  ['tls-key', { tlsKey: 'sha256/x', url: 'https://x' }, { tlsKey: { unknown: 'down' } }, open, 'not-checked'],
  ['tls-key', { tlsKey: 'sha256/x' }, {}, open, 'not-checked'],
  ['tls-key', { tlsKey: 'sha256/x', url: 'https://x' }, { tlsKey: { value: 'sha256/x' } }, open, 'verified'],
  ['data-region', { dataRegion: 'US' }, {}, policyOf({ dataRegions: ['EU'] }), 'failed'],
  ['data-region', { dataRegion: 'US' }, {}, open, 'not-checked'],
  ['data-region', { dataRegion: 'EU' }, {}, policyOf({ dataRegions: ['EU'] }), 'verified'],
  ['attestation', { attestations: [attestation] }, { attestations: [{ outcome: 'expired', why: 'over' }] }, open, 'failed'],
  ['attestation', { attestations: [attestation] }, { attestations: [{ outcome: 'failed', why: 'key' }] }, open, 'failed'],
  [
    'attestation',
    { attestations: [attestation] },
    { attestations: [{ outcome: 'unsigned' }] },
    policyOf({ attestations: 'signed' }),
    'failed',
  ],
  ['attestation', { attestations: [attestation] }, { attestations: [{ outcome: 'unsigned' }] }, open, 'absent'],
  ['attestation', { attestations: [attestation] }, {}, open, 'not-checked'],
  ['attestation', { attestations: [attestation] }, { attestations: [{ outcome: 'verified' }] }, open, 'verified'],
  ['name', { purl: 'pkg:npm/mcp-remtoe@1.0.0' }, {}, open, 'failed'],
  ['name', { purl: 'pkg:npm/mcp-remote@1.0.0' }, {}, open, undefined],
  ['deprecated', { deprecated: 'use another' }, {}, open, 'failed'],
  ['deprecated', {}, {}, open, undefined],
]
for (const [at, [what, component, facts, policy, outcome]] of cases.entries())
  test(`${at}: ${what} is ${outcome ?? 'not asked'}`, () => {
    const checks = checksOf({ ...base, ...component }, { attestations: [], ...facts }, policy)
    assert.equal(checks.find((one) => one.what === what)?.outcome, outcome)
  })

test('a severity that nobody stated is never enough for quarantine', () => {
  assert.equal(isAtLeast('critical', 'never'), false)
  assert.equal(isAtLeast('unknown', 'low'), false)
  assert.equal(isAtLeast('medium', 'high'), false)
  assert.equal(isAtLeast('high', 'high'), true)
})

test('a licence that is none is refused in the policy', () =>
  assert.equal(z.strictObject(supplyPolicyShape).safeParse({ licences: { allow: ['Freeware'] } }).success, false))
