import { unstoppable } from '../lib/stop.ts'
import { JsonRefused, type JsonValue, parseStrict } from '../lib/strict-json.ts'
import type { Credentials, Frame, Reply } from '../pipeline/exchange.ts'
import type { Origin, Principal } from '../pipeline/parcel.ts'
import { asRefusal, Refusal } from '../pipeline/refusal.ts'
import {
  EnvelopeRefused,
  type Message,
  type Notification,
  type Request,
  type RequestId,
  readMessage,
  writeMessage,
} from '../protocol/json-rpc.ts'
import type { MethodTable } from '../protocol/methods.ts'
import type { Arrival, Departure } from './arrival.ts'
import { checkHeaders, isModern, readModern } from './classify.ts'
import { KeepAlive } from './event-stream.ts'
import type { HostCheck } from './host-check.ts'
import { LegacyHttp } from './legacy-http.ts'
import { ModernReply } from './modern-reply.ts'
import { headersOf, refusalResponse, statusOf } from './refuse.ts'
import type { Sessions } from './sessions.ts'
import { frameOf, type Visit } from './visit.ts'

export interface EndpointOptions {
  readonly hosts: Pick<HostCheck, 'admit'>
  readonly sessions: Sessions
  readonly methods: MethodTable
  readonly limits: { readonly bodyBytesMax: number; readonly depthMax: number; readonly batchMax: number }
  /** Throws UNAUTHENTICATED. Asked before anything of the body is read, and again in the corridor. */
  identify(credentials: Credentials): Principal | Promise<Principal>
  /** The corridor, or for the door to all servers the way to many corridors. */
  pass(frame: Frame, reply: Reply): Promise<void>
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
    this.#legacy = new LegacyHttp({ sessions: options.sessions, keepAlive: this.#keepAlive, pass: options.pass })
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
      const target = route.exec(arrival.path)
      if (!target) throw new Refusal('NOT_FOUND')
      await this.#dispatch({ arrival, departure, remote: visitor.remote, server: target[1], cors })
    } catch (error) {
      this.#turnAway(asRefusal(error), departure, arrival.remote, cors)
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
        if (visit.cors !== noCors) return visit.departure.send(204, { ...visit.cors, ...preflight })
    }
    throw new Refusal('METHOD_NOT_ALLOWED')
  }

  /** GET and DELETE exist only within a legacy session (2026-07-28, Earlier Streamable HTTP Revisions). */
  async #inSession(visit: Visit, act: (principal: Principal) => Promise<void> | void): Promise<void> {
    if (visit.arrival.headers['mcp-session-id'] === undefined) throw new Refusal('METHOD_NOT_ALLOWED')
    const principal = await this.#identify(visit)
    if (principal !== undefined) await act(principal)
  }

  async #post(visit: Visit): Promise<void> {
    const { arrival, departure } = visit
    if (!isJson(arrival.headers['content-type'] ?? '')) throw new Refusal('UNSUPPORTED_MEDIA')
    const accept = arrival.headers['accept'] ?? '*/*'
    if (!accepts(accept, 'application/json', 'text/event-stream'))
      throw new Refusal('NOT_ACCEPTABLE', { detail: 'application/json and text/event-stream' })
    const principal = await this.#identify(visit)
    if (principal === undefined) return
    const value = await this.#read(arrival)
    if (Array.isArray(value)) return this.#batch(visit, principal, value)
    const message = readOrRefuse(value)
    const id = message.kind === 'request' ? message.id : undefined
    try {
      if (message.kind !== 'response' && isModern(message, arrival.headers)) return await this.#modern(visit, message)
      await this.#legacy.messages(visit, principal, [message], false)
    } catch (error) {
      const refusal = asRefusal(error)
      const era = message.kind !== 'response' && isModern(message, arrival.headers) ? 'modern' : 'legacy'
      this.#turnAway(refusal, departure, visit.remote, visit.cors, id, era)
    }
  }

  async #modern(visit: Visit, message: Call): Promise<void> {
    const { arrival, departure } = visit
    checkHeaders(message, arrival.headers, this.#options.methods)
    const frame = frameOf(visit, message, { ...readModern(message), session: undefined }, departure.gone)
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

  /** Who knocks. Someone unknown is answered, and recorded, by an exchange that goes no further; then the result is undefined. */
  async #identify(visit: Visit): Promise<Principal | undefined> {
    try {
      return await this.#options.identify(visit.arrival)
    } catch {
      const frame = frameOf(visit, unread, noOrigin, unstoppable)
      const refuse = (refusal: Refusal): void => this.#turnAway(refusal, visit.departure, visit.remote, visit.cors)
      await this.#options.pass(frame, { deliver: () => undefined, refuse })
      return undefined
    }
  }

  async #read(arrival: Arrival): Promise<JsonValue> {
    const { bodyBytesMax, depthMax } = this.#options.limits
    return parseBody(await arrival.body(bodyBytesMax), depthMax)
  }

  #turnAway(
    refusal: Refusal,
    departure: Departure,
    remote: string | undefined,
    cors: Readonly<Record<string, string>>,
    id?: RequestId,
    era: Origin['era'] = 'modern',
  ): void {
    this.#options.turnedAway(refusal, remote)
    const body = JSON.stringify(
      writeMessage(refusalResponse(refusal, id ?? (refusal.facts['id'] as RequestId | undefined), undefined, era)),
    )
    departure.send(
      statusOf(refusal, refusal.code === 'INVALID_PARAMS' ? 'modern' : era),
      { 'content-type': 'application/json', ...cors, ...headersOf(refusal) },
      body,
    )
  }
}

