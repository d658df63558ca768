import assert from 'node:assert/strict'
import test from 'node:test'
import { gateOf, readSarif, type SarifFinding } from './statics-sarif.ts'

const place = { physicalLocation: { artifactLocation: { uri: 'src/a.ts' }, region: { startLine: 7 } } }
const result = (more: object = {}) => ({ ruleId: 'js/bad', message: { text: 'it is bad' }, locations: [place], ...more })
const rule = (more: object = {}) => ({ id: 'js/bad', ...more })
const run = (results: unknown, rules: readonly object[] = [], more: object = {}) => ({
  ...{ tool: { driver: { name: 'CodeQL', rules }, extensions: [] as object[] }, results },
  ...more,
})
const sarif = (...runs: readonly object[]): string => JSON.stringify({ $schema: 'x', version: '2.1.0', runs })
const first = (...runs: readonly object[]): SarifFinding | undefined => readSarif(sarif(...runs)).findings[0]
const severe = (severity: string) => rule({ properties: { 'security-severity': severity } })

for (const [what, source, why] of [
  ['no JSON', '{', /JSON|Expected/],
  ['another version', '{"version":"2.0.0","runs":[]}', /no SARIF/],
  ['no runs', '{"version":"2.1.0"}', /no SARIF/],
  ['one key twice', '{"version":"2.1.0","version":"2.1.0","runs":[]}', /same key twice/],
  ['too many runs', sarif(...Array.from({ length: 101 }, () => run([]))), /more than 100 runs/],
] as const)
  test(`refused: ${what}`, () => assert.throws(() => readSarif(source), why))

const inPack = {
  tool: { driver: { name: 'CodeQL' }, extensions: [{ rules: [] }, { rules: [rule({ id: 'other' }), severe('9.8')] }] },
  results: [result({ rule: { id: 'js/bad', index: 1, toolComponent: { index: 1 } } })],
}
const severities: readonly [what: string, given: object, severity: string | undefined][] = [
  ['a score above nine', run([result()], [severe('9.3')]), 'critical'],
  ['a score of nine', run([result()], [severe('9.0')]), 'high'],
  ['a score of four', run([result({ level: 'error' })], [severe('4.0')]), 'medium'],
  ['a score in a pack', inPack, 'critical'],
  ['a rule by its index', run([result({ ruleIndex: 1 })], [rule(), severe('7.5')]), 'high'],
  ['a level of the result', run([result({ level: 'error' })], [rule()]), 'high'],
  ['a level of the rule', run([result()], [rule({ defaultConfiguration: { level: 'note' } })]), 'low'],
  ['no level at all', run([result()]), 'medium'],
  ['a pass', run([result({ kind: 'pass' })]), undefined],
  ['one that is gone', run([result({ baselineState: 'absent' })]), undefined],
]
for (const [what, given, severity] of severities)
  test(`${what} is ${severity ?? 'no finding'}`, () => assert.equal(first(given)?.severity, severity))

test('a finding says where', () => {
  assert.deepEqual(first(run([result()])), {
    ...{ tool: 'CodeQL', rule: 'js/bad', severity: 'medium', message: 'it is bad', file: 'src/a.ts', line: 7, dismissed: false },
  })
})

const gates: readonly [what: string, runs: readonly object[], outcome: string][] = [
  ['one that is high', [run([result({ level: 'error' })])], 'failed'],
  ['one that is high in the second run', [run([]), run([result({ level: 'error' })])], 'failed'],
  [
    'one that somebody asked to dismiss',
    [run([result({ level: 'error', suppressions: [{ kind: 'external', status: 'underReview' }] })])],
    'failed',
  ],
  ['a run without results', [run(undefined)], 'not-checked'],
  ['a run that failed', [run([], [], { invocations: [{ executionSuccessful: false }] })], 'not-checked'],
  ['one that was dismissed', [run([result({ level: 'error', suppressions: [{ kind: 'inSource' }] })])], 'passed'],
  ['one below', [run([result({ level: 'note' })])], 'passed'],
  ['none', [run([])], 'passed'],
]
for (const [what, runs, outcome] of gates)
  test(`with ${what} the gate says ${outcome}`, () => assert.equal(gateOf(readSarif(sarif(...runs)), 'high').outcome, outcome))
