/**
 * A session with a legacy server (2024-11-05 … 2025-11-25): calls over it with ids and progress tokens of ours, questions handed through,
 * subscriptions counted. Serves clients of both eras.
 */

import type { Queue } from '../lib/queue.ts'
import type { Stop } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { askParcel, mayAsk } from '../pipeline/ask.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared, Judgement } from '../pipeline/judge.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { discoverFromInitialize } from '../protocol/bridge/discovery.ts'
import { bridgeReply } from '../protocol/bridge/results.ts'
import type { Message, Request, RequestId, Response } from '../protocol/json-rpc.ts'
import { explain } from '../protocol/refusal-texts.ts'
import { isLoud, withoutEnvelope } from '../protocol/revisions/2026-07-28/meta.ts'
import { modernVersions } from '../protocol/revisions/index.ts'
import type { Flight } from './flight.ts'
import { type Introduction, LegacySession } from './legacy-session.ts'
import { legacyStream } from './legacy-streams.ts'
import { type Link, type LinkOptions, nothing, only, type Parcels } from './link.ts'
import { noticeParcel, progressFor, replyParcel, withProgressToken } from './parcels.ts'
import { Subscribers } from './subscribers.ts'
import type { Hold } from './suspended.ts'
import type { StreamEvent, Wire } from './wire.ts'

export class LegacyLink implements Link {
  readonly closed: Promise<void>
  readonly #wire: Wire
  readonly #session: LegacySession
  readonly #options: LinkOptions
  readonly #subscribers = new Subscribers()

  constructor(wire: Wire, introduction: Introduction, options: LinkOptions) {
    this.#wire = wire
    this.#session = new LegacySession(wire, introduction, options)
    this.#options = options
    this.closed = wire.closed
  }

  forward(call: Cleared, answers: readonly Cleared[], stop: Stop): Flow {
    const { states, suspended, methods } = this.#options
    const held = states.redeem(call).hold
    if (held !== undefined) return suspended.take(held, call.principal.holder).resume(call, answers, stop)
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

  /** The server's InitializeResult; asked for once. */
  initialize(): Promise<JsonObject> {
    return this.#session.initialize()
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  /** Subscribes to a resource for one follower of several. */
  async follow(uri: string, follower: unknown): Promise<void> {
    if (this.#subscribers.add(uri, follower)) await this.#session.ask('resources/subscribe', { uri })
  }

  /** Unsubscribes from what this one followed and nobody else does. */
  async unfollow(follower: unknown): Promise<void> {
    for (const uri of this.#subscribers.removeAll(follower))
      await this.#session.ask('resources/unsubscribe', { uri }).catch(() => undefined)
  }

  /** Messages of the server that belong to no request. */
  events(stop: Stop): Promise<Queue<Message>> {
    return this.#wire.events(() => this.#session.headers(), stop)
  }

  get options(): LinkOptions {
    return this.#options
  }

  /** Tells the server the answer to its question, or that there will be none. */
  async answer(id: RequestId, judgement: Judgement | undefined): Promise<void> {
    if (judgement && 'cleared' in judgement) {
      const { member, body } = judgement.cleared
      return this.#session.send({ kind: 'response', id, outcome: member === 'error' ? 'error' : 'result', body })
    }
    const { rpc, says } = judgement
      ? explain(judgement.refused.code, judgement.refused.facts)
      : explain('UNKNOWN_METHOD', { detail: 'nobody can answer' })
    await this.#session.send({ kind: 'response', id, outcome: 'error', body: { code: rpc, message: says } })
  }

  /** A question as a parcel, or undefined after refusing it: unknown, or beyond what the client declared. Pings are answered here. */
  async question(call: Parcel, request: Request): Promise<Parcel | undefined> {
    if (request.method === 'ping') {
      await this.#session.send({ kind: 'response', id: request.id, outcome: 'result', body: {} })
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
    await this.#session.announce()
    yield* legacyStream(this, call, initialized, stop)
  }

  /** Something that expects no answer. */
  #told(call: Cleared): Flow {
    return nothing(async () => {
      await this.#session.announce()
      const { method, body: params } = call
      if (method !== 'notifications/initialized') await this.#session.send({ kind: 'notification', method, params })
    })
  }

  #call(call: Cleared, stop: Stop): Flow {
    return this.#follow(() => this.#launch(call), call, stop)
  }

  async #launch(call: Cleared): Promise<Flight> {
    if (!this.#session.announced) await this.#session.announce()
    if (call.origin.era === 'modern' && call.origin.logLevel !== undefined) await this.#session.tuneLog(call.origin.logLevel)
    const id = this.#session.newId()
    const params = call.origin.era === 'modern' ? legacyParams(call.body) : call.body
    return this.#session.fly({ kind: 'request', id, method: call.method, params: withProgressToken(params, id) })
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
    const hold = this.#options.suspended.put({ flight, resume }, call.principal.holder)
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
}

/** What a modern client sent, without what only its own era has. */
function legacyParams(body: JsonObject): JsonObject {
  const { inputResponses, requestState, ...params } = withoutEnvelope(body)
  return params
}

/** A session, or a modern client's principal. */
const followerOf = ({ principal, origin }: Parcel): string => `${principal.holder}\n${origin.session}`

function streamEvent(call: Parcel, { kind, ...body }: StreamEvent): Parcel | undefined {
  if (call.origin.era === 'modern') return undefined
  const method = kind === 'stream' ? 'session/streaming' : 'session/paused'
  return alongside(call, { leg: 'notice', method, concerns: 'server', subject: undefined, member: 'params', body })
}
