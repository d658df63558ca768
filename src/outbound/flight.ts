/**
 * One request under way at a server: the stream of what comes back, its timeouts, and its cancellation. A flight may
 * outlive the exchange that started it, when the server asks a modern client something (see suspended.ts).
 */
import type { Message, Request } from '../protocol/json-rpc.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { StreamEvent, Wire } from './wire.ts'

export interface Timeouts {
  /** Between two messages of the server. Zero: no limit, for standing streams. */
  readonly requestTimeoutMs: number
  /** For the whole request, whatever progress it reports. */
  readonly requestTimeoutMsMax: number
}
export const untimed: Timeouts = { requestTimeoutMs: 0, requestTimeoutMsMax: 0 }

export class Flight {
  readonly request: Request
  readonly #stop = new AbortController()
  readonly #stream: AsyncIterator<Message | StreamEvent>
  readonly #timeouts: Timeouts
  readonly #cancelled: (request: Request) => void
  #timer: NodeJS.Timeout | undefined
  #hardTimer: NodeJS.Timeout | undefined
  #over = false

  /** `cancelled` is called when the flight ends before its response, to tell the server where the transport does not. */
  constructor(wire: Wire, request: Request, headers: Readonly<Record<string, string>>, timeouts: Timeouts, cancelled: (request: Request) => void) {
    this.request = request
    this.#timeouts = timeouts
    this.#cancelled = cancelled
    this.#stream = wire.request(request, { headers, signal: this.#stop.signal })[Symbol.asyncIterator]()
    if (timeouts.requestTimeoutMsMax > 0) this.#hardTimer = this.#timeoutIn(timeouts.requestTimeoutMsMax)
  }

  /** The next message. Throws what ended the flight: a Refusal, a WireError, or the reason it was aborted with. */
  async next(): Promise<Message | StreamEvent> {
    const { requestTimeoutMs } = this.#timeouts
    if (requestTimeoutMs > 0) this.#timer = this.#timeoutIn(requestTimeoutMs)
    try {
      const step = await this.#stream.next()
      if (step.done) throw new Refusal('UPSTREAM_INVALID', { detail: 'the stream ended without a response' })
      if (step.value.kind === 'response') this.#land()
      return step.value
    } catch (error) {
      this.abort(error)
      throw this.#stop.signal.reason ?? error
    } finally {
      clearTimeout(this.#timer)
    }
  }

  abort(reason: unknown): void {
    if (this.#over) return
    this.#land()
    this.#stop.abort(reason)
    this.#cancelled(this.request)
  }

  /** Lets go of the stream; a flight that has not landed is cancelled. */
  async close(): Promise<void> {
    this.abort(new Refusal('CANCELLED'))
    await this.#stream.return?.()
  }

  #land(): void {
    this.#over = true
    clearTimeout(this.#timer)
    clearTimeout(this.#hardTimer)
  }

  #timeoutIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.abort(new Refusal('UPSTREAM_TIMEOUT', { detail: ms })), ms)
  }
}
