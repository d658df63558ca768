/**
 * The door of a local client: one process, its standard streams, one message a line (2026-07-28 stdio). Both eras may come
 * down the same pipe; a legacy client has one conversation, for as long as the process lives.
 */
import type { Readable, Writable } from 'node:stream'
import { Backoff } from '../lib/backoff.ts'
import { drained } from '../lib/drained.ts'
import { LineSplitter } from '../lib/lines.ts'
import { unguessable, uniqueName } from '../lib/random.ts'
import { type Stop, unstoppable } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { JsonRefused, parseStrict } from '../lib/strict-json.ts'
import type { Credentials, Frame, Reply } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Origin, Parcel } from '../pipeline/parcel.ts'
import { asRefusal, Refusal } from '../pipeline/refusal.ts'
import { type Message, type Notification, type Request, type RequestId, writeMessage } from '../protocol/json-rpc.ts'
import type { MethodTable } from '../protocol/methods.ts'
import { explain } from '../protocol/refusal-texts.ts'
import { type Era, negotiate, newestLegacy, revisionOf } from '../protocol/revisions/index.ts'
import { clientFacts, isModern, readModern } from './classify.ts'
import { Conversation, standing } from './conversation.ts'
import { readOrRefuse } from './read-body.ts'
import { refusalResponse } from './refuse.ts'
import { asDelivered, asNotice, Questions } from './rewrites.ts'
import { StandingReply } from './standing-reply.ts'

export interface StdioDoorOptions {
  readonly input: Readable
  readonly output: Writable
  readonly server: string | undefined
  readonly methods: MethodTable
  readonly limits: { readonly bodyBytesMax: number; readonly depthMax: number; readonly batchMax: number }
  /** The client is the operator: why a server cannot be reached stands in the answer, and not in the log alone. */
  readonly saysWhy?: boolean | undefined
  pass(frame: Frame, reply: Reply): Promise<void>
}

const unopened: Omit<Origin, 'session'> = {
  door: 'stdio',
  era: 'legacy',
  version: newestLegacy,
  client: undefined,
  capabilities: {},
  logLevel: undefined,
  remote: undefined,
}

export class StdioDoor {
  readonly #options: StdioDoorOptions
  readonly #conversation = new Conversation({ ...unopened, session: unguessable() })
  readonly #inFlight = new Set<Promise<void>>()
  readonly #credentials: Credentials
  #streaming = false
  /** Settles when the client has closed its end and everything under way has ended. */
  readonly closed: Promise<void>

