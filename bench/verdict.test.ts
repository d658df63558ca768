import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cell } from './cases.ts'
import type { Round, Row, Table } from './rounds.ts'
import { verdicts } from './verdict.ts'

const figures = { calls: 1, faults: 0, firstFault: null, seconds: 1, p95Ms: 1, p99Ms: 1, maxMs: 1 }

function row(
  subject: string,
  place: Omit<Cell, 'bytes' | 'size'>,
  round: Pick<Round, 'callsPerSecond' | 'p50Ms' | 'cpuMicros'>,
): Row {
  return { subject, cell: { ...place, size: 'small', bytes: 20 }, rounds: [{ ...figures, ...round }], problem: null }
}

const at16 = { concurrency: 16, era: 'legacy' } as const
const at1 = { concurrency: 1, era: 'legacy' } as const

function httpTable(cpuMicros: number, p50Ms: number, fsyncP50Ms = 0.1, signedMicros = 220): Table {
  const rows = [
    row('bare proxy', at16, { callsPerSecond: 1, p50Ms: 1, cpuMicros: 100 }),
    row('Sekisho', at16, { callsPerSecond: 1, p50Ms: 1, cpuMicros }),
    row('Sekisho, SSO', at16, { callsPerSecond: 1, p50Ms: 1, cpuMicros: signedMicros }),
    row('direct', at1, { callsPerSecond: 1, p50Ms: 0.2, cpuMicros: null }),
    row('Sekisho', at1, { callsPerSecond: 1, p50Ms, cpuMicros: 1 }),
  ]
  return { front: 'http', fsyncP50Ms, rows }
}

function stdioTable(ours: number): Table {
  const rates = { Sekisho: ours, 'mcp-proxy': 1000, supergateway: 1500 }
  const rows = Object.entries(rates).map(([name, callsPerSecond]) => row(name, at16, { callsPerSecond, p50Ms: 1, cpuMicros: 1 }))
  return { front: 'stdio', fsyncP50Ms: 0.1, rows }
}

const legacy = (http: Table | null, stdio: Table | null) =>
  verdicts(http, stdio)
    .filter(({ target }) => target.includes('legacy'))
    .map(({ outcome }) => outcome)

test('throughput: each peer is judged on its own', () => {
  assert.deepEqual(legacy(null, stdioTable(3000)), ['reached', 'reached'])
  assert.deepEqual(legacy(null, stdioTable(2000)), ['reached', 'not reached'])
  assert.deepEqual(legacy(null, stdioTable(1999)), ['not reached', 'not reached'])
})

test('CPU and added latency: the limit itself is reached, anything above is not', () => {
  assert.deepEqual(legacy(httpTable(200, 0.9), null), ['reached', 'reached', 'reached'])
  assert.deepEqual(legacy(httpTable(201, 1.1, 0.1, 222), null), ['not reached', 'not reached', 'not reached'])
})

test('a slower disk than the target assumes is no verdict, and the figure is still shown', () => {
  const found = verdicts(httpTable(200, 0.9, 0.5), null).find(
    ({ target }) => target.startsWith('added p50') && target.includes('legacy'),
  )
  assert.equal(found?.outcome, 'not measured')
  assert.match(found?.figures ?? '', /\+0\.70 ms .* fsync p50 0\.500 ms/)
})

test('a subject with wrong answers, or none, is never "reached"', () => {
  const broken = stdioTable(9000)
  broken.rows[0]!.problem = '3 wrong answers'
  assert.deepEqual(legacy(null, broken), ['not measured', 'not measured'])
  assert.deepEqual(legacy(null, { ...broken, rows: [] }), ['not measured', 'not measured'])
})
