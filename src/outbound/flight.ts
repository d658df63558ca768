/**
 * One request under way at a server: what comes back, its timeouts, and its cancellation. A flight may outlive the
 * exchange that started it, when the server asks a modern client something (see suspended.ts).
 */
import { type Deadline, unwatch, watch } from '../lib/deadlines.ts'
import { Stop } from '../lib/stop.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Message, Request } from '../protocol/json-rpc.ts'
import type { StreamEvent, Wire, WireHeaders, WireReply } from './wire.ts'

export interface Timeouts {
  /** Between two messages of the server. Zero: no limit, for standing streams. */
  readonly requestTimeoutMs: number
  /** For the whole request, whatever progress it reports. */
  readonly requestTimeoutMsMax: number
}
export const untimed: Timeouts = { requestTimeoutMs: 0, requestTimeoutMsMax: 0 }

export class Flight implements Deadline {
  dueAt = 0
  readonly #request: Request
  readonly #stop = new Stop()
  readonly #wholeStopped = (): void => this.abort(this.#whole?.reason)
  #whole: Stop | undefined
  readonly #timeouts: Timeouts
  readonly #cancelled: (request: Request) => void
  readonly #lastAt: number
  readonly #reply: Promise<WireReply>
  #stream: AsyncIterator<Message | StreamEvent> | undefined
  #over = false

  /** `cancelled` is called when the flight ends before its response, to tell the server where the transport does not. */
  constructor(
    wire: Pick<Wire, 'request'>,
    request: Request,
    headers: WireHeaders,
    timeouts: Timeouts,
    cancelled: (request: Request) => void,
  ) {
    this.#request = request
    this.#timeouts = timeouts
    this.#cancelled = cancelled
    this.#lastAt = performance.now() + timeouts.requestTimeoutMsMax
    this.#reply = wire.request(request, headers, this.#stop)
    this.#reply.catch(() => undefined) // told to whoever calls next()
  }

  /** The next message. Throws what ended the flight: a Refusal, a WireError, or the reason it was aborted with. */
  async next(): Promise<Message | StreamEvent> {
    this.#expectSoon()
    try {
      if (this.#stream === undefined) {
        const reply = await this.#reply
        if ('kind' in reply) return this.#landed(reply)
        this.#stream = reply[Symbol.asyncIterator]()
      }
      const step = await this.#stream.next()
      if (step.done) throw new Refusal('UPSTREAM_INVALID', { detail: 'the stream ended without a response' })
      return step.value.kind === 'response' ? this.#landed(step.value) : step.value
    } catch (error) {
      this.abort(error)
      throw this.#stop.reason ?? error
    } finally {
      unwatch(this)
    }
  }

  /** Ends the flight with this, which it is part of now, and no longer with what it was part of. */
  heed(whole: Stop | undefined): void {
    this.#whole?.offStop(this.#wholeStopped)
    this.#whole = whole
    whole?.onStop(this.#wholeStopped)
  }

  abort(reason: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#stop.stop(reason)
    this.#cancelled(this.#request)
  }

  expired(): void {
    const { requestTimeoutMs, requestTimeoutMsMax } = this.#timeouts
    const detail = this.dueAt === this.#lastAt ? requestTimeoutMsMax : requestTimeoutMs
    this.abort(new Refusal('UPSTREAM_TIMEOUT', { detail }))
  }

  /** Lets go of the stream; a flight that has not landed is cancelled. */
  close(): Promise<unknown> | undefined {
    this.heed(undefined)
    if (!this.#over) this.abort(new Refusal('CANCELLED'))
    return this.#stream?.return?.()
  }

  #landed(message: Message): Message {
    this.#over = true
    return message
  }

  #expectSoon(): void {
    const { requestTimeoutMs } = this.#timeouts
    if (requestTimeoutMs === 0) return
    this.dueAt = Math.min(performance.now() + requestTimeoutMs, this.#lastAt)
    watch(this)
  }
}
