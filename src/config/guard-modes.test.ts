import assert from 'node:assert/strict'
import test from 'node:test'
import type { Mode } from '../pipeline/guard.ts'
import type { Stages } from '../pipeline/stages.ts'
import type { Leg } from '../protocol/methods.ts'
import { guardModes, guardNames } from './guard-modes.ts'

/** Fails to compile when a guard is added to stages.ts and not to the list. */
const everyGuard: Record<keyof Stages, true> = { limits: true, policy: true, trust: true, identity: true }

test('every guard can be named', () => {
  assert.deepEqual([...guardNames].sort(), Object.keys(everyGuard).sort())
})

const mode = guardModes([
  { guard: 'policy', mode: 'off', servers: ['*'], legs: ['notice'] },
  { guard: 'policy', mode: 'monitor', servers: ['test-*', 'lab'], legs: undefined },
  { guard: 'policy', mode: 'enforce', servers: ['test-prod'], legs: ['call'] },
])
const cases: readonly [guard: string, server: string, leg: Leg, mode: Mode][] = [
  ['limits', 'lab', 'call', 'enforce'],
  ['policy', 'files', 'call', 'enforce'],
  ['policy', 'files', 'notice', 'off'],
  ['policy', 'lab', 'call', 'monitor'],
  ['policy', 'test-a', 'notice', 'monitor'],
  ['policy', 'test-prod', 'call', 'enforce'],
  ['policy', 'test-prod', 'ask', 'monitor'],
]
for (const [guard, server, leg, expected] of cases)
  test(`${guard} on ${leg} of ${server}: ${expected}`, () => {
    assert.equal(mode(guard, server, leg), expected)
    assert.equal(mode(guard, server, leg), expected, 'and again, from memory')
  })

test('nothing said means enforce', () => assert.equal(guardModes([])('policy', 'files', 'call'), 'enforce'))
