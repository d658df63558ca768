/**
 * The MCP endpoint: `/{server}/mcp`, and `/mcp` for all servers. Reads what came, finds the era and the session, and sends
 * every message down the corridor. Nothing here decides whether a message may pass.
 */
import { JsonRefused, parseStrict, type JsonValue } from '../lib/strict-json.ts'
import { type Stop, unstoppable } from '../lib/stop.ts'
import { uniqueName } from '../lib/random.ts'
import type { Credentials, Frame, Reply } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Origin, Principal } from '../pipeline/parcel.ts'
import { asRefusal, Refusal } from '../pipeline/refusal.ts'
import { EnvelopeRefused, type Message, type Notification, readMessage, type Request, type RequestId, writeMessage } from '../protocol/json-rpc.ts'
import type { MethodTable } from '../protocol/methods.ts'
import { negotiate, revisionOf } from '../protocol/revisions/index.ts'
import type { Arrival, Departure } from './arrival.ts'
import { checkHeaders, clientFacts, isModern, legacyVersion, readModern } from './classify.ts'
import { KeepAlive, streamHeaders } from './event-stream.ts'
import type { HostCheck, Visitor } from './host-check.ts'
import { LegacyReply, LegacySink } from './legacy-reply.ts'
import { ModernReply } from './modern-reply.ts'
import { headersOf, refusalResponse, statusOf } from './refuse.ts'
import type { Session, Sessions } from './sessions.ts'
import { StandingReply } from './standing-reply.ts'

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
interface Visit extends Visitor {
  readonly arrival: Arrival
  readonly departure: Departure
  /** Undefined: the door to all servers. */
  readonly server: string | undefined
  readonly cors: Readonly<Record<string, string>>
}

const route = /^\/(?:([a-z][a-z0-9-]{0,23})\/)?mcp$/
const noOrigin: Omit<Origin, 'door' | 'remote'> = { era: 'modern', version: '', client: undefined, capabilities: {}, session: undefined, logLevel: undefined }

export class Endpoint {
  readonly #options: EndpointOptions
  readonly #keepAlive = new KeepAlive()

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  /** Answers one HTTP request; never throws. */
  async answer(arrival: Arrival, departure: Departure): Promise<void> {
    let cors: Readonly<Record<string, string>> = {}
    try {
      const visitor = this.#options.hosts.admit(arrival.headers, arrival.remote)
      cors = corsFor(visitor.origin)
      if (arrival.duplicated !== undefined) throw new Refusal('INVALID_REQUEST', { detail: `the ${arrival.duplicated} header came twice` })
      const target = route.exec(arrival.path)
      if (!target) throw new Refusal('NOT_FOUND')
      await this.#dispatch({ ...visitor, arrival, departure, server: target[1], cors })
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
        return this.#get(visit)
      case 'DELETE':
        return this.#delete(visit)
      case 'OPTIONS':
        if (visit.origin !== undefined) return visit.departure.send(204, { ...visit.cors, ...preflight })
    }
    throw new Refusal('METHOD_NOT_ALLOWED')
  }

