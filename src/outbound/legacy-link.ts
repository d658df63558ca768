/**
 * A session with a legacy server (2024-11-05 … 2025-11-25): initialised once with one client's own capabilities, ids and
 * progress tokens ours, questions handed through, lost sessions opened again. Serves clients of both eras.
 */

import type { Queue } from '../lib/queue.ts'
import { inTime, type Stop, unlessStopped } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { askParcel, mayAsk } from '../pipeline/ask.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared, Judgement } from '../pipeline/judge.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { discoverFromInitialize } from '../protocol/bridge/discovery.ts'
import { bridgeReply } from '../protocol/bridge/results.ts'
import { explain } from '../protocol/errors.ts'
import type { Message, Request, RequestId, Response } from '../protocol/json-rpc.ts'
import { isLoud, withoutEnvelope } from '../protocol/revisions/2026-07-28/meta.ts'
import { modernVersions, revisionOf } from '../protocol/revisions/index.ts'
import { Flight, type Timeouts } from './flight.ts'
import { legacyStream } from './legacy-streams.ts'
import { type Link, type LinkOptions, nothing, only, type Parcels } from './link.ts'
import { noticeParcel, progressFor, replyParcel, withProgressToken } from './parcels.ts'
import { Subscribers } from './subscribers.ts'
import type { Hold } from './suspended.ts'
import { type SessionWire, type StreamEvent, type Wire, WireError } from './wire.ts'

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
  readonly #subscribers = new Subscribers()
  #initialized: Promise<JsonObject> | undefined
  #announcing: Promise<void> | undefined
  #announced = false
  #reopening: Promise<void> | undefined
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
    this.#initialized ??= this.#initialize().catch((error: unknown) => {
      this.#initialized = undefined
      throw error
    })
    return this.#initialized
  }

  forward(call: Cleared, answers: readonly Cleared[], stop: Stop): Flow {
    const { states, suspended, methods } = this.#options
    const held = states.redeem(call).hold
    if (held !== undefined) return suspended.take(held, call.principal.id).resume(call, answers, stop)
    switch (call.method) {
      case 'initialize':
        return this.#said(call, (initialized) => initialized)
      case 'server/discover':
        return this.#said(call, (initialized) => discoverFromInitialize(initialized, modernVersions))
      case 'ping':
        return only(replyParcel(call, methods, 'result', {}))
      case 'notifications/initialized':
        return this.#told(call)
      case 'resources/subscribe':
        this.#subscribers.add(call.subject as string, followerOf(call))
        break
      case 'resources/unsubscribe':
        if (this.#subscribers.remove(call.subject as string, followerOf(call))) break
        return only(replyParcel(call, methods, 'result', {}))
      case 'session/delete':
        return nothing(() => this.unfollow(followerOf(call)))
      case 'session/stream':
      case 'subscriptions/listen':
        return this.#streamed(call, stop)
    }
    if (call.leg === 'notice' && call.origin.era === 'modern') return only() // it would speak of ids that are not the server's
    if (methods(call.method)?.era === 'modern') throw new Refusal('UNKNOWN_METHOD', { detail: call.method })
    return call.leg === 'notice' ? this.#told(call) : this.#call(call, stop)
  }

  async close(): Promise<void> {
    await this.#endSession().catch(() => undefined)
    await this.#wire.close()
  }

  /** A request of our own making within the session; its result, or undefined for an error. */
  async ask(method: string, params: JsonObject): Promise<JsonObject | undefined> {
    const { outcome, body } = await responseOf(this.#fly({ kind: 'request', id: this.#newId(), method, params }))
    return outcome === 'result' ? body : undefined
  }

  /** Subscribes to a resource for one follower of several. */
  async follow(uri: string, follower: unknown): Promise<void> {
    if (this.#subscribers.add(uri, follower)) await this.ask('resources/subscribe', { uri })
  }

  /** Unsubscribes from what this one followed and nobody else does. */
  async unfollow(follower: unknown): Promise<void> {
    for (const uri of this.#subscribers.removeAll(follower))
      await this.ask('resources/unsubscribe', { uri }).catch(() => undefined)
  }

  /** Messages of the server that belong to no request. */
  events(stop: Stop): Promise<Queue<Message>> {
    return this.#wire.events(() => this.#headers(), stop)
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
    const { rpc, says } = judgement
      ? explain(judgement.refused.code, judgement.refused.facts)
      : explain('UNKNOWN_METHOD', { detail: 'nobody can answer' })
    await this.#wire.send({ kind: 'response', id, outcome: 'error', body: { code: rpc, message: says } }, this.#headers())
  }

  /** A question as a parcel, or undefined after refusing it: unknown, or beyond what the client declared. Pings are answered here. */
  async question(call: Parcel, request: Request): Promise<Parcel | undefined> {
    if (request.method === 'ping') {
      await this.#wire.send({ kind: 'response', id: request.id, outcome: 'result', body: {} }, this.#headers())
      return undefined
    }
    const ask = mayAsk(call, request.method, request.params)
      ? askParcel(call, this.#options.methods, request.method, request.params, `q${request.id}`)
      : undefined
    if (!ask) await this.answer(request.id, undefined)
    return ask
  }

  async *#said(call: Cleared, say: (initialized: JsonObject) => JsonObject): Parcels {
    yield replyParcel(call, this.#options.methods, 'result', say(await this.initialize()))
  }

  async *#streamed(call: Cleared, stop: Stop): Parcels {
    const initialized = await this.initialize()
    await this.#announce()
    yield* legacyStream(this, call, initialized, stop)
  }

  /** Something that expects no answer. */
  #told(call: Cleared): Flow {
    return nothing(async () => {
      await this.#announce()
      const { method, body: params } = call
      if (method !== 'notifications/initialized') await this.#wire.send({ kind: 'notification', method, params }, this.#headers())
    })
  }

  #call(call: Cleared, stop: Stop): Flow {
    return this.#follow(() => this.#launch(call), call, stop)
  }

  async #launch(call: Cleared): Promise<Flight> {
    if (!this.#announced) await this.#announce()
    if (call.origin.logLevel !== undefined) await this.#tuneLog(call)
    const id = this.#newId()
    const params = call.origin.era === 'modern' ? legacyParams(call.body) : call.body
    return this.#fly({ kind: 'request', id, method: call.method, params: withProgressToken(params, id) })
  }

  async *#follow(launch: () => Promise<Flight>, call: Cleared, stop: Stop): Parcels {
    const flight = await launch()
    flight.heed(stop)
    let kept = false
    try {
      for (;;) {
        const message = await flight.next()
        if (message.kind === 'response') {
          yield this.#reply(call, message)
          return
        }
        if (message.kind !== 'request') {
          const notice = message.kind === 'notification' ? this.#notice(call, message) : streamEvent(call, message)
          if (notice) yield notice
          continue
        }
        const ask = await this.question(call, message)
        if (!ask) continue
        const answer = yield ask
        if (answer === undefined && call.origin.era === 'modern' && this.#options.methods(call.method)?.mayAsk) {
          kept = true
          yield this.#suspend(flight, call, message.id, ask)
          return
        }
        await this.answer(message.id, answer)
      }
    } finally {
      if (kept) flight.heed(undefined)
      else await flight.close()
    }
  }

  #reply(call: Cleared, { outcome, body }: Response): Parcel {
    const row = this.#options.methods(call.method)
    if (row?.list && outcome === 'result') this.#options.learn(call, body)
    return replyParcel(call, this.#options.methods, outcome, bridgeReply(body, outcome, row, 'legacy', call.origin.era))
  }

  /** The client will bring the answer with its next request: the call waits, and the client is told. */
  #suspend(flight: Flight, call: Cleared, askId: RequestId, ask: Parcel): Parcel {
    const question = ask.question as string
    const resume: Hold['resume'] = (again, answers, stop) => {
      const cleared = answers.find((answer) => answer.question === question)
      const answered = async (): Promise<Flight> => {
        await this.answer(askId, cleared && { cleared, opinions: [] })
        return flight
      }
      return this.#follow(answered, again, stop)
    }
    const hold = this.#options.suspended.put({ flight, resume }, call.principal.id)
    const requestState = this.#options.states.issue(call, { hold })
    return alongside(call, { leg: 'result', member: 'result', body: { resultType: 'input_required', requestState } })
  }

  #notice(call: Parcel, message: Message & { kind: 'notification' }): Parcel | undefined {
    const notice = message.method === 'notifications/progress' ? progressFor(call, message) : message
    if (!notice) return undefined
    const { era, logLevel } = call.origin
    const silent = era === 'modern' && (logLevel === undefined || !isLoud(notice.params['level'], logLevel))
    return notice.method === 'notifications/message' && silent ? undefined : noticeParcel(call, this.#options.methods, notice)
  }

  #fly(request: Request): Flight {
    return new Flight(this.#recovering, request, {}, this.#options.timeouts, ({ id }) => {
      const params = { requestId: id, reason: 'cancelled' }
      void this.#wire
        .send({ kind: 'notification', method: 'notifications/cancelled', params }, this.#headers())
        .catch(() => undefined)
    })
  }

  /** The wire, with this session's headers. A session that the server has forgotten is opened again: it did nothing with the request. */
  readonly #recovering: Pick<Wire, 'request'> = {
    request: async (request, _headers, stop) => {
      const { sessionId } = this.#wire as Partial<SessionWire>
      try {
        return await this.#wire.request(request, this.#headers(), stop)
      } catch (error) {
        if (!(error instanceof WireError) || error.status !== 404) throw error
      }
      if ((this.#wire as Partial<SessionWire>).sessionId === sessionId) this.#reopening ??= this.#reopen()
      await this.#reopening
      return this.#wire.request(request, this.#headers(), stop)
    },
  }

  async #reopen(): Promise<void> {
    this.#options.log('the server has forgotten the session (HTTP 404): opening another')
    this.#initialized = undefined
    this.#announced = false
    try {
      await this.#announce()
    } finally {
      this.#reopening = undefined
    }
  }

  async #initialize(): Promise<JsonObject> {
    const { protocolVersion, clientInfo, capabilities } = this.#introduction
    const params = { protocolVersion, capabilities, clientInfo }
    const flight = new Flight(
      this.#wire,
      { kind: 'request', id: this.#newId(), method: 'initialize', params },
      {},
      openingTimeouts(this.#options),
      () => undefined,
    )
    const { outcome, body } = await responseOf(flight)
    if (outcome === 'error') throw new NotLegacy(body)
    const version = body['protocolVersion']
    if (revisionOf(version)?.era !== 'legacy')
      throw new Refusal('UPSTREAM_INVALID', { detail: `it answered initialize with version ${JSON.stringify(version)}` })
    return body
  }

  /** `notifications/initialized`, once a session: when the client says so, or before the first other message. */
  async #announce(): Promise<void> {
    if (this.#announced) return
    this.#announcing ??= this.#sayInitialized().finally(() => {
      this.#announcing = undefined
    })
    const announcing = this.#announcing
    const { requestTimeoutMs } = this.#options.timeouts
    const late = (): Refusal => new Refusal('UPSTREAM_TIMEOUT', { detail: requestTimeoutMs })
    await inTime(requestTimeoutMs, late, (stop) => unlessStopped(stop, announcing))
  }

  async #sayInitialized(): Promise<void> {
    const headers = await this.#sessionHeaders()
    await this.#wire.send({ kind: 'notification', method: 'notifications/initialized', params: {} }, headers).finally(() => {
      this.#announced = true // said once, also to a server that makes a fault of it
    })
  }

  /** The level a modern request asks for is a property of the legacy session; the louder of two wins, and #notice filters. */
  async #tuneLog(call: Parcel): Promise<void> {
    const level = call.origin.era === 'modern' ? call.origin.logLevel : undefined
    if (level === undefined || (this.#logLevel !== undefined && isLoud(level, this.#logLevel))) return
    this.#logLevel = level
    const { capabilities } = await this.initialize()
    if (capabilities && typeof capabilities === 'object' && 'logging' in capabilities)
      await this.ask('logging/setLevel', { level })
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
}

/** What a modern client sent, without what only its own era has. */
function legacyParams(body: JsonObject): JsonObject {
  const { inputResponses, requestState, ...params } = withoutEnvelope(body)
  return params
}

/** A process needs time to start, however quick its answers are expected to be. */
const openingTimeouts = ({ http, timeouts }: LinkOptions): Timeouts =>
  http
    ? timeouts
    : {
        requestTimeoutMs: Math.max(startMsMax, timeouts.requestTimeoutMs),
        requestTimeoutMsMax: Math.max(startMsMax, timeouts.requestTimeoutMsMax),
      }
const startMsMax = 15_000

/** The response, whatever comes before it. */
async function responseOf(flight: Flight): Promise<Response> {
  for (;;) {
    const message = await flight.next()
    if (message.kind === 'response') return message
  }
}

/** A session, or a modern client's principal. */
const followerOf = ({ principal, origin }: Parcel): string => `${principal.id}\n${origin.session}`

function streamEvent(call: Parcel, { kind, ...body }: StreamEvent): Parcel | undefined {
  if (call.origin.era === 'modern') return undefined
  const method = kind === 'stream' ? 'session/streaming' : 'session/paused'
  return alongside(call, { leg: 'notice', method, concerns: 'server', subject: undefined, member: 'params', body })
}

/** The server answered `initialize` with an error: it does not speak the legacy era, or not with us. */
export class NotLegacy extends Error {
  override readonly name = 'NotLegacy'
  /** Of the server's JSON-RPC error. */
  readonly code: number
  constructor({ code }: JsonObject) {
    super('initialize was answered with an error')
    this.code = Number(code)
  }
}
