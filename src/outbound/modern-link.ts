/**
 * A conversation with a modern server (2026-07-28): stateless, every request complete in itself. Serves clients of both
 * eras; for a legacy client the server's questions become requests, and their answers a retry.
 */
import type { JsonObject } from '../lib/strict-json.ts'
import { isObject, type Message, type Outcome, type Request } from '../protocol/json-rpc.ts'
import { initializeFromDiscover } from '../protocol/bridge/discovery.ts'
import { metaKeys, withMeta } from '../protocol/revisions/2026-07-28/meta.ts'
import { requestHeaders } from '../protocol/revisions/2026-07-28/headers.ts'
import type { Declaration } from '../protocol/revisions/2026-07-28/param-headers.ts'
import { modern } from '../protocol/revisions/index.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { Flight, type Timeouts, untimed } from './flight.ts'
import { type Link, type LinkOptions, only, type Parcels } from './link.ts'
import { Subscriptions } from './modern-streams.ts'
import { askParcel, mayAsk, noticeParcel, progressFor, replyParcel, withProgressToken } from './parcels.ts'
import type { Wire } from './wire.ts'

export interface ModernOptions extends LinkOptions {
  /** The `x-mcp-header` declarations of a tool, from the list this caller may see; `fresh` asks the server again. */
  declarations(call: Parcel, fresh: boolean): Promise<readonly Declaration[]>
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

  async *forward(call: Cleared, answers: readonly Cleared[], signal: AbortSignal): Parcels {
    const { methods } = this.#options
    const row = methods(call.method)
    if (call.origin.era === 'legacy') {
      switch (call.method) {
        case 'initialize':
          return yield* this.#initialize(call, signal)
        case 'session/stream':
          return yield* this.#subscriptions.stream(this, call, signal)
        case 'session/delete':
          return this.#subscriptions.forget(call)
        case 'resources/subscribe':
        case 'resources/unsubscribe':
          this.#subscriptions.change(call)
          return yield* only(replyParcel(call, methods, 'result', {}))
        case 'logging/setLevel':
          return yield* only(replyParcel(call, methods, 'result', {}))
      }
    }
    if (call.method === 'ping') return yield* only(replyParcel(call, methods, 'result', call.origin.era === 'modern' ? { resultType: 'complete' } : {}))
    if (call.leg === 'notice') return // this revision has no notices from client to server
    if (row?.era === 'legacy') throw new Refusal('UNKNOWN_METHOD', { detail: call.method })
    yield* this.#call(call, answers, signal)
  }

  close(): Promise<void> {
    return this.#wire.close()
  }