const unread: Notification = { kind: 'notification', method: 'session/unread', params: {} }
const preflight = {
  'access-control-allow-methods': 'POST, GET, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name',
  'access-control-max-age': '600',
}
const noCors: Readonly<Record<string, string>> = Object.freeze({})
const corsFor = (origin: string | undefined): Readonly<Record<string, string>> =>
  origin === undefined
    ? noCors
    : { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'mcp-session-id, retry-after', vary: 'origin' }

const isJson = (header: string): boolean =>
  header === 'application/json' || header.split(';')[0]?.trim().toLowerCase() === 'application/json'

/** Clients send the same header with every request; what was read once is kept. */
const acceptKnown = new Map<string, boolean>()
const acceptKnownMax = 256

function accepts(header: string, ...types: readonly string[]): boolean {
  const key = `${types.length}${types[0]} ${header}`
  let answer = acceptKnown.get(key)
  if (answer !== undefined) return answer
  answer = types.every((type) => header.split(',').some((range) => covers(range, type)))
  if (acceptKnown.size < acceptKnownMax) acceptKnown.set(key, answer)
  return answer
}

function covers(range: string, type: string): boolean {
  const [name = '', quality] = range
    .trim()
    .toLowerCase()
    .split(/\s*;\s*q=/)
  const plain = name.split(';')[0]?.trim()
  return Number(quality ?? 1) > 0 && (plain === type || plain === '*/*' || plain === `${type.split('/')[0]}/*`)
}

function parseBody(bytes: Buffer, depthMax: number): JsonValue {
  const text = bytes.toString('utf8')
  if (text.includes('\ufffd') && Buffer.compare(Buffer.from(text, 'utf8'), bytes) !== 0)
    throw new Refusal('PARSE', { detail: 'it is not UTF-8' })
  try {
    return parseStrict(text, depthMax)
  } catch (error) {
    throw new Refusal('PARSE', { detail: error instanceof JsonRefused ? error.message : 'unreadable' })
  }
}

function readOrRefuse(value: JsonValue): Message {
  try {
    return readMessage(value)
  } catch (error) {
    if (!(error instanceof EnvelopeRefused)) throw error
    throw new Refusal('INVALID_REQUEST', { detail: error.message, ...(error.id !== undefined && { id: error.id }) })
  }
}
