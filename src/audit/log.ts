/**
 * The main thread's end of the log: numbers the entries, gathers them into batches and hands one batch at a time to the
 * worker. There is no fixed wait: the next batch leaves when the last is on disk. Outcomes alone wait at most 20 ms.
 *
 * It fails closed and for good. After the first failure of the worker or the disk, every entry is refused until a restart:
 * a log with a hole would be worse than none.
 */
import type { KeyObject } from 'node:crypto'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../lib/clock.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { Batch } from './batch.ts'
import { LogRefused } from './ledger.ts'
import type { Cursors, FromWorker, ToWorker, WorkerOptions } from './messages.ts'

const outcomeWaitMs = 20
/** Turns of a busy event loop that a batch may be gathered over. */
const turnsMax = 6
/** Under the second that a checkpoint may be late. */
const checkpointMs = 900
/** Entries that may wait for a disk that does not answer, about 100 MB; then the log counts as broken. */
const waitingEntriesMax = 100_000

export interface LogOptions {
  readonly path: string
  readonly anchor: string
  readonly signingKey: KeyObject
  readonly clock: Clock
  /** How far the sinks have come, asked at every checkpoint; kept with it. */
  readonly cursors: () => Cursors
}

export class Log {
  /** Entries on disk. */
  stored: number
  failure: string | undefined
  /** Where each sink had got to when the log was closed. */
  readonly resumed: Cursors
  readonly #worker: Worker
  readonly #options: LogOptions
  #taken: number
  #open = new Batch()
  #flight: Batch | undefined
  #scheduled = false
  #outcomeTimer: NodeJS.Timeout | undefined
  #checkpointTimer: NodeJS.Timeout | undefined
  readonly #readers: PromiseWithResolvers<Extract<FromWorker, { kind: 'entries' }>>[] = []
  readonly #gone = Promise.withResolvers<void>()

  private constructor(worker: Worker, options: LogOptions, size: number, resumed: Cursors) {
    this.#worker = worker
    this.#options = options
    this.stored = size
    this.#taken = size
    this.resumed = resumed
    worker.on('message', (message: FromWorker) => this.#hear(message))
    worker.on('error', (error) => this.fail(error.message))
    worker.on('exit', () => {
      this.fail('the audit worker has ended')
      this.#gone.resolve()
    })
  }

  /** Throws {@link LogRefused} when there is no log to be written, with the reason. */
  static async open(options: LogOptions): Promise<Log> {
    const { path, anchor, signingKey, clock } = options
    const workerData: WorkerOptions = { path, anchor, signingKey, time: new Date(clock.now()).toISOString() }
    // The published package has worker.js beside this file; the source tree has worker.ts.
    const url = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)
    // Flags of the process (--input-type, --test) are not the worker's.
    const worker = new Worker(url, { workerData, name: 'audit', execArgv: ['--disable-warning=ExperimentalWarning'] })
    const first = await new Promise<FromWorker>((resolve) => {
      worker.once('message', resolve)
      worker.once('error', (error) => resolve({ kind: 'failed', reason: error.message, fault: 'unwritable' }))
    })
    if (first.kind === 'opened') return new Log(worker, options, first.size, first.cursors)
    await worker.terminate()
    if (first.kind === 'failed') throw new LogRefused(first.fault, first.reason)
    throw new LogRefused('unwritable', 'the audit worker did not start')
  }

  /** Entries that are not on disk yet. */
  get pending(): number {
    return this.#taken - this.stored
  }

