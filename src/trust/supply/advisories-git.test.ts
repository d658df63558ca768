import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { AdvisoryDatabase, checkAdvisories } from './advisories.ts'
import { readAdvisories } from './advisories-records.ts'
import { takeInventory } from './inventory.ts'

const id = (letter: string): string => letter.repeat(40)
const now = Date.parse('2026-11-20T00:00:00Z')
const introduced = (commit: string) => ({ introduced: commit })
const fixed = (commit: string) => ({ fixed: commit })

function reportOf(events: readonly object[], { repo = 'https://github.com/Acme/Tool.git', commit = id('b'), type = 'GIT' } = {}) {
  const database = new AdvisoryDatabase()
  const record = {
    ...{
      id: 'OSV-1',
      modified: '2026-11-18T00:00:00Z',
      summary: 'It runs what it is told',
      database_specific: { severity: 'HIGH' },
    },
    affected: [{ ranges: [{ type, repo, events }] }],
  }
  for (const read of readAdvisories(JSON.stringify(record))) database.add(read)
  const command = ['npx', `git+https://github.com/acme/tool#${commit}`]
  return checkAdvisories(takeInventory({ servers: { tool: { kind: 'stdio', command } } }), database, { now, ageDaysMax: 7 })[0]
}

describe('a commit, and an advisory about its repository', () => {
  const history = /^only the history of https:\/\/github\.com\/acme\/tool tells whether its commit has OSV-1$/
  const cases: readonly (readonly [says: string, report: ReturnType<typeof reportOf>, outcome: string, why?: RegExp])[] = [
    ['it came in here', reportOf([introduced(id('b')), fixed(id('c'))]), 'affected'],
    ['it was never mended', reportOf([introduced('0')]), 'affected'],
    ['this is the last that has it', reportOf([introduced('0'), { last_affected: id('b') }]), 'affected'],
    ['capital letters', reportOf([introduced(id('B'))]), 'affected'],
    ['between two others, perhaps', reportOf([introduced('0'), fixed(id('c'))]), 'not-checked', history],
    ['after another, perhaps', reportOf([introduced(id('a'))]), 'not-checked', history],
    [
      'it was mended here, which says nothing of others',
      reportOf([introduced('0'), fixed(id('b'))]),
      'not-checked',
      /^it is a commit/,
    ],
    [
      'another repository',
      reportOf([introduced('0')], { repo: 'https://github.com/acme/other' }),
      'not-checked',
      /^it is a commit/,
    ],
    ['a range of versions', reportOf([introduced('0')], { type: 'SEMVER' }), 'not-checked', /^it is a commit/],
  ]
  for (const [says, report, outcome, why] of cases)
    test(`${says}: ${outcome}`, () => {
      assert.equal(report?.outcome, outcome)
      assert.match(report?.why ?? '', why ?? /^$/)
      assert.deepEqual(
        report?.matches.map(({ severity }) => severity),
        outcome === 'affected' ? ['high'] : [],
      )
    })

  test('in which commit it is mended is said', () => {
    assert.deepEqual(reportOf([introduced(id('b')), fixed(id('c'))])?.matches[0]?.fixedIn, [id('c')])
  })
})
