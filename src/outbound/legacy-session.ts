/**
 * A session with a legacy server, as it is kept alive: opened once with one client's own words, announced before anything
 * else is said in it, and opened again when the server has forgotten it.
 */
import { inTime, unlessStopped } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Notification, Request, Response } from '../protocol/json-rpc.ts'
import { isLoud } from '../protocol/revisions/2026-07-28/meta.ts'
import { revisionOf } from '../protocol/revisions/index.ts'
import { Flight, type Timeouts } from './flight.ts'
import type { LinkOptions } from './link.ts'
import { type SessionWire, type Wire, WireError } from './wire.ts'

/** What the session is opened with: the words of the client it is for. */
export interface Introduction {
  readonly protocolVersion: string
  readonly clientInfo: JsonObject
  readonly capabilities: JsonObject
}

export class LegacySession {
  readonly #wire: Wire
  readonly #options: LinkOptions
  readonly #introduction: Introduction
  #initialized: Promise<JsonObject> | undefined
  #announcing: Promise<void> | undefined
  #announced = false
  #reopening: Promise<void> | undefined
  #nextId = 0
  #logLevel: string | undefined
  #version: string | undefined

  constructor(wire: Wire, introduction: Introduction, options: LinkOptions) {
    this.#wire = wire
    this.#introduction = introduction
    this.#options = options
  }

  /** The server's InitializeResult; asked for once. */
  initialize(): Promise<JsonObject> {
    this.#initialized ??= this.#initialize().catch((error: unknown) => {
      this.#initialized = undefined
      throw error
    })
    return this.#initialized
  }

  get announced(): boolean {
    return this.#announced
  }

  /** `notifications/initialized`, once a session: when the client says so, or before the first other message. */
  async announce(): Promise<void> {
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
    const { protocolVersion } = await this.initialize()
    this.#version = String(protocolVersion)
    await this.send({ kind: 'notification', method: 'notifications/initialized', params: {} }).finally(() => {
      this.#announced = true // said once, also to a server that makes a fault of it
    })
  }

  /** A request of our own making within the session; its result, or undefined for an error. */
  async ask(method: string, params: JsonObject): Promise<JsonObject | undefined> {
    const { outcome, body } = await responseOf(this.fly({ kind: 'request', id: this.newId(), method, params }))
    return outcome === 'result' ? body : undefined
  }

  /** A request within the session, under way. */
  fly(request: Request): Flight {
    return new Flight(this.#recovering, request, {}, this.#options.timeouts, ({ id }) => {
      const params = { requestId: id, reason: 'cancelled' }
      void this.send({ kind: 'notification', method: 'notifications/cancelled', params }).catch(() => undefined)
    })
  }

  /** A notification, or the answer to a question. */
  send(message: Notification | Response): Promise<void> {
    return this.#wire.send(message, this.headers())
  }

  newId(): number {
    return ++this.#nextId
  }

  headers(): Record<string, string> {
    const { sessionId } = this.#wire as Partial<SessionWire>
    return {
      ...(sessionId !== undefined && { 'mcp-session-id': sessionId }),
      ...(this.#version !== undefined && revisionOf(this.#version)?.versionHeader && { 'mcp-protocol-version': this.#version }),
    }
  }

  /** The level a modern request asks for is a property of the legacy session; the louder of two wins, and whoever relays filters. */
  async tuneLog(level: string): Promise<void> {
    if (this.#logLevel !== undefined && isLoud(level, this.#logLevel)) return
    this.#logLevel = level
    const { capabilities } = await this.initialize()
    if (capabilities && typeof capabilities === 'object' && 'logging' in capabilities)
      await this.ask('logging/setLevel', { level })
  }

  /** Ends the session at the server, and then the connection. */
  async close(): Promise<void> {
    const wire = this.#wire as Partial<SessionWire>
    if (wire.sessionId !== undefined) await wire.endSession?.(this.headers()).catch(() => undefined)
    await this.#wire.close()
  }

  /** The wire, with this session's headers. A session that the server has forgotten is opened again: it did nothing with the request. */
  readonly #recovering: Pick<Wire, 'request'> = {
    request: async (request, _headers, stop) => {
      const { sessionId } = this.#wire as Partial<SessionWire>
      try {
        return await this.#wire.request(request, this.headers(), stop)
      } catch (error) {
        if (!(error instanceof WireError) || error.status !== 404) throw error
      }
      if ((this.#wire as Partial<SessionWire>).sessionId === sessionId) this.#reopening ??= this.#reopen()
      await this.#reopening
      return this.#wire.request(request, this.headers(), stop)
    },
  }

  async #reopen(): Promise<void> {
    this.#options.log('the server has forgotten the session (HTTP 404): opening another')
    this.#initialized = undefined
    this.#announced = false
    try {
      await this.announce()
    } finally {
      this.#reopening = undefined
    }
  }

  async #initialize(): Promise<JsonObject> {
    const { protocolVersion, clientInfo, capabilities } = this.#introduction
    const params = { protocolVersion, capabilities, clientInfo }
    const flight = new Flight(
      this.#wire,
      { kind: 'request', id: this.newId(), method: 'initialize', params },
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
