/**
 * Streamable HTTP towards a server, all revisions (2025-03-26 … 2026-07-28): a POST a message, the answer as JSON or as
 * an event stream, and for the legacy era a GET stream and resumption by Last-Event-ID.
 */
import { isUtf8 } from 'node:buffer'
import type { Queue } from '../../lib/queue.ts'
import { readEvents, type SseEvent, SseOverflow } from '../../lib/sse.ts'
import { inTime, pause, Stop } from '../../lib/stop.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import { type Message, type Notification, type Request, type Response, writeMessage } from '../../protocol/json-rpc.ts'
import { Listeners } from '../listeners.ts'
import { readUpstream } from '../read-message.ts'
import { type SessionWire, type StreamEvent, WireError, type WireHeaders, type WireReply } from '../wire.ts'
import type { HttpRequest, HttpResponse, Transport } from './transport.ts'

export interface HttpWireOptions {
  readonly server: string
  readonly transport: Transport
  readonly resultBytesMax: number
  readonly depthMax: number
}

const accept = 'application/json, text/event-stream'
const reconnectMsDefault = 1000
const reconnectMsMax = 30_000
const reconnectsMax = 5
export const sendMsMax = 30_000
export const tooLate = (): Refusal => new Refusal('UPSTREAM_TIMEOUT', { detail: sendMsMax })

export class HttpWire implements SessionWire {
  sessionId: string | undefined
  readonly closed: Promise<void>
  readonly #options: HttpWireOptions
  readonly #stop = new Stop()
  readonly #listeners = new Listeners()
  #feed: Promise<void> | undefined

