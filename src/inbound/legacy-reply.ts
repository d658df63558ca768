/**
 * The answer to one POST of a legacy session: one response or, for a batch, several; as JSON when nothing but responses
 * came, else as an event stream that survives the connection.
 */
import type { Frame, Reply } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { type Message, type Response, writeMessage } from '../protocol/json-rpc.ts'
import { revisionOf } from '../protocol/revisions/index.ts'
import type { Departure } from './arrival.ts'
import { type KeepAlive, type ResumableStream, streamHeaders } from './event-stream.ts'
import { headersOf, refusalResponse, statusOf } from './refuse.ts'
import type { Session } from './sessions.ts'
import type { Visit } from './visit.ts'

/** Where the messages of one POST go. */
export class LegacySink {
  readonly #departure: Departure
  readonly #session: Session
  readonly #keepAlive: KeepAlive
  #headers: Readonly<Record<string, string>>
  readonly #batch: boolean
  #expected: number
  #responses: Response[] = []
  #status = 200
  #extra: Record<string, string> = {}
  #stream: ResumableStream | undefined

  constructor({ departure, cors }: Visit, session: Session, keepAlive: KeepAlive, expected: number, batch: boolean) {
    this.#departure = departure
    this.#session = session
    this.#keepAlive = keepAlive
    this.#headers = cors
    this.#expected = expected
    this.#batch = batch
  }

  /** Nobody is there to take the answer, and nothing keeps it for a client that comes back. */
  get gone(): boolean {
    return this.#stream === undefined && this.#departure.gone.stopped
  }

  /** Tells the client its session, with the response that opens it. */
  name(session: string): void {
    this.#headers = { ...this.#headers, 'mcp-session-id': session }
  }

  send(message: Message): Promise<void> | undefined {
    return this.#open().write(JSON.stringify(writeMessage(message)))
  }

  /** The server answers with a stream, so we do. */
  stream(): void {
    this.#open()
  }

  pause(retryMs: number): void {
    if (this.#polling) this.#open().pause(retryMs)
  }

  /** Throws CANCELLED when nobody is there to take it, and nothing keeps it for a client that comes back. */
  respond(response: Response, status = 200, extra: Record<string, string> = {}): Promise<undefined> | undefined {
    this.#responses.push(response)
    if (this.#expected === 1 && !this.#batch) this.#status = status
    this.#extra = extra
    if (this.#stream) this.#flush(this.#stream)
    return --this.#expected === 0 ? this.#finish() : undefined
  }

  get #polling(): boolean {
    return revisionOf(this.#session.conversation.origin.version)?.polling === true
  }

  #open(): ResumableStream {
    if (this.#stream) return this.#stream
    const stream = this.#session.newStream(this.#polling)
    const outlet = this.#keepAlive.add(this.#departure.open({ ...streamHeaders, ...this.#headers }), this.#departure.gone)
    stream.attach(outlet, undefined)
    this.#departure.gone.onStop(() => stream.detach(outlet))
    this.#flush(stream)
    this.#stream = stream
    return stream
  }

  #flush(stream: ResumableStream): void {
    for (const response of this.#responses.splice(0)) void stream.write(JSON.stringify(writeMessage(response)))
  }

  #finish(): Promise<undefined> | undefined {
    if (this.#stream) return void this.#stream.end()
    if (this.#departure.gone.stopped) throw new Refusal('CANCELLED')
    const messages = this.#responses.map(writeMessage)
    const body = JSON.stringify(this.#batch ? messages : messages[0])
    return this.#departure.send(this.#status, { 'content-type': 'application/json', ...this.#headers, ...this.#extra }, body)
  }
}

export class LegacyReply implements Reply {
  readonly #frame: Frame
  readonly #sink: LegacySink
  readonly #session: Session
  readonly #succeeded: ((parcel: Cleared) => void) | undefined

  /** `succeeded` is told of the final result before it is sent. */
  constructor(frame: Frame, sink: LegacySink, session: Session, succeeded?: (parcel: Cleared) => void) {
    this.#frame = frame
    this.#sink = sink
    this.#session = session
    this.#succeeded = succeeded
  }

  deliver(parcel: Cleared): Promise<Parcel | undefined> | undefined {
    const { message, stop } = this.#frame
    if (parcel.method === 'session/streaming') return void this.#sink.stream()
    if (parcel.method === 'session/paused') return void this.#sink.pause(parcel.body['retryMs'] as number)
    if (parcel.leg === 'notice')
      return this.#sink.send({ kind: 'notification', method: parcel.method, params: parcel.body })?.then(() => undefined)
    if (parcel.leg === 'ask') return this.#session.conversation.ask(parcel, stop, (question) => this.#sink.send(question))
    if (message.kind !== 'request') return undefined
    const outcome = parcel.member === 'error' ? 'error' : 'result'
    if (outcome === 'result') this.#succeeded?.(parcel)
    return this.#sink.respond({ kind: 'response', id: message.id, outcome, body: parcel.body })
  }

  refuse(refusal: Refusal): void {
    const { message } = this.#frame
    if (message.kind !== 'request' || this.#sink.gone) return
    void this.#sink.respond(
      refusalResponse(refusal, message.id, message.method, 'legacy'),
      statusOf(refusal, 'legacy'),
      headersOf(refusal),
    )
  }
}
