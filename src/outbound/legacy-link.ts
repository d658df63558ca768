/**
 * A session with a legacy server (2024-11-05 … 2025-11-25): initialised once with one client's own capabilities, ids and
 * progress tokens ours, questions handed through, lost sessions opened again. Serves clients of both eras.
 */
import type { JsonObject } from '../lib/strict-json.ts'
import type { Message, Request, RequestId } from '../protocol/json-rpc.ts'
import { bridgeReply } from '../protocol/bridge/results.ts'
import { discoverFromInitialize } from '../protocol/bridge/discovery.ts'
import { builtInMethods } from '../protocol/methods.ts'
import { isLoud, metaKeys, withMeta, withoutEnvelope } from '../protocol/revisions/2026-07-28/meta.ts'
import { modernVersions, revisionOf } from '../protocol/revisions/index.ts'
import type { Cleared, Judgement } from '../pipeline/judge.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { explain } from '../protocol/errors.ts'
import { Flight, type Timeouts, untimed } from './flight.ts'
import { legacyStream } from './legacy-streams.ts'
import { type Link, type LinkOptions, only, type Parcels } from './link.ts'
import { askParcel, mayAsk, noticeParcel, progressFor, replyParcel, withProgressToken } from './parcels.ts'
import { type SessionWire, type Wire, WireError } from './wire.ts'

/** What the session is opened with: the words of the client it is for. */
export interface Introduction {
  readonly protocolVersion: string
  readonly clientInfo: JsonObject
  readonly capabilities: JsonObject
}

export class LegacyLink implements Link {
  readonly closed: Promise<void>
  readonly #wire: Wire
  readonly #options: LinkOptions
  readonly #introduction: Introduction
  #initialized: Promise<JsonObject> | undefined
  #announced = false
  #nextId = 0
  #logLevel: string | undefined

  constructor(wire: Wire, introduction: Introduction, options: LinkOptions) {
    this.#wire = wire
    this.#introduction = introduction
    this.#options = options
    this.closed = wire.closed
  }

  /** The server's InitializeResult; asked for once. */
  initialize(): Promise<JsonObject> {
    this.#initialized ??= this.#initialize()
    return this.#initialized
  }

  async *forward(call: Cleared, answers: readonly Cleared[], signal: AbortSignal): Parcels {
    const { methods } = this.#options
    const row = methods(call.method)
    const held = this.#options.states.redeem(call).hold
    if (held !== undefined) return yield* this.#resume(held, call, answers, signal)
    const initialized = await this.initialize()
    switch (call.method) {
      case 'initialize':
        return yield* only(replyParcel(call, methods, 'result', initialized))
      case 'server/discover':
        return yield* only(replyParcel(call, methods, 'result', discoverFromInitialize(initialized, modernVersions)))
      case 'ping':
        return yield* only(replyParcel(call, methods, 'result', call.origin.era === 'modern' ? { resultType: 'complete' } : {}))
      case 'session/delete':
        return await this.#endSession()
      case 'notifications/initialized':
        return await this.#announce()
      case 'session/stream':
      case 'subscriptions/listen':
        await this.#announce()
        return yield* legacyStream(this, call, initialized, signal)
    }
    if (row?.era === 'modern') throw new Refusal('UNKNOWN_METHOD', { detail: call.method })
    await this.#announce()
    if (call.leg === 'notice') return await this.#wire.send({ kind: 'notification', method: call.method, params: call.body }, this.#headers())
    await this.#tuneLog(call)
    const flight = await this.#launch(call)
    yield* this.#follow(flight, call, signal)
  }

  async close(): Promise<void> {
    await this.#endSession().catch(() => undefined)
    await this.#wire.close()
  }

  /** A request of our own making within the session; its result, or undefined for an error. */
  async ask(method: string, params: JsonObject): Promise<JsonObject | undefined> {
    const flight = this.#fly({ kind: 'request', id: this.#newId(), method, params }, this.#options.timeouts)
    for (;;) {
      const message = await flight.next()
      if (message.kind === 'response') return message.outcome === 'result' ? message.body : undefined
    }
  }

  /** Messages of the server that belong to no request. */
  events(signal: AbortSignal): Promise<AsyncIterable<Message>> {
    return this.#wire.events(() => this.#headers(), signal)
  }