  async #post(visit: Visit): Promise<void> {
    const { arrival, departure } = visit
    if (!isJson(arrival.headers['content-type'] ?? '')) throw new Refusal('UNSUPPORTED_MEDIA')
    const accept = arrival.headers['accept'] ?? '*/*'
    if (!accepts(accept, 'application/json', 'text/event-stream')) throw new Refusal('NOT_ACCEPTABLE', { detail: 'application/json and text/event-stream' })
    const principal = await this.#identify(visit)
    if (principal === undefined) return
    const value = await this.#read(arrival)
    if (Array.isArray(value)) return this.#batch(visit, principal, value)
    const message = readOrRefuse(value)
    const id = message.kind === 'request' ? message.id : undefined
    try {
      if (message.kind !== 'response' && isModern(message, arrival.headers)) return await this.#modern(visit, message)
      await this.#legacy(visit, principal, [message], false)
    } catch (error) {
      const refusal = asRefusal(error)
      const era = message.kind !== 'response' && isModern(message, arrival.headers) ? 'modern' : 'legacy'
      this.#turnAway(refusal, departure, visit.remote, visit.cors, id, era)
    }
  }

  async #modern(visit: Visit, message: Call): Promise<void> {
    const { arrival, departure } = visit
    checkHeaders(message, arrival.headers, this.#options.methods)
    const frame = this.#frame(visit, message, { ...readModern(message), session: undefined }, departure.gone)
    const reply = new ModernReply(frame, departure, this.#options.methods, this.#keepAlive, visit.cors)
    await this.#options.pass(frame, reply)
    reply.settle()
  }

  async #batch(visit: Visit, principal: Principal, values: readonly JsonValue[]): Promise<void> {
    const { limits } = this.#options
    if (values.length === 0 || values.length > limits.batchMax) throw new Refusal('INVALID_REQUEST', { detail: `a batch has 1 to ${limits.batchMax} messages` })
    const messages = values.map(readOrRefuse)
    const { headers } = visit.arrival
    if (messages.some((message) => message.kind !== 'response' && isModern(message, headers))) throw new Refusal('INVALID_REQUEST', { detail: 'a request of this protocol version does not come in a batch' })
    await this.#legacy(visit, principal, messages, true)
  }

  async #legacy(visit: Visit, principal: Principal, messages: readonly Message[], batch: boolean): Promise<void> {
    const { arrival, departure } = visit
    const [first] = messages
    const opening = first?.kind === 'request' && first.method === 'initialize' ? first : undefined
    if (opening && messages.length > 1) throw new Refusal('INVALID_REQUEST', { detail: 'initialize must not be part of a batch' })
    const session = opening ? this.#openSession(visit, principal, opening) : this.#findSession(visit, principal)
    if (batch && !revisionOf(session.conversation.origin.version)?.batches) throw new Refusal('INVALID_REQUEST', { detail: 'this protocol version has no batches' })
    const requests = messages.filter((message) => message.kind === 'request')
    const headers = opening ? { ...visit.cors, 'mcp-session-id': session.id } : visit.cors
    const sink = new LegacySink(departure, session, this.#keepAlive, headers, requests.length, batch)
    const signals = new Map<RequestId, Stop>()
    for (const { id } of requests) signals.set(id, session.conversation.begin(id))
    if (requests.length === 0) departure.send(202, visit.cors)
    await Promise.all(messages.map((message) => this.#pass(visit, session, sink, message, signals)))
    void arrival
  }

  async #pass(visit: Visit, session: Session, sink: LegacySink, message: Message, signals: ReadonlyMap<RequestId, Stop>): Promise<void> {
    const { conversation } = session
    if (message.kind === 'response') return conversation.answer(message)
    if (message.method === 'notifications/cancelled') return conversation.cancel(message.params)
    const signal = (message.kind === 'request' && signals.get(message.id)) || unstoppable
    const frame = this.#frame(visit, message, conversation.origin, signal)
    await this.#options.pass(frame, new LegacyReply(frame, sink, session, (parcel) => this.#succeeded(session, message, parcel)))
    if (message.kind === 'request') conversation.end(message.id)
  }

  /** What a successful request changes about its session. */
  #succeeded(session: Session, { method, params }: Call, parcel: Cleared): void {
    const { conversation } = session
    if (method === 'initialize') {
      const version = parcel.body['protocolVersion']
      if (typeof version === 'string') conversation.origin = { ...conversation.origin, version }
      this.#options.sessions.keep(session)
    }
    if (method === 'logging/setLevel') conversation.origin = { ...conversation.origin, logLevel: String(params['level']) }
  }

  /** GET: the standing stream of a legacy session, or a response stream to be gone on with. */
  async #get(visit: Visit): Promise<void> {
    const { arrival, departure } = visit
    if (!accepts(arrival.headers['accept'] ?? '*/*', 'text/event-stream')) throw new Refusal('NOT_ACCEPTABLE', { detail: 'text/event-stream' })
    if (arrival.headers['mcp-session-id'] === undefined) throw new Refusal('METHOD_NOT_ALLOWED')
    const principal = await this.#identify(visit)
    if (principal === undefined) return
    const session = this.#findSession(visit, principal)
    const lastId = arrival.headers['last-event-id']
    const resumed = lastId === undefined ? undefined : session.resumed(lastId)
    if (lastId !== undefined && !resumed) throw new Refusal('INVALID_REQUEST', { detail: 'the Last-Event-ID is of no stream of this session' })
    const stream = resumed?.stream ?? (session.standing ??= this.#standing(visit, session))
    const outlet = this.#keepAlive.add(departure.open({ ...streamHeaders, ...visit.cors }), departure.gone)
    stream.attach(outlet, resumed?.seq)
    departure.gone.onStop(() => stream.detach(outlet))
  }

  #standing(visit: Visit, session: Session): Session['standing'] & object {
    const stream = session.newStream(false)
    const signal = session.conversation.begin('session/stream')
    const message: Request = { kind: 'request', id: 'session/stream', method: 'session/stream', params: {} }
    const frame: Frame = { ...this.#frame(visit, message, session.conversation.origin, signal), act: true }
    const ended = (): void => {
      stream.end()
      session.standing = undefined
      session.conversation.end('session/stream')
    }
    void this.#options.pass(frame, new StandingReply(frame, session.conversation, (text) => stream.write(text), ended)).then(ended)
    return stream
  }

  async #delete(visit: Visit): Promise<void> {
    const principal = await this.#identify(visit)
    if (principal === undefined) return
    const session = this.#findSession(visit, principal)
    const message: Notification = { kind: 'notification', method: 'session/delete', params: {} }
    const frame: Frame = { ...this.#frame(visit, message, session.conversation.origin, unstoppable), act: true }
    this.#options.sessions.end(session)
    await this.#options.pass(frame, silent)
    visit.departure.send(200, visit.cors)
  }

  /** Who knocks. Someone unknown is answered, and recorded, by an exchange that goes no further; then the result is undefined. */
  async #identify(visit: Visit): Promise<Principal | undefined> {
    try {
      return await this.#options.identify(visit.arrival)
    } catch {
      const frame = this.#frame(visit, unread, noOrigin, unstoppable)
      const refuse = (refusal: Refusal): void => this.#turnAway(refusal, visit.departure, visit.remote, visit.cors)
      await this.#options.pass(frame, { deliver: () => undefined, refuse })
      return undefined
    }
  }

  #openSession(visit: Visit, principal: Principal, { params }: Request): Session {
    const { version } = negotiate(params['protocolVersion'])
    const { arrival, remote, server } = visit
    return this.#options.sessions.prepare(principal, server, { door: arrival.door, era: 'legacy', version, ...clientFacts(params), logLevel: undefined, remote })
  }

  #findSession({ arrival, server }: Visit, principal: Principal): Session {
    const id = arrival.headers['mcp-session-id']
    if (id === undefined) throw new Refusal('SESSION_REQUIRED')
    legacyVersion(arrival.headers)
    return this.#options.sessions.find(principal, id, server)
  }

  #frame(visit: Visit, message: Call, origin: Omit<Origin, 'door' | 'remote'>, stop: Stop): Frame {
    const { arrival, server, remote } = visit
    return { exchange: uniqueName(), message, server, headers: arrival.headers, origin: { ...origin, door: arrival.door, remote }, stop }
  }

  async #read(arrival: Arrival): Promise<JsonValue> {
    const { bodyBytesMax, depthMax } = this.#options.limits
    return parseBody(await arrival.body(bodyBytesMax), depthMax)
  }

  #turnAway(refusal: Refusal, departure: Departure, remote: string | undefined, cors: Readonly<Record<string, string>>, id?: RequestId, era: Origin['era'] = 'modern'): void {
    this.#options.turnedAway(refusal, remote)
    const body = JSON.stringify(writeMessage(refusalResponse(refusal, id ?? (refusal.facts['id'] as RequestId | undefined), undefined, era)))
    departure.send(statusOf(refusal, refusal.code === 'INVALID_PARAMS' ? 'modern' : era), { 'content-type': 'application/json', ...cors, ...headersOf(refusal) }, body)
  }
}