  /** Takes the next number, and the text made with it. `urgent`: somebody will wait for it. */
  append(text: (seq: number) => string, urgent: boolean): Batch {
    const batch = this.#open
    if (this.failure !== undefined) return batch
    batch.add(text(this.#taken + 1))
    this.#taken++
    if (this.pending > waitingEntriesMax) {
      this.fail(`more than ${waitingEntriesMax} entries wait for the disk`)
    } else if (urgent) this.#hurry()
    else if (this.#flight === undefined && !this.#scheduled) this.#outcomeTimer ??= setTimeout(this.#post, outcomeWaitMs)
    return batch
  }

  /** Somebody waits for this batch. Undefined when it is on disk already. */
  needed(batch: Batch): Promise<void> | undefined {
    if (batch === this.#open && batch.count > 0) this.#hurry()
    return batch.whenStored()
  }

  /** Resolves when everything taken so far is on disk. */
  async flushed(): Promise<void> {
    if (this.failure !== undefined) throw new Refusal('AUDIT_UNAVAILABLE')
    const last = this.#open.count > 0 ? this.#open : this.#flight
    if (last === this.#open) {
      this.#open.urgent = true
      this.#post()
    }
    await last?.whenStored()
  }

  /** A sink has come further: kept on disk with the next checkpoint. */
  remember(): void {
    if (this.failure === undefined) this.#checkpointTimer ??= setTimeout(this.#checkpoint, checkpointMs)
  }

  /** Entries as they are on disk, for the sinks. */
  read(after: number, limit: number): Promise<{ texts: readonly string[]; last: number }> {
    const reader = Promise.withResolvers<Extract<FromWorker, { kind: 'entries' }>>()
    if (this.failure === undefined) {
      this.#readers.push(reader)
      this.#tell({ kind: 'read', after, limit })
    } else reader.reject(new Error(this.failure))
    return reader.promise
  }

  /** Writes what is left and a last checkpoint. Resolves when the worker is gone, whatever happened. */
  async close(): Promise<void> {
    await this.flushed().catch(() => {})
    clearTimeout(this.#checkpointTimer)
    if (this.failure === undefined) this.#tell({ kind: 'close', ...this.#now() })
    else await this.#worker.terminate()
    await this.#gone.promise
  }

  fail(reason: string): void {
    if (this.failure !== undefined) return
    this.failure = reason
    clearTimeout(this.#outcomeTimer)
    clearTimeout(this.#checkpointTimer)
    this.#flight?.failed()
    this.#flight = undefined
    this.#open.failed()
    for (const reader of this.#readers.splice(0)) reader.reject(new Error(reason))
  }

  #hurry(): void {
    this.#open.urgent = true
    if (this.#flight !== undefined || this.#scheduled) return
    this.#scheduled = true
    this.#gather(0, 0)
  }

  /** Posts when a turn of the event loop has brought nothing more: whatever arrives in the same rush goes along. */
  #gather(turn: number, before: number): void {
    const { count } = this.#open
    if (turn > 0 && (count === before || turn === turnsMax)) return this.#post()
    setImmediate(() => this.#gather(turn + 1, count))
  }

  readonly #post = (): void => {
    this.#scheduled = false
    clearTimeout(this.#outcomeTimer)
    this.#outcomeTimer = undefined
    if (this.failure !== undefined || this.#flight !== undefined || this.#open.count === 0) return
    this.#flight = this.#open
    this.#open = new Batch()
    this.#tell({ kind: 'append', lines: this.#flight.lines })
    this.remember()
  }

  readonly #checkpoint = (): void => {
    this.#checkpointTimer = undefined
    this.#tell({ kind: 'checkpoint', ...this.#now() })
  }

  #now() {
    return { time: new Date(this.#options.clock.now()).toISOString(), cursors: this.#options.cursors() }
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'appended') this.#landed()
    else if (message.kind === 'entries') this.#readers.shift()?.resolve(message)
    else if (message.kind === 'closed') this.fail('the audit log is closed')
    else if (message.kind === 'failed') this.fail(message.reason)
  }

  #landed(): void {
    const batch = this.#flight
    this.#flight = undefined
    if (batch === undefined) return
    this.stored += batch.count
    batch.stored()
    if (this.#open.urgent) this.#hurry()
    else if (this.#open.count > 0) this.#outcomeTimer ??= setTimeout(this.#post, outcomeWaitMs)
  }
}
