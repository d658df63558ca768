/**
 * An event stream to a client. A resumable one (legacy, 2025-03-26 … 2025-11-25) outlives its connection: events are
 * numbered and kept for a while, and a client that comes back with Last-Event-ID gets what it missed, of this stream only.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { unguessable } from '../lib/random.ts'
import { writeEvent } from '../lib/sse.ts'
import type { Stop } from '../lib/stop.ts'
import type { Outlet } from './arrival.ts'

export const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
} as const

const keptMax = 512
/** Of the events of one stream together; the latest is kept whatever its length. */
const keptCharsMax = 4_194_304
const retryMsDefault = 1000

/** Comment lines now and then keep proxies from closing a silent stream; one timer serves all streams. */
export class KeepAlive {
  readonly #outlets = new Set<Outlet>()
  readonly #timer: NodeJS.Timeout
  constructor(everyMs = 15_000) {
    this.#timer = setInterval(() => {
      for (const outlet of this.#outlets) outlet.write(':\n\n')
    }, everyMs)
    this.#timer.unref()
  }
  /** Kept alive until the other side is gone. */
  add(outlet: Outlet, gone: Stop): Outlet {
    this.#outlets.add(outlet)
    gone.onStop(() => this.#outlets.delete(outlet))
    const forget = (): boolean => this.#outlets.delete(outlet)
    return {
      write: (text) => outlet.write(text),
      end: () => void (forget(), outlet.end()),
      drop: () => void (forget(), outlet.drop()),
    }
  }
  close(): void {
    clearInterval(this.#timer)
    for (const outlet of this.#outlets) outlet.end()
  }
}

export class ResumableStream {
  readonly id = unguessable()
  readonly #kept: { seq: number; data: string }[] = []
  readonly #primes: boolean
  #keptChars = 0
  #seq = 0
  /** The latest that was written to an outlet. */
  #sentSeq = 0
  #catchingUp: Promise<void> | undefined
  #outlet: Outlet | undefined
  #over = false

  /** `primes`: begin with an empty event, so that the client can come back from the start (from 2025-11-25). */
  constructor(primes: boolean) {
    this.#primes = primes
  }

  /** What is kept for a client that comes back, in characters. */
  get weight(): number {
    return this.#keptChars
  }

  /** True while somebody reads it. */
  get attached(): boolean {
    return this.#outlet !== undefined
  }

  get over(): boolean {
    return this.#over
  }

  /**
   * Sends to this outlet what came after `afterSeq`, or what was never sent, and from now on everything. An earlier outlet
   * is let go.
   */
  attach(outlet: Outlet, afterSeq: number | undefined): void {
    this.#outlet?.drop()
    this.#outlet = outlet
    if (afterSeq === undefined && this.#primes) outlet.write(writeEvent('', this.#name(++this.#seq), retryMsDefault))
    this.#sentSeq = afterSeq ?? this.#sentSeq
    if (this.#kept.some(({ seq }) => seq > this.#sentSeq)) this.#catchingUp = nextTurn().then(() => this.#catchUp(outlet))
    else if (this.#over) this.detach()
  }

  /** Sends what is kept and was not sent, no faster than it is read; of many who attach in one turn, to the last. */
  #catchUp(outlet: Outlet): void {
    if (this.#outlet !== outlet) return
    this.#catchingUp = undefined
    for (const { seq, data } of this.#kept) {
      if (seq <= this.#sentSeq) continue
      this.#catchingUp = this.#send(seq, data)?.then(() => this.#catchUp(outlet))
      if (this.#catchingUp) return
    }
    if (this.#over) this.detach()
  }

  write(data: string): Promise<void> | undefined {
    const seq = ++this.#seq
    this.#kept.push({ seq, data })
    this.#keptChars += data.length
    while (this.#kept.length > keptMax || (this.#keptChars > keptCharsMax && this.#kept.length > 1))
      this.#keptChars -= this.#kept.shift()?.data.length ?? 0
    return this.#catchingUp ?? this.#send(seq, data)
  }

  /** Lets the client go for a while; it comes back with Last-Event-ID. Only for one that was primed for it. */
  pause(retryMs: number): void {
    if (!this.#primes) return
    this.#outlet?.write(`retry: ${retryMs}\n\n`)
    this.detach()
  }

  /** The connection is gone or given up; events are kept from now on. */
  detach(outlet = this.#outlet): void {
    if (this.#outlet !== outlet) return
    this.#outlet?.end()
    this.#outlet = undefined
    this.#catchingUp = undefined
  }

  end(): void {
    this.#over = true
    if (this.#catchingUp === undefined) this.detach()
  }

  #send(seq: number, data: string): Promise<void> | undefined {
    if (this.#outlet === undefined) return undefined
    this.#sentSeq = seq
    return this.#outlet.write(writeEvent(data, this.#name(seq)))
  }

  #name(seq: number): string {
    return `${this.id}_${seq}`
  }
}

/** The stream id and sequence number in an event id of ours; undefined for anything else. */
export function readEventId(text: string): { stream: string; seq: number } | undefined {
  const [, stream, seq] = /^([A-Za-z0-9_-]{43})_(\d{1,12})$/.exec(text) ?? []
  return stream === undefined ? undefined : { stream, seq: Number(seq) }
}
