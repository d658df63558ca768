/**
 * A conversation with a modern server (2026-07-28): stateless, every request complete in itself. Serves clients of both
 * eras; for a legacy client the server's questions become requests, and their answers a retry.
 */
import type { Stop } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { askParcel, mayAsk } from '../pipeline/ask.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { initializeFromDiscover } from '../protocol/bridge/discovery.ts'
import { isObject, type Notification, type Request, type Response } from '../protocol/json-rpc.ts'
import { requestHeaders } from '../protocol/revisions/2026-07-28/headers.ts'
import { metaKeys, withMeta } from '../protocol/revisions/2026-07-28/meta.ts'
import type { Declaration } from '../protocol/revisions/2026-07-28/param-headers.ts'
import { modern } from '../protocol/revisions/index.ts'
import { Flight, type Timeouts, untimed } from './flight.ts'
import { type Link, type LinkOptions, only, type Parcels } from './link.ts'
import { Subscriptions } from './modern-streams.ts'
import { noticeParcel, progressFor, replyParcel, withProgressToken } from './parcels.ts'
import { withoutInvalidTools } from './tool-catalog.ts'
import type { Wire } from './wire.ts'

export interface ModernOptions extends LinkOptions {
  /** The `x-mcp-header` declarations of a tool, from the list this caller may see; `fresh` asks the server again. */
  declarations(call: Parcel, fresh: boolean): readonly Declaration[] | Promise<readonly Declaration[]>
}

const roundsMax = 16

export class ModernLink implements Link {
  readonly closed: Promise<void>
  readonly #wire: Wire
  readonly #options: ModernOptions
  readonly #subscriptions = new Subscriptions()
  #nextId = 0

  constructor(wire: Wire, options: ModernOptions) {
    this.#wire = wire
    this.#options = options
    this.closed = wire.closed
  }

  get options(): LinkOptions {
    return this.#options
  }

  forward(call: Cleared, answers: readonly Cleared[], stop: Stop): Flow {
    const { methods } = this.#options
    if (call.origin.era === 'legacy') {
      switch (call.method) {
        case 'initialize':
          return this.#initialize(call, stop)
        case 'session/stream':
          return this.#subscriptions.stream(this, call, stop)
        case 'session/delete':
          this.#subscriptions.forget(call)
          return only()
        case 'resources/subscribe':
        case 'resources/unsubscribe':
          this.#subscriptions.change(call)
          return only(replyParcel(call, methods, 'result', {}))
        case 'logging/setLevel':
        case 'ping':
          return only(replyParcel(call, methods, 'result', {}))
      }
    }
    if (call.leg === 'notice') return only() // this revision has no notices from client to server
    if (methods(call.method)?.era === 'legacy') throw new Refusal('UNKNOWN_METHOD', { detail: call.method })
    return this.#call(call, answers, stop)
  }

  close(): Promise<void> {
    return this.#wire.close()
  }