  constructor(options: StdioDoorOptions) {
    this.#options = options
    this.#credentials = { headers: {}, entrance: options.server }
    const { input, limits } = options
    const lines = new LineSplitter(
      limits.bodyBytesMax,
      (line) => this.#read(line),
      (fault) =>
        this.#refuse(
          fault === 'too-long'
            ? new Refusal('BODY_TOO_LARGE', { detail: limits.bodyBytesMax })
            : new Refusal('PARSE', { detail: 'it is not UTF-8' }),
        ),
    )
    input.on('data', (chunk: Buffer) => lines.push(chunk))
    this.closed = new Promise<void>((resolve) => {
      input.once('end', resolve)
      input.once('close', resolve)
    }).then(() => this.close())
  }

  async close(): Promise<void> {
    this.#conversation.close(new Refusal('SHUTTING_DOWN'))
    await Promise.allSettled([...this.#inFlight])
  }

  #read(line: string): void {
    try {
      const value = parseStrict(line, this.#options.limits.depthMax)
      if (!Array.isArray(value)) return this.#take(readOrRefuse(value))
      const batches =
        revisionOf(this.#conversation.origin.version)?.batches === true &&
        value.length > 0 &&
        value.length <= this.#options.limits.batchMax
      if (!batches) throw new Refusal('INVALID_REQUEST', { detail: 'a message is a JSON object' })
      const messages = value.map(readOrRefuse)
      const alone = messages.some(
        (message) => message.kind !== 'response' && (message.method === 'initialize' || isModern(message, {})),
      )
      if (alone)
        throw new Refusal('INVALID_REQUEST', {
          detail: 'initialize, and a request of a later protocol version, are not part of a batch',
        })
      for (const message of messages) this.#take(message)
    } catch (error) {
      const refusal = error instanceof JsonRefused ? new Refusal('PARSE', { detail: error.message }) : asRefusal(error)
      this.#refuse(refusal, refusal.facts['id'] as RequestId | undefined)
    }
  }

  #take(message: Message): void {
    if (message.kind === 'response') return this.#conversation.answer(message)
    if (message.method === 'notifications/cancelled') return this.#conversation.cancel(message.params)
    const era: Era = isModern(message, {}) ? 'modern' : 'legacy'
    const id = message.kind === 'request' ? message.id : undefined
    try {
      const signal = id === undefined ? unstoppable : (this.#conversation.begin([id]).get(id) as Stop)
      const frame = this.#frame(message, this.#originOf(message, era), signal)
      const run = this.#options.pass(frame, this.#reply(frame, era)).finally(() => {
        if (id !== undefined) this.#conversation.end(id)
        this.#inFlight.delete(run)
      })
      this.#inFlight.add(run)
    } catch (error) {
      this.#refuse(asRefusal(error), id, era)
    }
  }

  #originOf(message: Request | Notification, era: Era): Origin {
    const { origin } = this.#conversation
    if (era === 'modern') return { ...unopened, ...readModern(message), session: undefined }
    if (message.method !== 'initialize') return origin
    this.#conversation.origin = {
      ...origin,
      version: negotiate(message.params['protocolVersion']).version,
      ...clientFacts(message.params),
    }
    return this.#conversation.origin
  }

  #frame(message: Request | Notification, origin: Origin, stop: Stop): Frame {
    return {
      exchange: uniqueName(),
      message,
      server: this.#options.server,
      headers: {},
      credentials: this.#credentials,
      origin,
      stop,
    }
  }

  #reply(frame: Frame, era: Era): Reply {
    const { message, stop } = frame
    const questions = new Questions()
    return {
      deliver: (parcel): Promise<Parcel | undefined> | undefined => {
        if (parcel.method === 'session/streaming' || parcel.method === 'session/paused') return undefined
        if (parcel.leg === 'notice')
          return this.#write({ kind: 'notification', method: parcel.method, params: asNotice(frame, parcel, parcel.body) })
        if (parcel.leg === 'ask' && era === 'legacy')
          return this.#conversation.ask(parcel, stop, (question) => this.#write(question))
        if (parcel.leg === 'ask') return void questions.add(parcel)
        if (message.kind !== 'request') return undefined
        if (parcel.member === 'result') this.#succeeded(message, parcel)
        const body = era === 'modern' ? questions.into(asDelivered(parcel, this.#options.methods)) : parcel.body
        return this.#write({
          kind: 'response',
          id: message.id,
          outcome: parcel.member === 'error' ? 'error' : 'result',
          body: asNotice(frame, parcel, body),
        })
      },
      refuse: (refusal) => {
        if (message.kind === 'request' && refusal.code !== 'CANCELLED')
          this.#write(refusalResponse(this.#options.saysWhy ? withCause(refusal) : refusal, message.id, message.method, era))
      },
    }
  }

  #succeeded(message: Request, parcel: Cleared): void {
    this.#conversation.succeeded(message, parcel)
    if (message.method === 'initialize') queueMicrotask(() => this.#stand())
  }

  #stand(): void {
    if (this.#streaming) return
    this.#streaming = true
    const run = this.#stream().finally(() => {
      this.#streaming = false
      this.#conversation.end(standing)
      this.#inFlight.delete(run)
    })
    this.#inFlight.add(run)
  }

  /** What belongs to no request goes to the client from the moment it is initialised, also when the server falls and is back. */
  async #stream(): Promise<void> {
    const stop = this.#conversation.begin([standing]).get(standing) as Stop
    const backoff = new Backoff()
    let refusal: Refusal | undefined
    do {
      const message: Request = { kind: 'request', id: 'standing', method: 'session/stream', params: {} }
      const frame: Frame = { ...this.#frame(message, this.#conversation.origin, stop), act: true }
      const said = (text: string): Promise<undefined> | undefined => {
        backoff.succeeded()
        return this.#line(text)
      }
      const reply = new StandingReply(frame, this.#conversation, said, () => undefined)
      refusal = undefined
      await this.#options.pass(frame, {
        deliver: (parcel) => reply.deliver(parcel),
        refuse: (reason) => {
          refusal = reason
        },
      })
      if (refusal && !isPassing(refusal)) return
      await backoff.wait(stop)
    } while (!stop.stopped)
  }

  #refuse(refusal: Refusal, id?: Request['id'], era: Era = 'legacy'): void {
    this.#write(refusalResponse(refusal, id, undefined, era))
  }

  #write(message: Message): Promise<undefined> | undefined {
    return this.#line(JSON.stringify(writeMessage(message) satisfies JsonObject))
  }

  #line(text: string): Promise<undefined> | undefined {
    const { output } = this.#options
    return output.write(`${text}\n`) ? undefined : drained(output)
  }
}

/** Of a server that cannot be reached: the operating system's word, how the process ended, or a status of HTTP. */
function withCause(refusal: Refusal): Refusal {
  const { code, facts } = refusal
  if (code !== 'UPSTREAM_UNAVAILABLE' || facts['cause'] === undefined) return refusal
  return new Refusal(code, { ...facts, fix: `Reason: ${facts['cause']}. The gateway's output says more.` })
}

/** What is refused for now, and may pass later: as HTTP says it, too many requests or a server in trouble. */
const isPassing = ({ code, facts }: Refusal): boolean => explain(code, facts).http >= 429
