/**
 * Streamable HTTP towards a server, all revisions (2025-03-26 … 2026-07-28): a POST a message, the answer as JSON or as
 * an event stream, and for the legacy era a GET stream and resumption by Last-Event-ID.
 */
import { Queue } from '../../lib/queue.ts'
import { readEvents, SseOverflow, type SseEvent } from '../../lib/sse.ts'
import { type Message, type Notification, type Request, type Response, writeMessage } from '../../protocol/json-rpc.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import { readUpstream } from '../read-message.ts'
import { type SessionWire, type StreamEvent, WireError, type WireRequest } from '../wire.ts'
import { readText } from './body.ts'
import type { HttpResponse, Transport } from './transport.ts'

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
type Headers = Readonly<Record<string, string>>

export class HttpWire implements SessionWire {
  sessionId: string | undefined
  readonly closed: Promise<void>
  readonly #options: HttpWireOptions
  #closeNow!: () => void
  readonly #stop = new AbortController()
  readonly #listeners = new Set<Queue<Message>>()
  #feed: Promise<void> | undefined

  constructor(options: HttpWireOptions) {
    this.#options = options
    this.closed = new Promise((resolve) => {
      this.#closeNow = resolve
    })
  }

  async *request(request: Request, { headers, signal }: WireRequest): AsyncGenerator<Message | StreamEvent> {
    const response = await this.#post(request, headers, signal)
    if (request.method === 'initialize') this.sessionId = response.header('mcp-session-id')
    if (isEventStream(response)) {
      yield { kind: 'stream' }
      yield* this.#stream(response, headers, signal)
    } else yield await this.#single(response)
  }

  async send(message: Notification | Response, headers: Headers): Promise<void> {
    const response = await this.#post(message, headers, AbortSignal.timeout(reconnectMsMax))
    await response.discard()
    if (response.status >= 400) throw new WireError(response.status, `HTTP ${response.status}`)
  }

  /** The standing GET stream of the legacy era. A session has one, so all who listen share it; it is opened with the first. */
  async events(headers: () => Headers, signal: AbortSignal): Promise<AsyncIterable<Message>> {
    const queue = new Queue<Message>()
    const stop = (): void => {
      this.#listeners.delete(queue)
      queue.end()
    }
    this.#listeners.add(queue)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    this.#feed ??= this.#listen(headers).catch(() => undefined)
    return queue
  }

  /** Reads the standing stream until the wire is closed. A server without one (405) is not asked again; one that lost us is. */
  async #listen(headers: () => Headers): Promise<void> {
    const { signal } = this.#stop
    let lastId: string | undefined
    let waitMs = reconnectMsDefault
    while (!signal.aborted) {
      const response = await this.#send({ method: 'GET', headers: { ...headers(), ...resuming(lastId), accept: 'text/event-stream' }, signal }).catch(() => undefined)
      if (response?.status === 405) return response.discard()
      if (response?.status === 200 && isEventStream(response)) {
        for await (const event of this.#events(response)) {
          lastId = event.id ?? lastId
          waitMs = event.retryMs ?? reconnectMsDefault
          const message = event.data && tryMessage(event.data, this.#options.depthMax)
          if (message) for (const queue of this.#listeners) queue.push(message)
        }
      } else {
        await response?.discard()
        lastId = undefined
        waitMs = Math.min(waitMs * 2, reconnectMsMax)
      }
      await pause(waitMs, signal)
    }
  }

  async endSession(headers: Headers): Promise<void> {
    const response = await this.#send({ method: 'DELETE', headers, signal: AbortSignal.timeout(5000) })
    await response.discard()
  }

  close(): Promise<void> {
    this.#stop.abort(new Refusal('CANCELLED'))
    for (const queue of this.#listeners) queue.end()
    this.#closeNow()
    return Promise.resolve()
  }

  #post(message: Message, headers: Headers, signal: AbortSignal): Promise<HttpResponse> {
    const body = JSON.stringify(writeMessage(message))
    return this.#send({ method: 'POST', headers: { ...headers, accept, 'content-type': 'application/json' }, body, signal })
  }

  async #send(request: Parameters<Transport['send']>[0]): Promise<HttpResponse> {
    try {
      return await this.#options.transport.send(request)
    } catch (error) {
      throw request.signal.aborted ? request.signal.reason : this.#unreachable(error)
    }
  }

  #unreachable(_error: unknown): Refusal {
    return new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.server })
  }

  async #single(response: HttpResponse): Promise<Message> {
    const text = await readText(response.body, this.#options.resultBytesMax)
    if (response.status >= 400 || text === '') {
      const message = tryMessage(text, this.#options.depthMax)
      if (message?.kind === 'response') return message
      throw new WireError(response.status, `HTTP ${response.status}`)
    }
    return readUpstream(text, this.#options.depthMax)
  }

  /** The messages of a response stream. A stream that broke off before the response is resumed where the server gave event ids. */
  async *#stream(first: HttpResponse, headers: Headers, signal: AbortSignal): AsyncGenerator<Message | StreamEvent> {
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
      if (lastId === undefined) break
      yield { kind: 'pause', retryMs: waitMs }
      await pause(waitMs, signal)
      response = await this.#get(headers, lastId, signal)
    }
    throw new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.server })
  }

  async *#events(response: HttpResponse): AsyncGenerator<SseEvent> {
    try {
      yield* readEvents(response.body, this.#options.resultBytesMax)
    } catch (error) {
      if (error instanceof SseOverflow) throw new Refusal('RESULT_TOO_LARGE', { detail: this.#options.resultBytesMax })
      if (error instanceof TypeError) throw new Refusal('UPSTREAM_INVALID', { detail: 'the event stream is not UTF-8' })
      if (error instanceof Refusal) throw error
      // the connection broke: the caller resumes, or says that the server cannot be reached
    }
  }

  async #get(headers: Headers, lastId: string | undefined, signal: AbortSignal): Promise<HttpResponse | undefined> {
    const response = await this.#send({ method: 'GET', headers: { ...headers, ...resuming(lastId), accept: 'text/event-stream' }, signal })
    if (response.status === 200 && isEventStream(response)) return response
    await response.discard()
    return undefined
  }
}

const resuming = (lastId: string | undefined): Headers => (lastId === undefined ? {} : { 'last-event-id': lastId })
const isEventStream = (response: HttpResponse): boolean => (response.header('content-type') ?? '').trim().toLowerCase().startsWith('text/event-stream')

function tryMessage(text: string, depthMax: number): Message | undefined {
  try {
    return readUpstream(text, depthMax)
  } catch {
    return undefined
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, Math.min(ms, reconnectMsMax))
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
