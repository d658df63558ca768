import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Comparison, compare, type ExpectedDifference, judge } from './compare.ts'
import type { Check, Outcome, Status } from './suite.ts'

type Row = [id: string, name: string, status: Status]

const outcome = (...rows: Row[]): Outcome => new Map([['s', rows.map(([id, name, status]): Check => ({ id, name, status }))]])
const line = ({ check, direct, through }: Comparison): string => `${check}: ${direct} → ${through}`

const CASES: { says: string; direct: Outcome; through: Outcome; lines: string[] }[] = [
  {
    says: 'a check is known by its id',
    direct: outcome(['a', 'A', 'SUCCESS']),
    through: outcome(['a', 'NotObserved', 'FAILURE']),
    lines: ['a: SUCCESS → FAILURE'],
  },
  {
    says: 'an id that serves several checks needs their names, in any order',
    direct: outcome(['a', 'A', 'SUCCESS'], ['a', 'B', 'SKIPPED']),
    through: outcome(['a', 'B', 'SKIPPED'], ['a', 'A', 'SUCCESS']),
    lines: ['a/A: SUCCESS → SUCCESS', 'a/B: SKIPPED → SKIPPED'],
  },
  {
    says: 'a repeated check is counted',
    direct: outcome(['a', 'A', 'SUCCESS'], ['a', 'A', 'SUCCESS']),
    through: outcome(['a', 'A', 'SUCCESS']),
    lines: ['a: SUCCESS → SUCCESS', 'a#2: SUCCESS → absent'],
  },
  {
    says: 'notes are not compared, unless one side has a verdict',
    direct: outcome(['trace', 'T', 'INFO'], ['a', 'A', 'SUCCESS']),
    through: outcome(['a', 'A', 'INFO']),
    lines: ['a: SUCCESS → INFO'],
  },
  {
    says: 'a scenario that never ran is absent',
    direct: outcome(['a', 'A', 'SUCCESS']),
    through: new Map(),
    lines: ['a: SUCCESS → absent'],
  },
]

describe('compare', () => {
  for (const { says, direct, through, lines } of CASES) {
    it(says, () => assert.deepEqual(compare('r', direct, through).map(line), lines))
  }
})

describe('judge', () => {
  const broken: Comparison = { run: 'r', scenario: 's', check: 'a', direct: 'SUCCESS', through: 'FAILURE' }
  const reviewed: ExpectedDifference = { ...broken, reason: 'the gateway answers this itself' }

  it('does not explain a difference that nobody reviewed', () => {
    assert.deepEqual(judge([broken], []), { unexplained: [broken], explained: [], stale: [] })
  })
  it('does not let a line explain another outcome', () => {
    const other = { ...reviewed, through: 'SKIPPED' } as const
    assert.deepEqual(judge([broken], [other]), { unexplained: [broken], explained: [], stale: [other] })
  })
  it('calls a line stale once both sides agree', () => {
    assert.deepEqual(judge([{ ...broken, through: 'SUCCESS' }], [reviewed]), {
      unexplained: [],
      explained: [],
      stale: [reviewed],
    })
  })
  it('explains a reviewed difference', () => {
    assert.deepEqual(judge([broken], [reviewed]), { unexplained: [], explained: [reviewed], stale: [] })
  })
})
