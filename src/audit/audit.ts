/**
 * What happened? Every exchange leaves an intent and an outcome in an append-only log: hash chain, Merkle tree, checkpoints
 * signed every second and kept apart (anchor.ts). All of the work is on a worker thread; see log.ts for when it is on disk.
 */
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Frame, Trail } from '../pipeline/exchange.ts'
import { Refusal } from '../pipeline/refusal.ts'
import {
  detailCharsMax,
  entryVersion,
  type OperatorEntry,
  type OperatorEvent,
  type Outcome,
  subjectCharsMax,
  unidentified,
} from './entry.ts'
import { Log } from './log.ts'
import { type Desk, ExchangeRecord } from './record.ts'
import { quoted } from './redact.ts'
import { type AuditSink, Feeder } from './sink.ts'
import { Stamps } from './stamps.ts'
import { Strangers } from './strangers.ts'

export interface AuditOptions {
  /** The log's own SQLite file. Made, with its folder, where there is none. */
  readonly path: string
  /** The file of signed checkpoints; best on another disk. */
  readonly anchor: string
  /** Ed25519, private. */
  readonly signingKey: KeyObject
  readonly clock: Clock
  readonly sinks: readonly AuditSink[]
  /** How much of a body an entry quotes, redacted. Without it: nothing. */
  readonly excerptBytesMax?: number | undefined
  /** This node's name, in every entry. */
  readonly node?: string | undefined
  /** Told of every finished exchange, as it is recorded. Must be quick and must not throw: metrics. */
  readonly finished?: ((outcome: Outcome) => void) | undefined
}

export interface AuditStatus {
  /** Entries taken that are not on disk yet. */
  readonly pending: number
  /** Why it fails closed, for the operator's eyes; undefined while it works. */
  readonly failure: string | undefined
  readonly sinks: readonly { readonly name: string; readonly lag: number; readonly failures: number }[]
}

export interface Audit {
  record(frame: Frame): Trail
  /** Records what an operator did. Resolves when it is on disk; rejects with AUDIT_UNAVAILABLE. Act only after it has resolved. */
  event(event: OperatorEvent): Promise<void>
  /**
   * The same of somebody who is not known, as far as the allowance of strangers reaches; beyond it they are counted. Nothing
   * waits for it and nothing is thrown: only for what was refused, or had no effect.
   */
  stranger(event: Omit<OperatorEvent, 'principal'>, remote: string | undefined): void
  /** Resolves when everything recorded so far is on disk; rejects with AUDIT_UNAVAILABLE. */
  flushed(): Promise<void>
  /** Writes what is left, a last checkpoint, and what the sinks take in a few seconds. */
  close(): Promise<void>
  /** False from the first failure on, until a restart: nothing may pass. */
  healthy(): boolean
  status(): AuditStatus
}

/** How often a long exchange is said to be going on. */
const remindMs = 60_000
const countMs = 1000

/** Throws {@link LogRefused} where the log cannot be written, or was damaged, with a sentence for the operator. */
export async function openAudit(options: AuditOptions): Promise<Audit> {
  const { clock, node } = options
  const feeders: Feeder[] = []
  const cursors = () => feeders.map(({ name, cursor }) => [name, cursor] as const)
  const log = await Log.open({ path: options.path, anchor: options.anchor, signingKey: options.signingKey, clock, cursors })
  const stamps = new Stamps(clock)
  const strangers = new Strangers(clock)
  const desk: Desk = {
    log,
    clock,
    stamps,
    strangers,
    node,
    excerptBytesMax: options.excerptBytesMax ?? 0,
    finished: options.finished,
    open: new Set(),
  }

  const resumed = new Map(log.resumed)
  const source = { read: log.read.bind(log), size: () => log.stored, moved: log.remember.bind(log) }
  for (const sink of options.sinks) feeders.push(new Feeder(sink, resumed.get(sink.name) ?? 0, source))

  const reminder = setInterval(() => {
    for (const record of desk.open) record.remind(remindMs)
  }, remindMs).unref()

  const append = (event: OperatorEvent, urgent: boolean) =>
    log.append((seq) => JSON.stringify(operatorEntry(event, seq, stamps.time(), node)), urgent)
  const countStrangers = (): void => {
    const detail = strangers.take()
    if (detail !== undefined) append({ action: 'strangers.counted', principal: unidentified, detail }, false)
  }
  const counter = setInterval(countStrangers, countMs).unref()

  return {
    record: (frame) => new ExchangeRecord(frame, desk),
    async event(event) {
      if (log.failure !== undefined) throw new Refusal('AUDIT_UNAVAILABLE')
      await append(event, true).whenStored()
    },
    stranger(event, remote) {
      if (log.failure === undefined && strangers.admits(remote)) append({ ...event, principal: unidentified }, false)
    },
    flushed: () => log.flushed(),
    async close() {
      clearInterval(reminder)
      clearInterval(counter)
      countStrangers()
      await log.flushed().catch(() => {})
      await Promise.all(feeders.map((feeder) => feeder.close()))
      await log.close()
    },
    healthy: () => log.failure === undefined,
    status: () => ({
      pending: log.pending,
      failure: log.failure,
      sinks: feeders.map(({ name, lag, failures }) => ({ name, lag, failures })),
    }),
  }
}

/** Members in alphabetical order; see entry.ts. */
const operatorEntry = (event: OperatorEvent, seq: number, time: string, node: string | undefined): OperatorEntry => ({
  action: event.action,
  detail: event.detail === undefined ? undefined : quoted(event.detail, detailCharsMax),
  kind: 'operator',
  node,
  principal: event.principal,
  seq,
  server: event.server,
  subject: event.subject === undefined ? undefined : quoted(event.subject, subjectCharsMax),
  time,
  v: entryVersion,
})
