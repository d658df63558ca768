/**
 * The MCP endpoint: `/{server}/mcp`, and `/mcp` for all servers. Reads what came, finds the era, and sends every message
 * down the corridor. Nothing here decides whether a message may pass.
 */
import { Stop, unstoppable } from '../lib/stop.ts'
import type { JsonObject, JsonValue } from '../lib/strict-json.ts'
import type { Credentials, Frame, Reply } from '../pipeline/exchange.ts'
import type { Origin, Principal } from '../pipeline/parcel.ts'
import { asRefusal, Refusal } from '../pipeline/refusal.ts'
import { type Notification, type Request, type RequestId, writeMessage } from '../protocol/json-rpc.ts'
import type { MethodTable } from '../protocol/methods.ts'
import type { Era } from '../protocol/revisions/index.ts'
import type { Arrival, Departure } from './arrival.ts'
import { checkHeaders, isModern, readModern } from './classify.ts'
import { KeepAlive } from './event-stream.ts'
import type { HostCheck } from './host-check.ts'
import { accepts, corsFor, isJson, noCors, preflight } from './http-headers.ts'
import { LegacyHttp } from './legacy-http.ts'
import { ModernReply } from './modern-reply.ts'
import { parseBody, readOrRefuse } from './read-body.ts'
import { headersOf, refusalResponse, statusOf } from './refuse.ts'
import type { Sessions } from './sessions.ts'
import { frameOf, type Visit } from './visit.ts'

export interface EndpointOptions {
  readonly hosts: Pick<HostCheck, 'admit'>
  readonly sessions: Sessions
  readonly methods: MethodTable
  readonly limits: { readonly bodyBytesMax: number; readonly depthMax: number; readonly batchMax: number }
  /** What everybody may read at a well-known path; undefined where there is nothing. */
  document(path: string): JsonObject | undefined
  /** Throws UNAUTHENTICATED. Asked before anything of the body is read, and again in the corridor. */
  identify(credentials: Credentials): Principal | Promise<Principal>
  /** The corridor, or for the door to all servers the way to many corridors. */
  pass(frame: Frame, reply: Reply): Promise<void>
  /** Somebody reads a stream from now on; `stop` is stopped when they may no longer. */
  reads(principal: Principal, stop: Stop): () => void
  /** Told of what was turned away before it became an exchange. */
  turnedAway(refusal: Refusal, remote: string | undefined): void
}

type Call = Request | Notification

/** RFC 6750, 2.3, which OAuth 2.1 removed: such a URL ends up in logs and histories. */
const tokenInQuery = /(?:^|&)(?:access_token|api_key|token)=/i
const route = /^\/(?:([a-z][a-z0-9-]{0,23})\/)?mcp$/
const noOrigin: Omit<Origin, 'door' | 'remote'> = {
  era: 'modern',
  version: '',
  client: undefined,
  capabilities: {},
  session: undefined,
  logLevel: undefined,
}

export class Endpoint {
  readonly #options: EndpointOptions
  readonly #keepAlive = new KeepAlive()
  readonly #legacy: LegacyHttp

  constructor(options: EndpointOptions) {
    this.#options = options
    const { sessions, pass, reads } = options
    this.#legacy = new LegacyHttp({ sessions, keepAlive: this.#keepAlive, pass, reads })
  }

  /** Answers one HTTP request; never throws. */
  async answer(arrival: Arrival, departure: Departure): Promise<void> {
    let cors: Readonly<Record<string, string>> = {}
    try {
      const visitor = this.#options.hosts.admit(arrival.headers, arrival.remote)
      cors = corsFor(visitor.origin)
      if (arrival.duplicated !== undefined)
        throw new Refusal('INVALID_REQUEST', { detail: `the ${arrival.duplicated} header came twice` })
      if (tokenInQuery.test(arrival.query))
        throw new Refusal('INVALID_REQUEST', { detail: 'a credential belongs in the Authorization header, never in the URL' })
      const document = this.#options.document(arrival.path)
      if (document !== undefined) return void publish(document, arrival, departure)
      const target = route.exec(arrival.path)
      if (!target) throw new Refusal('NOT_FOUND')
      const server = target[1]
      const credentials = { headers: arrival.headers, entrance: server, request: arrival }
      await this.#dispatch({ arrival, departure, remote: visitor.remote, server, credentials, cors })
    } catch (error) {
      const refusal = asRefusal(error)
      this.#options.turnedAway(refusal, arrival.remote)
      this.#say(refusal, departure, cors)
    }
  }

  close(): void {
    this.#keepAlive.close()
  }