  get options(): LinkOptions {
    return this.#options
  }

  /** Tells the server the answer to its question, or that there will be none. */
  async answer(id: RequestId, judgement: Judgement | undefined): Promise<void> {
    if (judgement && 'cleared' in judgement) {
      const { member, body } = judgement.cleared
      return this.#wire.send({ kind: 'response', id, outcome: member === 'error' ? 'error' : 'result', body }, this.#headers())
    }
    const { rpc, says } = judgement ? explain(judgement.refused.code, judgement.refused.facts) : explain('UNKNOWN_METHOD', { detail: 'nobody can answer' })
    await this.#wire.send({ kind: 'response', id, outcome: 'error', body: { code: rpc, message: says } }, this.#headers())
  }

  /** A question as a parcel, or undefined after refusing it: unknown, or beyond what the client declared. Pings are answered here. */
  async question(call: Parcel, request: Request): Promise<Parcel | undefined> {
    if (request.method === 'ping') {
      await this.#wire.send({ kind: 'response', id: request.id, outcome: 'result', body: {} }, this.#headers())
      return undefined
    }
    const ask = mayAsk(call, request.method, request.params) ? askParcel(call, request.method, request.params, `q${request.id}`) : undefined
    if (!ask) await this.answer(request.id, undefined)
    return ask
  }

  async *#follow(flight: Flight, call: Cleared, signal: AbortSignal): Parcels {
    const { methods } = this.#options
    const abort = (): void => flight.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    let kept = false
    try {
      for (;;) {
        const message = await flight.next()
        if (message.kind === 'response') {
          if (message.outcome === 'result' && methods(call.method)?.list) this.#options.learn(message.body)
          return yield* only(replyParcel(call, methods, message.outcome, this.#bridged(call, message.body, message.outcome)))
        }
        if (message.kind === 'notification') {
          const notice = this.#notice(call, message)
          if (notice) yield notice
          continue
        }
        if (message.kind === 'stream' || message.kind === 'pause') {
          const { kind, ...body } = message
          if (call.origin.era === 'legacy') yield alongside(call, { leg: 'notice', method: kind === 'stream' ? 'session/streaming' : 'session/paused', concerns: 'server', subject: undefined, member: 'params', body })
          continue
        }
        const ask = await this.question(call, message)
        if (!ask) continue
        const answer = yield ask
        if (answer === undefined) {
          const hold = this.#options.suspended.put({ flight, askId: message.id, question: ask.question as string }, call.principal.id)
          kept = true
          const requestState = this.#options.states.issue(call, { hold })
          return yield* only(alongside(call, { leg: 'result', member: 'result', body: { resultType: 'input_required', requestState } }))
        }
        await this.answer(message.id, answer)
      }
    } finally {
      signal.removeEventListener('abort', abort)
      if (!kept) await flight.close()
    }
  }

  /** A modern client came back with the answer: the call that waits goes on. */
  async *#resume(held: string, call: Cleared, answers: readonly Cleared[], signal: AbortSignal): Parcels {
    const { flight, askId, question } = this.#options.suspended.take(held, call.principal.id)
    const cleared = answers.find((answer) => answer.question === question)
    await this.answer(askId, cleared && { cleared, opinions: [] })
    yield* this.#follow(flight, call, signal)
  }

  #notice(call: Parcel, message: Message & { kind: 'notification' }): Parcel | undefined {
    const notice = message.method === 'notifications/progress' ? progressFor(call, message) : message
    if (!notice) return undefined
    const { era, logLevel } = call.origin
    const silent = era === 'modern' && (logLevel === undefined || !isLoud(notice.params['level'], logLevel))
    return notice.method === 'notifications/message' && silent ? undefined : noticeParcel(call, this.#options.methods, notice)
  }

  #bridged(call: Parcel, body: JsonObject, outcome: 'result' | 'error'): JsonObject {
    return bridgeReply(body, outcome, this.#options.methods(call.method), 'legacy', call.origin.era)
  }

