import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { AdvisoryDatabase, ageDays, checkAdvisories } from './advisories.ts'
import { baseScore, severityOfVector } from './advisories-cvss.ts'
import { readAdvisories } from './advisories-records.ts'
import { takeInventory } from './inventory.ts'
import { componentsSchema } from './inventory-schema.ts'

const now = Date.parse('2026-11-20T00:00:00Z')
const dayMs = 86_400_000
const recent = '2026-11-18T00:00:00Z'

const osv = (more: object = {}, ranges: readonly object[] = [], versions: readonly string[] = []) => ({
  ...{ id: 'GHSA-aaaa-bbbb-cccc', modified: recent, aliases: ['CVE-2026-0001'], summary: 'It runs what it is told' },
  affected: [{ package: { ecosystem: 'npm', name: 'server' }, ranges, versions }],
  database_specific: { severity: 'HIGH' },
  ...more,
})
const events = (...list: readonly object[]) => [{ type: 'SEMVER', events: list }]
const database = (...records: readonly object[]): AdvisoryDatabase => {
  const made = new AdvisoryDatabase()
  for (const record of records) for (const read of readAdvisories(JSON.stringify(record))) made.add(read)
  return made
}
const inventoryOf = (command: string) => takeInventory({ servers: { files: { kind: 'stdio', command: command.split(' ') } } })
const outcomeOf = (command: string, held: AdvisoryDatabase, ageDaysMax = 7) =>
  checkAdvisories(inventoryOf(command), held, { now, ageDaysMax })[0]

const introduced = (version: string) => ({ introduced: version })
const fixed = (version: string) => ({ fixed: version })
const last = (version: string) => ({ last_affected: version })
const ranges: readonly [ranges: readonly object[], affected: readonly string[], not: readonly string[]][] = [
  [events(introduced('0'), fixed('1.2.3')), ['0.0.1', '1.2.2', '1.2.3-rc.1'], ['1.2.3', '2.0.0']],
  [events(introduced('1.0.0'), last('1.5.0')), ['1.0.0', '1.5.0'], ['0.9.0', '1.5.1', '1.0.0-alpha']],
  [events(introduced('0'), fixed('1.0.0'), introduced('2.0.0'), fixed('2.1.0')), ['0.5.0', '2.0.5'], ['1.5.0', '2.1.0']],
  [events(fixed('2.1.0'), introduced('2.0.0'), fixed('1.0.0'), introduced('0')), ['0.5.0', '2.0.5'], ['1.5.0', '2.1.0']],
  [events(introduced('0')), ['0.0.0-a', '99.0.0'], []],
  [events(introduced('1.0.0'), last('1.0.0')), ['1.0.0'], ['1.0.1']],
  [events(introduced('0'), fixed('not a version')), ['1.0.0'], []],
  [[{ type: 'GIT', events: [introduced('0')] }], [], ['1.0.0']],
]
for (const [given, affected, not] of ranges)
  test(`npm ranges: ${JSON.stringify(given).slice(0, 90)}`, () => {
    const held = database(osv({}, given))
    for (const version of affected) assert.equal(outcomeOf(`npx server@${version}`, held)?.outcome, 'affected', version)
    for (const version of not) assert.equal(outcomeOf(`npx server@${version}`, held)?.outcome, 'none-known', version)
  })

test('PyPI: names are folded, versions compared by PEP 440, and lists of versions count', () => {
  const affected = [
    {
      package: { ecosystem: 'PyPI', name: 'My_Server' },
      ranges: [{ type: 'ECOSYSTEM', events: [introduced('0'), fixed('1.0')] }],
      versions: ['2.0'],
    },
  ]
  const held = database(osv({ affected }))
  for (const version of ['0.9', '1.0rc1', '1.0.dev1', '2.0.0'])
    assert.equal(outcomeOf(`uvx my-server==${version}`, held)?.outcome, 'affected', version)
  for (const version of ['1.0', '1.0.post1', '1.5'])
    assert.equal(outcomeOf(`uvx my.server==${version}`, held)?.outcome, 'none-known', version)
})

