/**
 * The rounds of one table: for every cell, subject A round 1, subject B round 1, …, subject A round 2, …, so that what
 * else happens on the machine falls on all alike. Subjects run throughout and idle while another is measured.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Cell, cellName, type Era } from './cases.ts'
import type { Generator } from './generator.ts'
import type { Measured } from './load.ts'
import { fsyncP50Ms, publicText } from './machine.ts'
import { cpuBetween, readCpu } from './processes.ts'
import { type Ground, type Started, start } from './started.ts'
import { median } from './statistics.ts'
import { type Front, type Subject, subjects } from './subjects.ts'

export interface Round extends Measured {
  /** CPU of the subject's process tree for one call; null for `direct` and off Linux. */
  cpuMicros: number | null
}

export interface Row {
  subject: string
  cell: Cell
  rounds: Round[]
  /** Why there are no rounds, or fewer; null where all is well. */
  problem: string | null
}

export interface Table {
  front: Front
  fsyncP50Ms: number
  rows: Row[]
}

export interface Pace {
  rounds: number
  seconds: number
}

/** The median over a row's rounds; null where it has none. */
export const medianOf = (row: Row | undefined, pick: (round: Round) => number | null): number | null =>
  median((row?.rounds ?? []).map(pick).filter((value) => value !== null))

const settleMs = 150

async function measureRound(started: Started, cell: Cell, pace: Pace, first: boolean, generator: Generator): Promise<Round> {
  const warmed = await generator.warm({ url: started.url, token: started.token, ...cell }, first ? 1 : pace.seconds / 5)
  if (warmed.calls === 0) throw new Error(warmed.firstFault ?? 'no answer while warming up')
  const before = started.pid === null ? null : readCpu(started.pid)
  const measured = await generator.measure(pace.seconds)
  const cpu = cpuBetween(before, started.pid === null ? null : readCpu(started.pid))
  return { ...measured, cpuMicros: cpu === null || measured.calls === 0 ? null : (cpu / measured.calls) * 1e6 }
}

/** Runs both eras hot once, so that the first cell does not measure a JIT compiler. Faults show in the rounds. */
async function compile(subject: Subject, started: Started, generator: Generator): Promise<void> {
  for (const era of subject.eras) {
    await generator.warm({ url: started.url, token: started.token, era, bytes: 20, concurrency: 16 }, 2).catch(() => {})
    await generator.close()
  }
}

const summary = (round: Round) => `${round.callsPerSecond.toFixed(0)} calls/s, p50 ${round.p50Ms.toFixed(2)} ms`

export async function measureTable(
  front: Front,
  cells: Cell[],
  pace: Pace,
  ground: Ground,
  generator: Generator,
  progress: (line: string) => void,
): Promise<Table> {
  const disk = fsyncP50Ms(ground.scratch)
  const running = new Map<Subject, Started>()
  const failed = new Map<Subject, string>()
  for (const subject of subjects) {
    const started = await start(subject, front, ground)
    if ('unavailable' in started) failed.set(subject, started.unavailable)
    else running.set(subject, started)
  }
  const serves = (subject: Subject, era: Era) => (subject.eras.includes(era) ? null : `does not serve the ${era} era (n/a)`)
  for (const [subject, started] of running) {
    progress(`${front} warm-up ${subject.name}`)
    await compile(subject, started, generator)
  }
  const rows: Row[] = []
  for (const cell of cells) {
    const rowOf = new Map<Subject, Row>()
    for (const subject of subjects) {
      const problem = failed.get(subject) ?? serves(subject, cell.era)
      rowOf.set(subject, { subject: subject.name, cell, rounds: [], problem })
    }
    for (let number = 1; number <= pace.rounds; number++) {
      for (const [subject, started] of running) {
        const row = rowOf.get(subject)!
        if (row.problem !== null) continue
        const label = `${front} ${cellName(cell)} round ${number}/${pace.rounds} ${subject.name}`
        try {
          const round = await measureRound(started, cell, pace, number === 1, generator)
          row.rounds.push(round)
          if (round.faults > 0) row.problem = publicText(`${round.faults} wrong answers: ${round.firstFault}`)
          progress(`${label}: ${row.problem ?? summary(round)}`)
        } catch (error) {
          row.problem = publicText(error instanceof Error ? error.message : String(error))
          progress(`${label}: ${row.problem}`)
        }
        await generator.close()
        await delay(settleMs)
      }
    }
    rows.push(...rowOf.values())
  }
  for (const started of running.values()) await started.stop()
  return { front, fsyncP50Ms: disk, rows }
}