  constructor(options: HttpWireOptions) {
    this.#options = options
    this.closed = new Promise((resolve) => this.#stop.onStop(resolve))
  }

  async request(request: Request, headers: WireHeaders, stop: Stop): Promise<WireReply> {
    const response = await this.#post(request, headers, stop)
    if (request.method === 'initialize' && response.status === 200) this.sessionId = response.header('mcp-session-id')
    return isEventStream(response) ? this.#stream(response, headers, stop) : this.#single(response)
  }

  async send(message: Notification | Response, headers: WireHeaders): Promise<void> {
    const response = await inTime(sendMsMax, tooLate, (stop) => this.#post(message, headers, stop))
    response.discard()
    if (response.status >= 400) throw new WireError(response.status, `HTTP ${response.status}`)
  }

  /** The standing GET stream of the legacy era. A session has one, so all who listen share it; it is opened with the first. */
  async events(headers: () => WireHeaders, stop: Stop): Promise<Queue<Message>> {
    this.#feed ??= this.#listen(headers)
    return this.#listeners.listen(stop)
  }

  async endSession(headers: WireHeaders): Promise<void> {
    const response = await inTime(sendMsMax, tooLate, (stop) => this.#send({ method: 'DELETE', headers, stop }))
    response.discard()
  }

  async close(): Promise<void> {
    this.#stop.stop(new Refusal('CANCELLED'))
    this.#listeners.end()
  }

  /**
   * Reads the standing stream until the wire is closed. A server without one (405) is not asked again; one that lost us is,
   * and one that said something unreadable, which is not asked for again.
   */
  async #listen(headers: () => WireHeaders): Promise<void> {
    const stop = this.#stop
    let lastId: string | undefined
    let waitMs = reconnectMsDefault
    while (!stop.stopped) {
      const response = await this.#send({
        method: 'GET',
        headers: { ...headers(), ...resuming(lastId), accept: 'text/event-stream' },
        stop,
      }).catch(() => undefined)
      if (response?.status === 405) return response.discard()
      if (response?.status === 200 && isEventStream(response)) {
        try {
          for await (const event of this.#events(response)) {
            lastId = event.id ?? lastId
            waitMs = Math.min(event.retryMs ?? reconnectMsDefault, reconnectMsMax)
            if (!event.data) continue
            const message = tryMessage(event.data, this.#options.depthMax)
            if (message) this.#listeners.tell(message, event.data.length)
          }
        } catch {
          lastId = undefined
          waitMs = Math.min(waitMs * 2, reconnectMsMax)
        }
      } else {
        response?.discard()
        lastId = undefined
        waitMs = Math.min(waitMs * 2, reconnectMsMax)
      }
      await pause(waitMs, stop)
    }
  }

  #post(message: Message, headers: WireHeaders, stop: Stop): Promise<HttpResponse> {
    const body = JSON.stringify(writeMessage(message))
    return this.#send({ method: 'POST', headers: { ...headers, accept, 'content-type': 'application/json' }, body, stop })
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.#options.transport.send(request)
    } catch (error) {
      if (request.stop.reason !== undefined) throw request.stop.reason
      throw error instanceof Refusal ? error : new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.server })
    }
  }

  async #single(response: HttpResponse): Promise<Response> {
    const { resultBytesMax, depthMax, server } = this.#options
    const bytes = await response
      .bytes(resultBytesMax, () => new Refusal('RESULT_TOO_LARGE', { detail: resultBytesMax }))
      .catch((error: unknown) => {
        throw error instanceof Refusal ? error : new Refusal('UPSTREAM_UNAVAILABLE', { detail: server })
      })
    if (!isUtf8(bytes)) throw new Refusal('UPSTREAM_INVALID', { detail: 'the body is not UTF-8' })
    const text = bytes.toString('utf8')
    const { status } = response
    const message =
      status === 200 && text !== '' ? readUpstream(text, depthMax) : status >= 400 ? tryMessage(text, depthMax) : undefined
    const isAnswer = message !== undefined && (status === 200 || (message.kind === 'response' && message.outcome === 'error'))
    if (!isAnswer) throw new WireError(status, `HTTP ${status}`)
    if (message.kind !== 'response') throw new Refusal('UPSTREAM_INVALID', { detail: 'the body is not a response' })
    return message
  }

  /** The messages of a response stream. A stream that broke off before the response is resumed where the server gave event ids. */
  async *#stream(first: HttpResponse, headers: WireHeaders, stop: Stop): AsyncGenerator<Message | StreamEvent> {
    yield { kind: 'stream' }
    let lastId: string | undefined
    let waitMs = reconnectMsDefault
    let response: HttpResponse | undefined = first
    for (let attempt = 0; response !== undefined && attempt <= reconnectsMax; attempt++) {
      for await (const event of this.#events(response)) {
        lastId = event.id ?? lastId
        waitMs = event.retryMs ?? waitMs
        if (!event.data) continue
        attempt = 0
        const message = readUpstream(event.data, this.#options.depthMax)
        yield message
        if (message.kind === 'response') return
      }
      if (lastId === undefined || stop.stopped) break
      yield { kind: 'pause', retryMs: waitMs }
      await pause(Math.min(waitMs, reconnectMsMax), stop)
      response = await this.#resume(headers, lastId, stop)
    }
    throw stop.reason ?? new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.server })
  }

  async *#events(response: HttpResponse): AsyncGenerator<SseEvent> {
    try {
      yield* readEvents(response.body, this.#options.resultBytesMax)
    } catch (error) {
      if (error instanceof SseOverflow) throw new Refusal('RESULT_TOO_LARGE', { detail: this.#options.resultBytesMax })
      if (error instanceof TypeError) throw new Refusal('UPSTREAM_INVALID', { detail: 'the event stream is not UTF-8' })
      // the connection broke: the caller resumes, or says that the server cannot be reached
    }
  }

  async #resume(headers: WireHeaders, lastId: string, stop: Stop): Promise<HttpResponse | undefined> {
    const response = await this.#send({
      method: 'GET',
      headers: { ...headers, ...resuming(lastId), accept: 'text/event-stream' },
      stop,
    })
    if (response.status === 200 && isEventStream(response)) return response
    response.discard()
    return undefined
  }
}

const resuming = (lastId: string | undefined): WireHeaders => (lastId === undefined ? {} : { 'last-event-id': lastId })
const isEventStream = (response: HttpResponse): boolean =>
  (response.header('content-type') ?? '').trimStart().toLowerCase().startsWith('text/event-stream')

function tryMessage(text: string, depthMax: number): Message | undefined {
  try {
    return readUpstream(text, depthMax)
  } catch {
    return undefined
  }
}