  /** Starts the call. A session that the server has forgotten is opened again, once: it did nothing with the call. */
  async #launch(call: Cleared): Promise<Flight> {
    const id = this.#newId()
    const { inputResponses, requestState, ...rest } = call.origin.era === 'modern' ? withoutEnvelope(call.body) : call.body
    return this.#fly({ kind: 'request', id, method: call.method, params: withProgressToken(rest, id) }, this.#options.timeouts)
  }

  #fly(request: Request, timeouts: Timeouts): Flight {
    const wire = this.#recovering()
    return new Flight(wire, request, {}, timeouts, ({ id, method }) => {
      if (method === 'initialize') return
      const params = { requestId: id, reason: 'cancelled' }
      void this.#wire.send({ kind: 'notification', method: 'notifications/cancelled', params }, this.#headers()).catch(() => undefined)
    })
  }

  /** The wire, with this session's headers, and with a lost session opened again on the way. */
  #recovering(): Wire {
    const wire = this.#wire
    const session = this
    return {
      closed: wire.closed,
      send: (message, headers) => wire.send(message, headers),
      events: (headers, signal) => wire.events(headers, signal),
      close: () => wire.close(),
      async *request(request, options) {
        try {
          return yield* wire.request(request, { ...options, headers: session.#headers() })
        } catch (error) {
          if (!(error instanceof WireError)) throw error
          if (error.status !== 404 || request.method === 'initialize') throw session.#unavailable(error)
          session.#options.log(`the server has forgotten the session (HTTP 404): opening another`)
        }
        session.#initialized = undefined
        session.#announced = false
        await session.initialize()
        await session.#announce()
        yield* wire.request(request, { ...options, headers: session.#headers() })
      },
    }
  }

  async #initialize(): Promise<JsonObject> {
    const { protocolVersion, clientInfo, capabilities } = this.#introduction
    const params = { protocolVersion, capabilities, clientInfo }
    const options = { headers: {}, signal: AbortSignal.timeout(this.#options.timeouts.requestTimeoutMs || 60_000) }
    for await (const message of this.#wire.request({ kind: 'request', id: this.#newId(), method: 'initialize', params }, options)) {
      if (message.kind !== 'response') continue
      if (message.outcome === 'error') throw new NotLegacy(message.body)
      const version = message.body['protocolVersion']
      if (revisionOf(version)?.era !== 'legacy') throw new Refusal('UPSTREAM_INVALID', { detail: `it answered initialize with version ${JSON.stringify(version)}` })
      return message.body
    }
    throw new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.server })
  }

  /** `notifications/initialized`, once a session: when the client says so, or before the first other message. */
  async #announce(): Promise<void> {
    if (this.#announced) return
    this.#announced = true
    await this.#wire.send({ kind: 'notification', method: 'notifications/initialized', params: {} }, await this.#sessionHeaders())
  }

  /** The level a modern request asks for is a property of the legacy session; the louder of two wins, and #notice filters. */
  async #tuneLog(call: Parcel): Promise<void> {
    const level = call.origin.era === 'modern' ? call.origin.logLevel : undefined
    if (level === undefined || (this.#logLevel !== undefined && isLoud(level, this.#logLevel))) return
    this.#logLevel = level
    const { capabilities } = await this.initialize()
    if (capabilities && typeof capabilities === 'object' && 'logging' in capabilities) await this.ask('logging/setLevel', { level })
  }

  async #endSession(): Promise<void> {
    const wire = this.#wire as Partial<SessionWire>
    if (wire.sessionId !== undefined) await wire.endSession?.(this.#headers())
  }

  async #sessionHeaders(): Promise<Record<string, string>> {
    const { protocolVersion } = await this.initialize()
    this.#version = String(protocolVersion)
    return this.#headers()
  }

  #version: string | undefined
  #headers(): Record<string, string> {
    const { sessionId } = this.#wire as Partial<SessionWire>
    return {
      ...(sessionId !== undefined && { 'mcp-session-id': sessionId }),
      ...(this.#version !== undefined && revisionOf(this.#version)?.versionHeader && { 'mcp-protocol-version': this.#version }),
    }
  }

  #newId(): number {
    return ++this.#nextId
  }

  #unavailable(error: WireError): Refusal {
    this.#options.log(`answered ${error.message}`)
    return new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.server })
  }
}

/** The server answered `initialize` with an error: it does not speak the legacy era, or not with us. */
export class NotLegacy extends Error {
  override readonly name = 'NotLegacy'
  readonly error: JsonObject
  constructor(error: JsonObject) {
    super('initialize was answered with an error')
    this.error = error
  }
}
