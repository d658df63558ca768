/**
 * What lasts between the messages of one legacy client: who it is by its own words, which of its requests are under way,
 * and which questions wait for its answer. An HTTP session has one; so has a process that speaks stdio.
 */
import { Stop } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { alongside, type Origin, type Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Message, Notification, Request, RequestId } from '../protocol/json-rpc.ts'
import { isLogLevel } from '../protocol/revisions/2026-07-28/meta.ts'

/** As long as a whole request may take where the configuration says nothing else. */
const answerMsMax = 600_000

/** The stream that belongs to no request, among the requests under way. */
export const standing = Symbol('standing')

export class Conversation {
  readonly #underWay = new Map<RequestId | typeof standing, Stop>()
  readonly #asks = new Map<RequestId, { parcel: Cleared; answered(answer: Parcel): void; lost(error: unknown): void }>()
  #nextAsk = 0
  origin: Origin

  constructor(origin: Origin) {
    this.origin = origin
  }

  /** Throws INVALID_REQUEST, and begins nothing, for an id that is still under way (2026-07-28 basic, Requests). */
  begin<Id extends RequestId | typeof standing>(ids: readonly Id[]): ReadonlyMap<Id, Stop> {
    const stops = new Map(ids.map((id) => [id, new Stop()]))
    if (stops.size < ids.length || ids.some((id) => this.#underWay.has(id)))
      throw new Refusal('INVALID_REQUEST', { detail: 'the id belongs to a request that is still under way' })
    for (const [id, stop] of stops) this.#underWay.set(id, stop)
    return stops
  }

  end(id: RequestId | typeof standing): void {
    this.#underWay.delete(id)
  }

  cancel(params: JsonObject): void {
    this.stop(params['requestId'] as RequestId)
  }

  /** Ends a request under way, as its sender would. */
  stop(id: RequestId | typeof standing): void {
    this.#underWay.get(id)?.stop(new Refusal('CANCELLED'))
  }

  /**
   * Sends a question and waits for its answer, as long as the exchange it belongs to goes on, but not for ever: an exchange
   * says nothing else meanwhile. Then the answer is an error.
   */
  async ask(parcel: Cleared, stop: Stop, send: (message: Message) => void | Promise<void> | undefined): Promise<Parcel> {
    const id = `sekisho-${++this.#nextAsk}`
    const give = (): void => this.#asks.get(id)?.lost(stop.reason)
    const late = (): void => {
      const message = 'The client did not answer in time.'
      this.answer({ kind: 'response', id, outcome: 'error', body: { code: -32603, message } })
      void send({ kind: 'notification', method: 'notifications/cancelled', params: { requestId: id, reason: message } })
    }
    const timer = setTimeout(late, answerMsMax)
    try {
      const answer = new Promise<Parcel>((answered, lost) => {
        this.#asks.set(id, { parcel, answered, lost })
      })
      answer.catch(() => undefined)
      stop.onStop(give)
      await send({ kind: 'request', id, method: parcel.method, params: parcel.body })
      return await answer
    } finally {
      clearTimeout(timer)
      stop.offStop(give)
      this.#asks.delete(id)
    }
  }

  /** An answer that came in. One that nobody waits for is dropped. */
  answer(message: Message & { kind: 'response' }): void {
    if (message.id === undefined) return
    const ask = this.#asks.get(message.id)
    if (!ask) return
    const { parcel } = ask
    ask.answered(alongside(parcel, { leg: 'answer', member: message.outcome, body: message.body, question: parcel.question }))
  }

  /** What a successful request changes about its sender. */
  succeeded({ method, params }: Request | Notification, { body }: Cleared): void {
    if (method === 'logging/setLevel' && isLogLevel(params['level'])) this.origin = { ...this.origin, logLevel: params['level'] }
    if (method === 'initialize' && typeof body['protocolVersion'] === 'string')
      this.origin = { ...this.origin, version: body['protocolVersion'] }
  }

  close(reason: Refusal): void {
    for (const stop of this.#underWay.values()) stop.stop(reason)
    for (const { lost } of this.#asks.values()) lost(reason)
  }
}
