/**
 * What a subject costs at rest: its memory while it holds a thousand idle streams, and how long it takes to start.
 * Each reading starts a fresh process.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Generator } from './generator.ts'
import { publicText } from './machine.ts'
import { readRssBytes } from './processes.ts'
import { type Ground, type Started, start } from './started.ts'
import { median } from './statistics.ts'
import { type Front, type Subject, subjects } from './subjects.ts'

export const streamsWanted = 1000
const settleMs = 2000

export interface Streams {
  subject: string
  front: Front
  opened: number
  beforeBytes: number | null
  withStreamsBytes: number | null
  problem: string | null
}

export interface StartUp {
  subject: string
  front: Front
  /** Spawn to ready: the ready line is printed, or the port accepts. */
  readyMs: number | null
  /** Spawn to the first tools/call answered, which is what a user waits for. */
  answeredMs: number | null
  starts: { readyMs: number; answeredMs: number }[]
  problem: string | null
}

type Progress = (line: string) => void

const said = (error: unknown) => publicText(error instanceof Error ? error.message : String(error))
const probe = { era: 'legacy', bytes: 20, concurrency: 1 } as const

/** Every proxy that could be measured at this front; the others and the reason are in the tables already. */
function candidates(front: Front): Subject[] {
  const place = { root: '.', folder: '.', freePort: 0, upstreamUrl: 'http://127.0.0.1/mcp', issuerUrl: 'http://127.0.0.1' }
  return subjects.filter((subject) => 'argv' in subject.fronts[front](place))
}

async function holdStreams(subject: Subject, front: Front, started: Started): Promise<Streams> {
  const generator = new Generator()
  try {
    await generator.warm({ ...probe, url: started.url, token: started.token }, 0.3)
    const beforeBytes = readRssBytes(started.pid!)
    const { opened, refused } = await generator.openStreams(started.url, started.token, streamsWanted)
    await delay(settleMs)
    const withStreamsBytes = readRssBytes(started.pid!)
    const problem = refused && publicText(refused)
    return { subject: subject.name, front, opened, beforeBytes, withStreamsBytes, problem }
  } finally {
    generator.end()
  }
}

/** Legacy sessions with one open GET stream each. */
export async function measureStreams(ground: Ground, progress: Progress): Promise<Streams[]> {
  const rows: Streams[] = []
  const none = { opened: 0, beforeBytes: null, withStreamsBytes: null }
  for (const [subject, front] of [
    ...candidates('http').map(pairedWith('http')),
    ...candidates('stdio').map(pairedWith('stdio')),
  ]) {
    const row = { subject: subject.name, front, ...none }
    if (front === 'stdio' && subject.name !== 'mcp-proxy') {
      const problem = 'not measured: a process of the upstream for each session'
      if (subject.name === 'supergateway') rows.push({ ...row, problem })
      continue
    }
    const started = await start(subject, front, ground)
    if ('unavailable' in started) rows.push({ ...row, problem: started.unavailable })
    else {
      rows.push(await holdStreams(subject, front, started).catch((error) => ({ ...row, problem: said(error) })))
      await started.stop()
    }
    const { opened, problem } = rows.at(-1)!
    progress(`streams ${front} ${subject.name}: ${opened} opened${problem ? `, ${problem}` : ''}`)
  }
  return rows
}

const pairedWith =
  (front: Front) =>
  (subject: Subject): [Subject, Front] => [subject, front]

async function startOnce(subject: Subject, front: Front, ground: Ground): Promise<{ readyMs: number; answeredMs: number }> {
  const generator = new Generator()
  try {
    const began = performance.now()
    const started = await start(subject, front, ground)
    if ('unavailable' in started) throw new Error(started.unavailable)
    try {
      const first = await generator.warm({ ...probe, url: started.url, token: started.token }, 0.001)
      if (first.calls === 0) throw new Error(first.firstFault ?? 'no answer')
      return { readyMs: started.readyMs, answeredMs: performance.now() - began }
    } finally {
      await started.stop()
    }
  } finally {
    generator.end()
  }
}

/** Starts each proxy `times` times, in turn. */
export async function measureStartUp(times: number, ground: Ground, progress: Progress): Promise<StartUp[]> {
  const pairs = [...candidates('http').map(pairedWith('http')), ...candidates('stdio').map(pairedWith('stdio'))]
  const rows = pairs.map(([subject, front]): StartUp & { of: Subject } => {
    return { of: subject, subject: subject.name, front, readyMs: null, answeredMs: null, starts: [], problem: null }
  })
  for (let number = 1; number <= times; number++) {
    for (const row of rows) {
      if (row.problem !== null) continue
      try {
        row.starts.push(await startOnce(row.of, row.front, ground))
      } catch (error) {
        row.problem = said(error)
      }
      const last = row.starts.at(-1)
      progress(`start-up ${row.front} ${row.subject} ${number}/${times}: ${row.problem ?? `${last!.readyMs.toFixed(0)} ms`}`)
    }
  }
  return rows.map(({ of: _, ...row }) => ({
    ...row,
    readyMs: median(row.starts.map(({ readyMs }) => readyMs)),
    answeredMs: median(row.starts.map(({ answeredMs }) => answeredMs)),
  }))
}