  /** A flight of the given parameters with the envelope of the call's sender, and headers derived from both. */
  fly(call: Parcel, method: string, params: JsonObject, timeouts: Timeouts, declared: readonly Declaration[] = []): Flight {
    const request: Request = { kind: 'request', id: ++this.#nextId, method, params: this.#enveloped(call, params) }
    const row = this.#options.methods(method)
    const headers = { ...call.paramHeaders, ...requestHeaders(modern.version, method, row, request.params, declared) }
    return new Flight(
      this.#wire,
      { ...request, params: withProgressToken(request.params, request.id) },
      headers,
      timeouts,
      ({ id }) => {
        if (this.#options.http) return // closing the stream says it
        const notice = { kind: 'notification', method: 'notifications/cancelled', params: { requestId: id } } as const
        void this.#wire.send(notice, {}).catch(() => undefined)
      },
    )
  }

  /** The call, as often as the server asks something that the client answers at once. */
  async *#call(call: Cleared, answers: readonly Cleared[], stop: Stop): Parcels {
    const params = withoutAnswers(call.body)
    let given = this.#given(this.#options.states.redeem(call).upstream, answers, call.body['inputResponses'] !== undefined)
    let fresh = false
    for (let round = 0; round < roundsMax; round++) {
      const flight = await this.#launch(call, given ? { ...params, ...given } : params, fresh)
      flight.heed(stop)
      let reply: Response
      try {
        let step = await this.#next(flight, call)
        while (!('kind' in step)) {
          yield step
          step = await this.#next(flight, call)
        }
        reply = step
      } finally {
        await flight.close()
      }
      if (!fresh && this.#isStale(reply)) {
        fresh = true
        continue
      }
      if (reply.outcome === 'error' || reply.body['resultType'] !== 'input_required') {
        if (reply.outcome === 'result' && this.#options.methods(call.method)?.list) this.#options.learn(call, reply.body)
        yield replyParcel(
          call,
          this.#options.methods,
          reply.outcome,
          this.#options.http ? withoutInvalidTools(reply.body, this.#options.log) : reply.body,
        )
        return
      }
      const answered = yield* this.#ask(call, reply.body)
      const upstream = stateOf(reply.body)
      if (answered === 'elsewhere') {
        const { inputRequests, ...rest } = reply.body
        yield alongside(call, {
          leg: 'result',
          member: 'result',
          body: { ...rest, requestState: this.#options.states.issue(call, { upstream }) },
        })
        return
      }
      given = { inputResponses: answered, ...(upstream !== undefined && { requestState: upstream }) }
    }
    throw new Refusal('UPSTREAM_INVALID', { detail: `it asked more than ${roundsMax} times` })
  }

  #given(upstream: string | undefined, answers: readonly Cleared[], answering: boolean): JsonObject | undefined {
    if (!answering && upstream === undefined) return undefined
    return {
      ...(answering && { inputResponses: Object.fromEntries(answers.map((answer) => [answer.question as string, answer.body])) }),
      ...(upstream !== undefined && { requestState: upstream }),
    }
  }

  #launch(call: Cleared, params: JsonObject, fresh: boolean): Promise<Flight> | Flight {
    const timeouts = call.method === 'subscriptions/listen' ? untimed : this.#options.timeouts
    if (!this.#options.http || call.concerns !== 'tool') return this.fly(call, call.method, params, timeouts)
    const declared = this.#options.declarations(call, fresh)
    const fly = (known: readonly Declaration[]): Flight => this.fly(call, call.method, params, timeouts, known)
    return declared instanceof Promise ? declared.then(fly) : fly(declared)
  }

  /** What comes next of a flight: a notice to pass on, or the reply. */
  async #next(flight: Flight, call: Cleared): Promise<Parcel | Response> {
    for (;;) {
      const message = await flight.next()
      if (message.kind === 'response') return message
      if (message.kind !== 'notification') continue // the stream itself; and a modern server sends no requests
      const notice = message.method === 'notifications/progress' ? progressFor(call, message) : message
      const parcel = notice && isAudible(call, notice) ? noticeParcel(call, this.#options.methods, notice) : undefined
      if (parcel) return parcel
    }
  }

  /** The server refuses our headers: its schema has changed since we read it (2026-07-28, Client Behavior). */
  #isStale({ outcome, body }: Response): boolean {
    return this.#options.http && outcome === 'error' && body['code'] === -32020
  }

  /** The server's questions, one by one. 'elsewhere': the client will answer with its next request. */
  async *#ask(call: Cleared, body: JsonObject): Parcels<JsonObject | 'elsewhere'> {
    const asked = isObject(body['inputRequests']) ? body['inputRequests'] : {}
    const answered: Record<string, JsonObject> = {}
    let elsewhere = Object.keys(asked).length === 0 && call.origin.era === 'modern'
    for (const [question, request] of Object.entries(asked)) {
      const { method, params = {} } = isObject(request) ? request : {}
      if (typeof method !== 'string' || !isObject(params))
        throw new Refusal('UPSTREAM_INVALID', { detail: 'an inputRequests entry is not a request' })
      const ask = mayAsk(call, method, params) ? askParcel(call, this.#options.methods, method, params, question) : undefined
      if (!ask) throw new Refusal('MISSING_CAPABILITY', { detail: method })
      const judgement = yield ask
      if (judgement === undefined) elsewhere = true
      else if ('refused' in judgement) throw judgement.refused
      else if (judgement.cleared.member === 'error')
        throw new Refusal('INVALID_PARAMS', { detail: `the question of the server (${method}) was not answered` })
      else answered[question] = judgement.cleared.body
    }
    return elsewhere ? 'elsewhere' : answered
  }

  async *#initialize(call: Cleared, stop: Stop): Parcels {
    const flight = this.fly(call, 'server/discover', {}, this.#options.timeouts)
    flight.heed(stop)
    try {
      let step = await this.#next(flight, call)
      while (!('kind' in step)) step = await this.#next(flight, call)
      const body = step.outcome === 'result' ? initializeFromDiscover(step.body, call.origin.version) : step.body
      yield replyParcel(call, this.#options.methods, step.outcome, body)
    } finally {
      await flight.close()
    }
  }

  #enveloped(call: Parcel, params: JsonObject): JsonObject {
    const { client, capabilities, logLevel, era } = call.origin
    if (era === 'modern' && params['_meta'] !== undefined) return params // its own envelope, from which the origin was read
    return withMeta(params, {
      [metaKeys.protocolVersion]: modern.version,
      [metaKeys.clientCapabilities]: capabilities,
      ...(client && { [metaKeys.clientInfo]: client }),
      ...(logLevel !== undefined && { [metaKeys.logLevel]: logLevel }),
    })
  }
}

/** `params` without what belongs to the conversation about them and not to the call. */
function withoutAnswers(body: JsonObject): JsonObject {
  if (body['inputResponses'] === undefined && body['requestState'] === undefined) return body
  const { inputResponses, requestState, ...params } = body
  return params
}

/** Log messages go to whoever asked for them, and to nobody else (2026-07-28, Logging). */
const isAudible = (call: Parcel, notice: Notification): boolean =>
  notice.method !== 'notifications/message' || call.origin.logLevel !== undefined

function stateOf(body: JsonObject): string | undefined {
  const state = body['requestState']
  if (state !== undefined && typeof state !== 'string')
    throw new Refusal('UPSTREAM_INVALID', { detail: 'requestState is not a string' })
  return state
}