  #dispatch(visit: Visit): Promise<void> | void {
    switch (visit.arrival.method) {
      case 'POST':
        return this.#post(visit)
      case 'GET':
        if (!accepts(visit.arrival.headers['accept'] ?? '*/*', 'text/event-stream'))
          throw new Refusal('NOT_ACCEPTABLE', { detail: 'text/event-stream' })
        return this.#inSession(visit, (principal) => this.#legacy.stream(visit, principal))
      case 'DELETE':
        return this.#inSession(visit, (principal) => this.#legacy.end(visit, principal))
      case 'OPTIONS':
        if (visit.cors !== noCors)
          return visit.departure.send(204, {
            ...visit.cors,
            ...preflight(visit.arrival.headers['access-control-request-headers']),
          })
    }
    throw new Refusal('METHOD_NOT_ALLOWED')
  }

  /** GET and DELETE exist only within a legacy session (2026-07-28, Earlier Streamable HTTP Revisions). */
  #inSession(visit: Visit, act: (principal: Principal) => Promise<void> | void): Promise<void> {
    if (visit.arrival.headers['mcp-session-id'] === undefined) throw new Refusal('METHOD_NOT_ALLOWED')
    return this.#identified(visit, act)
  }

  #post(visit: Visit): Promise<void> {
    const { headers } = visit.arrival
    if (!isJson(headers['content-type'] ?? '')) throw new Refusal('UNSUPPORTED_MEDIA')
    if (!accepts(headers['accept'] ?? '*/*', 'application/json', 'text/event-stream'))
      throw new Refusal('NOT_ACCEPTABLE', { detail: 'application/json and text/event-stream' })
    return this.#identified(visit, (principal) => this.#read(visit, principal))
  }

  /** Does something for a sender we know. From here on nothing is refused without being written down. */
  async #identified(visit: Visit, act: (principal: Principal) => Promise<void> | void): Promise<void> {
    try {
      await act(await this.#options.identify(visit.credentials))
    } catch (error) {
      await this.#refuse(visit, asRefusal(error))
    }
  }

  async #read(visit: Visit, principal: Principal): Promise<void> {
    const { arrival } = visit
    const { bodyBytesMax, depthMax } = this.#options.limits
    const value = parseBody(await arrival.body(bodyBytesMax), depthMax)
    if (Array.isArray(value)) return this.#batch(visit, principal, value)
    const message = readOrRefuse(value)
    const modern = message.kind !== 'response' && isModern(message, arrival.headers)
    try {
      if (modern) await this.#modern(visit, message)
      else await this.#legacy.messages(visit, principal, [message], false)
    } catch (error) {
      await this.#refuse(visit, asRefusal(error), message.kind === 'response' ? undefined : message, modern ? 'modern' : 'legacy')
    }
  }

  async #modern(visit: Visit, message: Call): Promise<void> {
    const { arrival, departure } = visit
    checkHeaders(message, arrival.headers, this.#options.methods)
    // One of its own: whoever is stopped while they are here is told so, which nobody is who has gone.
    const stop = new Stop()
    departure.gone.onStop(() => stop.stop(departure.gone.reason))
    const frame = frameOf(visit, message, { ...readModern(message), session: undefined }, stop)
    const reply = new ModernReply(frame, departure, this.#options.methods, this.#keepAlive, visit.cors)
    await this.#options.pass(frame, reply)
    reply.settle()
  }

  async #batch(visit: Visit, principal: Principal, values: readonly JsonValue[]): Promise<void> {
    const { limits } = this.#options
    if (values.length === 0 || values.length > limits.batchMax)
      throw new Refusal('INVALID_REQUEST', { detail: `a batch has 1 to ${limits.batchMax} messages` })
    const messages = values.map(readOrRefuse)
    const { headers } = visit.arrival
    if (messages.some((message) => message.kind !== 'response' && isModern(message, headers)))
      throw new Refusal('INVALID_REQUEST', { detail: 'a request of this protocol version does not come in a batch' })
    await this.#legacy.messages(visit, principal, messages, true)
  }

  /** Refuses something by way of the corridor, which writes it down. */
  #refuse(visit: Visit, fault: Refusal, message: Call = unread(visit.arrival), era: Era = 'modern'): Promise<void> {
    const frame = { ...frameOf(visit, message, { ...noOrigin, era }, unstoppable), fault }
    const id = message.kind === 'request' ? message.id : (fault.facts['id'] as RequestId | undefined)
    const refuse = (refusal: Refusal): void => this.#say(refusal, visit.departure, visit.cors, id, era)
    return this.#options.pass(frame, { deliver: () => undefined, refuse })
  }

  #say(
    refusal: Refusal,
    departure: Departure,
    cors: Readonly<Record<string, string>>,
    id?: RequestId,
    era: Era = 'modern',
  ): void {
    const body = JSON.stringify(writeMessage(refusalResponse(refusal, id, undefined, era)))
    departure.send(
      statusOf(refusal, refusal.code === 'INVALID_PARAMS' ? 'modern' : era),
      { 'content-type': 'application/json', ...cors, ...headersOf(refusal) },
      body,
    )
  }
}

function publish(document: JsonObject, { method }: Arrival, departure: Departure): void {
  if (method !== 'GET' && method !== 'HEAD') throw new Refusal('METHOD_NOT_ALLOWED')
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'public, max-age=300',
    'access-control-allow-origin': '*',
    'x-content-type-options': 'nosniff',
  }
  departure.send(200, headers, JSON.stringify(document))
}

/** What was asked where no message was read: in the log its method is that of HTTP, with a space, which no method of MCP has. */
const unread = ({ method }: Arrival): Notification => ({ kind: 'notification', method: `HTTP ${method}`, params: {} })
