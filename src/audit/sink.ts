/**
 * Where the log is also sent. The log itself is the spool: a sink is fed from what is on disk, so an outage costs no memory
 * and no traffic waits. At least once and in order; what could not be delivered yet is the sink's lag.
 */
import { setTimeout as delay } from 'node:timers/promises'

export interface AuditSink {
  /** Stable: the cursor on disk bears it. */
  readonly name: string
  /**
   * Hands entries (canonical JSON, in order) over. Resolves when they have arrived, as far as the protocol can tell; a
   * rejection means that they, and everything written after them, will be written again. Called again before it has resolved.
   */
  write(entries: readonly string[]): Promise<void>
  /** Lets what is under way arrive, for a moment, and hangs up. */
  close(): Promise<void>
}

export interface Source {
  read(after: number, limit: number): Promise<{ texts: readonly string[]; last: number }>
  /** Entries on disk. */
  size(): number
  /** The sink has come further. */
  moved(): void
}

const batchEntriesMax = 256
/** Bounds what is under way to 16,384 entries. */
const underwayMax = 64
const paceMs = 100
const retryMsMax = 30_000
const closeMsMax = 3000

interface Underway {
  readonly last: number
  arrived: boolean
}

export class Feeder {
  readonly name: string
  /** The last entry that arrived, as far as we know. */
  cursor: number
  /** Failures in a row; 0 while it works. */
  failures = 0
  readonly #sink: AuditSink
  readonly #source: Source
  readonly #over = new AbortController()
  #draining = false
  readonly #done: Promise<void>

  constructor(sink: AuditSink, cursor: number, source: Source) {
    this.name = sink.name
    this.#sink = sink
    this.#source = source
    this.cursor = Math.min(cursor, source.size())
    this.#done = this.#run()
  }

  /** Entries on disk that the sink has not taken yet. */
  get lag(): number {
    return this.#source.size() - this.cursor
  }

  /** Delivers what it can in a few seconds, unless it was failing anyway. The rest is delivered after the next start. */
  async close(): Promise<void> {
    this.#draining = true
    if (this.failures > 0) this.#over.abort()
    const late = setTimeout(() => this.#over.abort(), closeMsMax)
    await this.#done
    clearTimeout(late)
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted && !(this.#draining && this.lag === 0)) {
      try {
        await this.#stream()
      } catch {
        this.failures++
        await this.#pause(Math.min(paceMs * 2 ** this.failures, retryMsMax))
      }
    }
    await this.#sink.close().catch(() => {})
  }

  /** Writes from the cursor on, some batches ahead of what has arrived, until something fails or it is time to go. */
  async #stream(): Promise<void> {
    const failed = new AbortController()
    const underway: Underway[] = []
    const settled: Promise<void>[] = []
    let sent = this.cursor
    try {
      while (!failed.signal.aborted && !this.#over.signal.aborted) {
        if (sent < this.#source.size() && underway.length < underwayMax) {
          const { texts, last } = await this.#source.read(sent, batchEntriesMax)
          if (texts.length === 0) throw new Error('entries that are on disk could not be read back')
          const batch: Underway = { last, arrived: false }
          underway.push(batch)
          settled.push(
            this.#sink.write(texts).then(
              () => this.#arrived(batch, underway, failed.signal),
              () => failed.abort(),
            ),
          )
          if (settled.length > underwayMax) settled.splice(0, settled.length - underwayMax)
          sent = last
          if (texts.length === batchEntriesMax) continue
        }
        if (this.#draining && sent >= this.#source.size()) {
          await Promise.race([this.#sink.close(), this.#pause(closeMsMax)])
          if (underway.length === 0) return
        }
        await this.#pause(paceMs)
      }
    } finally {
      await Promise.race([Promise.all(settled), this.#pause(closeMsMax)])
    }
    if (failed.signal.aborted) throw new Error('the sink did not take an entry')
  }

  /** Moves the cursor over everything that has arrived without a gap before it. */
  #arrived(batch: Underway, underway: Underway[], failed: AbortSignal): void {
    batch.arrived = true
    if (failed.aborted) return
    while (underway[0]?.arrived) this.cursor = (underway.shift() as Underway).last
    this.failures = 0
    this.#source.moved()
  }

  #pause(ms: number): Promise<void> {
    return delay(ms, undefined, { ref: false, signal: this.#over.signal }).catch(() => {})
  }
}