const unread: Notification = { kind: 'notification', method: 'session/unread', params: {} }
const silent: Reply = { deliver: () => undefined, refuse: () => undefined }
const preflight = { 'access-control-allow-methods': 'POST, GET, DELETE', 'access-control-allow-headers': 'authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name', 'access-control-max-age': '600' }
const noCors: Readonly<Record<string, string>> = Object.freeze({})
const corsFor = (origin: string | undefined): Readonly<Record<string, string>> =>
  origin === undefined ? noCors : { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'mcp-session-id, retry-after', vary: 'origin' }

const isJson = (header: string): boolean => header === 'application/json' || header.split(';')[0]?.trim().toLowerCase() === 'application/json'

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
  const [name = '', quality] = range.trim().toLowerCase().split(/\s*;\s*q=/)
  const plain = name.split(';')[0]?.trim()
  return Number(quality ?? 1) > 0 && (plain === type || plain === '*/*' || plain === `${type.split('/')[0]}/*`)
}

function parseBody(bytes: Buffer, depthMax: number): JsonValue {
  const text = bytes.toString('utf8')
  if (text.includes('\ufffd') && Buffer.compare(Buffer.from(text, 'utf8'), bytes) !== 0) throw new Refusal('PARSE', { detail: 'it is not UTF-8' })
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