  /** A flight of the given parameters with the envelope of the call's sender, and headers derived from both. */
  fly(call: Parcel, method: string, params: JsonObject, timeouts: Timeouts, declared: readonly Declaration[] = []): Flight {
    const request: Request = { kind: 'request', id: ++this.#nextId, method, params: this.#enveloped(call, params) }
    const row = this.#options.methods(method)
    const headers = { ...call.strayHeaders, ...requestHeaders(modern.version, method, row, request.params, declared) }
    return new Flight(this.#wire, { ...request, params: withProgressToken(request.params, request.id) }, headers, timeouts, ({ id }) => {
      if (this.#options.http) return // closing the stream says it
      const notice = { kind: 'notification', method: 'notifications/cancelled', params: { requestId: id } } as const
      void this.#wire.send(notice, {}).catch(() => undefined)
    })
  }

  async *#call(call: Cleared, answers: readonly Cleared[], signal: AbortSignal): Parcels {
    const { inputResponses, requestState, ...params } = call.body
    let given: JsonObject = this.#given(this.#options.states.redeem(call).upstream, answers, inputResponses !== undefined)
    for (let round = 0; round < roundsMax; round++) {
      const reply = yield* this.#round(call, { ...params, ...given }, signal)
      if (reply.body['resultType'] !== 'input_required' || reply.outcome === 'error') {
        return yield* only(replyParcel(call, this.#options.methods, reply.outcome, reply.body))
      }
      const answered = yield* this.#ask(call, reply.body)
      const upstream = reply.body['requestState']
      if (upstream !== undefined && typeof upstream !== 'string') throw new Refusal('UPSTREAM_INVALID', { detail: 'requestState is not a string' })
      if (answered === 'elsewhere') {
        const { inputRequests, ...rest } = reply.body
        const body = { ...rest, requestState: this.#options.states.issue(call, { upstream }) }
        return yield* only(alongside(call, { leg: 'result', member: 'result', body }))
      }
      given = { inputResponses: answered, ...(upstream !== undefined && { requestState: upstream }) }
    }
    throw new Refusal('UPSTREAM_INVALID', { detail: `it asked more than ${roundsMax} times` })
  }

  #given(upstream: string | undefined, answers: readonly Cleared[], answering: boolean): JsonObject {
    return {
      ...(answering && { inputResponses: Object.fromEntries(answers.map((answer) => [answer.question as string, answer.body])) }),
      ...(upstream !== undefined && { requestState: upstream }),
    }
  }

  /** One request to the server and its reply; notices on the way are yielded. A stale header schema is renewed, once. */
  async *#round(call: Cleared, params: JsonObject, signal: AbortSignal): Parcels<{ outcome: Outcome; body: JsonObject }> {
    const timeouts = call.method === 'subscriptions/listen' ? untimed : this.#options.timeouts
    for (const fresh of [false, true]) {
      const declared = this.#options.http && call.concerns === 'tool' ? await this.#options.declarations(call, fresh) : []
      const flight = this.fly(call, call.method, params, timeouts, declared)
      const abort = (): void => flight.abort(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
      try {
        for (;;) {
          const message = await flight.next()
          if (message.kind === 'notification') {
            const notice = message.method === 'notifications/progress' ? progressFor(call, message) : message
            const parcel = notice && this.#audible(call, notice) ? noticeParcel(call, this.#options.methods, notice) : undefined
            if (parcel) yield parcel
          }
          if (message.kind !== 'response') continue
          const stale = message.outcome === 'error' && message.body['code'] === -32020 && this.#options.http && !fresh
          if (stale) break
          if (message.outcome === 'result' && this.#options.methods(call.method)?.list) this.#options.learn(message.body)
          return { outcome: message.outcome, body: message.body }
        }
      } finally {
        signal.removeEventListener('abort', abort)
        await flight.close()
      }
    }
    throw new Refusal('UPSTREAM_INVALID', { detail: 'it refuses the headers that its own schema asks for' })
  }

  /** The server's questions, one by one. 'elsewhere': the client will answer with its next request. */
  async *#ask(call: Cleared, body: JsonObject): Parcels<JsonObject | 'elsewhere'> {
    const asked = isObject(body['inputRequests']) ? body['inputRequests'] : {}
    const answered: Record<string, JsonObject> = {}
    let elsewhere = Object.keys(asked).length === 0 && call.origin.era === 'modern'
    for (const [question, request] of Object.entries(asked)) {
      const { method, params = {} } = isObject(request) ? request : {}
      if (typeof method !== 'string' || !isObject(params)) throw new Refusal('UPSTREAM_INVALID', { detail: 'an inputRequests entry is not a request' })
      const ask = mayAsk(call, method, params) ? askParcel(call, method, params, question) : undefined
      if (!ask) throw new Refusal('MISSING_CAPABILITY', { detail: method })
      const judgement = yield ask
      if (judgement === undefined) elsewhere = true
      else if ('refused' in judgement) throw judgement.refused
      else if (judgement.cleared.member === 'error') throw new Refusal('INVALID_PARAMS', { detail: `the question of the server (${method}) was not answered` })
      else answered[question] = judgement.cleared.body
    }
    return elsewhere ? 'elsewhere' : answered
  }

  async *#initialize(call: Cleared, signal: AbortSignal): Parcels {
    const discover = alongside(call, { leg: 'call', method: 'server/discover', body: {} }) as Cleared
    const reply = yield* this.#round(discover, {}, signal)
    const body = reply.outcome === 'result' ? initializeFromDiscover(reply.body, call.origin.version) : reply.body
    yield replyParcel(call, this.#options.methods, reply.outcome, body)
  }

  #audible(call: Parcel, notice: Message & { kind: 'notification' }): boolean {
    return notice.method !== 'notifications/message' || call.origin.logLevel !== undefined
  }

  #enveloped(call: Parcel, params: JsonObject): JsonObject {
    const { client, capabilities, logLevel } = call.origin
    return withMeta(params, {
      [metaKeys.protocolVersion]: modern.version,
      [metaKeys.clientCapabilities]: capabilities,
      ...(client && { [metaKeys.clientInfo]: client }),
      ...(logLevel !== undefined && { [metaKeys.logLevel]: logLevel }),
    })
  }
}