test("GitHub's own form says the same", () => {
  const record = (vulnerable_version_range: string) => ({
    ...{ ghsa_id: 'GHSA-x', cve_id: 'CVE-2026-2', summary: 's', severity: 'moderate', updated_at: recent },
    vulnerabilities: [{ package: { ecosystem: 'npm', name: 'server' }, vulnerable_version_range }],
  })
  const cases: readonly [range: string, affected: string, not: string | undefined][] = [
    ['< 1.2.0', '1.1.9', '1.2.0'],
    ['>= 1.0.0, <= 1.5.0', '1.5.0', '1.5.1'],
    ['= 1.0.0', '1.0.0', '1.0.1'],
    ['>= 2.0.0', '3.0.0', '1.0.0'],
    ['whatever this is', '1.0.0', undefined],
  ]
  for (const [range, affected, not] of cases) {
    const held = database(record(range))
    assert.equal(outcomeOf(`npx server@${affected}`, held)?.matches[0]?.severity, 'medium', range)
    if (not !== undefined) assert.equal(outcomeOf(`npx server@${not}`, held)?.outcome, 'none-known', range)
  }
})

test('an advisory that was withdrawn is none, whichever record came first', () => {
  const one = osv({}, events(introduced('0')))
  const withdrawn = { ...one, modified: '2026-11-19T00:00:00Z', withdrawn: '2026-11-19T00:00:00Z' }
  const other = osv({ id: 'GHSA-other', affected: [{ package: { ecosystem: 'npm', name: 'else' }, versions: ['1.0.0'] }] })
  for (const held of [database(one, withdrawn, other), database(other, withdrawn, one)])
    assert.equal(outcomeOf('npx server@1.0.0', held)?.outcome, 'none-known')
})

const unchecked: readonly [what: string, command: string, held: AdvisoryDatabase, ageDaysMax: number, why: RegExp][] = [
  ['an empty database', 'npx server@1.0.0', database(), 7, /empty/],
  ['an old database', 'npx server@9.0.0', database(osv({}, events(introduced('0'), fixed('1.0.0')))), 1, /2 days old/],
  ['no version', 'npx server', database(osv()), 7, /version is not known/],
  ['a tag', 'npx server@latest', database(osv()), 7, /version is not known/],
  ['another ecosystem', 'uvx server==1.0', database(osv()), 7, /nothing about pypi/],
  ['a container', 'docker run acme/server:1', database(osv()), 7, /nothing is known here about oci/],
]
for (const [what, command, held, ageDaysMax, why] of unchecked)
  test(`not checked, and not a yes: ${what}`, () => {
    const report = outcomeOf(command, held, ageDaysMax)
    assert.equal(report?.outcome, 'not-checked')
    assert.match(report?.why ?? '', why)
  })

test('what an old database knows is still so', () =>
  assert.equal(outcomeOf('npx server@0.1.0', database(osv({}, events(introduced('0'), fixed('1.0.0')))), 1)?.outcome, 'affected'))

test('a report names the servers, the worst first, and where it is mended', () => {
  const held = database(
    osv({ id: 'GHSA-low', database_specific: { severity: 'LOW' } }, events(introduced('0'), fixed('3.0.0'))),
    osv(
      {
        id: 'GHSA-bad',
        database_specific: {},
        severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H' }],
      },
      events(introduced('0'), fixed('2.0.0')),
    ),
  )
  const report = outcomeOf('npx server@1.0.0', held)
  assert.deepEqual(report?.usedBy, ['files'])
  assert.deepEqual(
    report?.matches.map(({ id, severity, fixedIn }) => [id, severity, fixedIn]),
    [
      ['GHSA-bad', 'critical', ['2.0.0']],
      ['GHSA-low', 'low', ['3.0.0']],
    ],
  )
  assert.equal(ageDays(held, now), 2)
  assert.equal(ageDays(held, now - 10 * dayMs), 0)
})

test('a model without a package URL is not asked about', () => {
  const declared = componentsSchema.parse([{ kind: 'model', name: 'embedder', version: '1' }])
  assert.deepEqual(checkAdvisories(takeInventory({ servers: {}, declared }), database(osv()), { now, ageDaysMax: 7 }), [])
})

/** Vectors and scores of the examples of FIRST. */
const vectors: readonly [vector: string, score: number | undefined, word: string][] = [
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8, 'critical'],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10, 'critical'],
  ['CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1, 'medium'],
  ['CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4, 'medium'],
  ['CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H', 7.8, 'high'],
  ['CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N', 2.4, 'low'],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0, 'unknown'],
  ['CVSS:3.1/AV:X', undefined, 'unknown'],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', undefined, 'unknown'],
]
for (const [vector, score, word] of vectors)
  test(`${vector} is ${word}`, () => {
    assert.equal(baseScore(vector), score)
    assert.equal(severityOfVector(vector), word)
  })

test('no JSON makes the reader throw', () =>
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        readAdvisories(text)
      } catch (error) {
        assert.equal((error as Error).name, 'JsonRefused')
      }
    }),
  ))
