/**
 * The three targets of Sekisho's speed, and whether this run reached them. A verdict states; it never fails a run: a
 * shared machine is no judge, and a figure that is missing is "not measured", never "reached".
 */
import type { Cell } from './cases.ts'
import { medianOf, type Round, type Row, type Table } from './rounds.ts'

export interface Verdict {
  target: string
  outcome: 'reached' | 'not reached' | 'not measured'
  figures: string
}

export const throughputTimesMin = 2
export const cpuTimesMax = 2
export const signOnTimesMax = 1.1
export const addedP50MsMax = 0.8
export const fsyncP50MsMax = 0.2

const rowOf = (table: Table, subject: string, { size, concurrency, era }: Place): Row | undefined =>
  table.rows.find(({ subject: name, cell }) => {
    return name === subject && cell.size === size && cell.concurrency === concurrency && cell.era === era
  })

type Place = Omit<Cell, 'bytes'>
type Pick = (round: Round) => number | null
type Judged = Omit<Verdict, 'target'>

/** Judges Sekisho's median against the other's in one cell, or says why it cannot. A row with wrong answers has no figure. */
function compare(table: Table, other: string, place: Place, pick: Pick, judge: (ours: number, theirs: number) => Judged): Judged {
  const rows = ['Sekisho', other].map((subject) => ({ subject, row: rowOf(table, subject, place) }))
  const broken = rows.find(({ row }) => !row || row.problem !== null)
  if (broken) return { outcome: 'not measured', figures: `${broken.subject}: ${broken.row?.problem ?? 'cell not in this run'}` }
  const [ours = null, theirs = null] = rows.map(({ row }) => medianOf(row, pick))
  return ours && theirs ? judge(ours, theirs) : { outcome: 'not measured', figures: 'no CPU readings on this platform' }
}

const reached = (yes: boolean, figures: string): Judged => ({ outcome: yes ? 'reached' : 'not reached', figures })

function throughput(stdio: Table, other: string, era: Cell['era']): Verdict {
  const target = `throughput at least ${throughputTimesMin} × ${other} (stdio upstream, small, c=16, ${era})`
  const judge = (ours: number, theirs: number) =>
    reached(
      ours / theirs >= throughputTimesMin,
      `${(ours / theirs).toFixed(2)} × (${ours.toFixed(0)} against ${theirs.toFixed(0)} calls/s)`,
    )
  return { target, ...compare(stdio, other, { size: 'small', concurrency: 16, era }, (round) => round.callsPerSecond, judge) }
}

function cpu(http: Table, era: Cell['era']): Verdict {
  const target = `CPU for a call at most ${cpuTimesMax} × the bare proxy (HTTP upstream, small, c=16, ${era})`
  const judge = (ours: number, theirs: number) =>
    reached(ours / theirs <= cpuTimesMax, `${(ours / theirs).toFixed(2)} × (${ours.toFixed(0)} against ${theirs.toFixed(0)} µs)`)
  return { target, ...compare(http, 'bare proxy', { size: 'small', concurrency: 16, era }, (round) => round.cpuMicros, judge) }
}

function added(http: Table, era: Cell['era']): Verdict {
  const target = `added p50 at most ${addedP50MsMax} ms over direct where fsync p50 is at most ${fsyncP50MsMax} ms (HTTP upstream, small, c=1, ${era})`
  const disk = http.fsyncP50Ms
  const judge = (ours: number, theirs: number): Judged => {
    const figures = `+${(ours - theirs).toFixed(2)} ms (${ours.toFixed(2)} against ${theirs.toFixed(2)} ms), fsync p50 ${disk.toFixed(3)} ms`
    if (disk > fsyncP50MsMax)
      return { outcome: 'not measured', figures: `${figures}: the disk is slower than the target assumes` }
    return reached(ours - theirs <= addedP50MsMax, figures)
  }
  return { target, ...compare(http, 'direct', { size: 'small', concurrency: 1, era }, (round) => round.p50Ms, judge) }
}

/** Against a caller who shows nothing: what it costs to know who is asking. */
function signedOn(http: Table, era: Cell['era']): Verdict {
  const target = `CPU for a call with single sign-on at most ${signOnTimesMax} × without (HTTP upstream, small, c=16, ${era})`
  const judge = (without: number, signed: number) =>
    reached(
      signed / without <= signOnTimesMax,
      `${(signed / without).toFixed(2)} × (${signed.toFixed(0)} against ${without.toFixed(0)} µs)`,
    )
  return { target, ...compare(http, 'Sekisho, SSO', { size: 'small', concurrency: 16, era }, (round) => round.cpuMicros, judge) }
}

/** The verdicts on the tables that were run. */
export function verdicts(http: Table | null, stdio: Table | null): Verdict[] {
  return [
    ...(stdio ? [throughput(stdio, 'mcp-proxy', 'legacy'), throughput(stdio, 'mcp-proxy', 'modern')] : []),
    ...(stdio ? [throughput(stdio, 'supergateway', 'legacy')] : []),
    ...(http ? [cpu(http, 'legacy'), cpu(http, 'modern'), added(http, 'legacy'), added(http, 'modern')] : []),
    ...(http ? [signedOn(http, 'legacy'), signedOn(http, 'modern')] : []),
  ]
}
