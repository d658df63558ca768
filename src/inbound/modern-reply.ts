/** The answer to one modern HTTP request (2026-07-28): one JSON object, or an event stream that ends with it. */

import { writeEvent } from '../lib/sse.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Frame, Reply } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Refusal } from '../pipeline/refusal.ts'
import { type Response, writeMessage } from '../protocol/json-rpc.ts'
import type { MethodTable } from '../protocol/methods.ts'
import type { Departure, Outlet } from './arrival.ts'
import { type KeepAlive, streamHeaders } from './event-stream.ts'
import { headersOf, refusalResponse, relayedStatus, statusOf } from './refuse.ts'
import { asDelivered, asNotice, Questions } from './rewrites.ts'

export class ModernReply implements Reply {
  readonly #frame: Frame
  readonly #departure: Departure
  readonly #methods: MethodTable
  readonly #keepAlive: KeepAlive
  readonly #extra: Readonly<Record<string, string>>
  readonly #questions = new Questions()
  #outlet: Outlet | undefined
  #over = false

  constructor(
    frame: Frame,
    departure: Departure,
    methods: MethodTable,
    keepAlive: KeepAlive,
    extra: Readonly<Record<string, string>>,
  ) {
    this.#frame = frame
    this.#departure = departure
    this.#methods = methods
    this.#keepAlive = keepAlive
    this.#extra = extra
  }

  deliver(parcel: Cleared): undefined | Promise<undefined> {
    if (parcel.leg === 'notice') return this.#notice(parcel)
    if (parcel.leg === 'ask') {
      this.#questions.add(parcel)
      return undefined
    }
    const body = this.#questions.into(asDelivered(parcel, this.#methods))
    const response: Response = {
      kind: 'response',
      id: this.#id,
      outcome: parcel.member === 'error' ? 'error' : 'result',
      body: asNotice(this.#frame, parcel, body),
    }
    return this.#finish(response, relayedStatus(response), {})
  }

  refuse(refusal: Refusal): void {
    const { message } = this.#frame
    if (this.#departure.gone.stopped || this.#over) return
    const response = refusalResponse(refusal, this.#id, message.method, 'modern')
    void this.#finish(response, response.outcome === 'result' ? 200 : statusOf(refusal, 'modern'), headersOf(refusal))
  }

  /** A notification has no response: accepted, once the exchange is over. */
  settle(): void {
    if (!this.#over && this.#frame.message.kind === 'notification') void this.#send(202, {})
    else if (!this.#over) this.#outlet?.end()
  }

  get #id(): Response['id'] {
    return this.#frame.message.kind === 'request' ? this.#frame.message.id : undefined
  }

  #notice(parcel: Cleared): Promise<undefined> | undefined {
    this.#outlet ??= this.#keepAlive.add(this.#departure.open({ ...streamHeaders, ...this.#extra }), this.#departure.gone)
    const params = asNotice(this.#frame, parcel, parcel.body)
    const full = this.#outlet.write(writeEvent(text({ jsonrpc: '2.0', method: parcel.method, params })))
    return full?.then(() => undefined)
  }

  #finish(response: Response, status: number, headers: Readonly<Record<string, string>>): Promise<undefined> | undefined {
    if (this.#outlet === undefined) return this.#send(status, headers, text(writeMessage(response)))
    this.#over = true
    const full = this.#outlet.write(writeEvent(text(writeMessage(response))))
    this.#outlet.end()
    return full?.then(() => undefined)
  }

  #send(status: number, headers: Readonly<Record<string, string>>, body?: string): Promise<undefined> | undefined {
    this.#over = true
    return this.#departure.send(
      status,
      { ...(body !== undefined && { 'content-type': 'application/json' }), ...this.#extra, ...headers },
      body,
    )
  }
}

const text = (message: JsonObject): string => JSON.stringify(message)
