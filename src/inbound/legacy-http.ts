/**
 * The legacy era over HTTP (2025-03-26 … 2025-11-25): sessions, batches, standing and resumable streams. Everyone who gets
 * here has been identified; a session is looked up only among their own.
 */
import { Stop, unstoppable } from '../lib/stop.ts'
import { type Frame, type Reply, silent } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Principal } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Message, Notification, Request, RequestId } from '../protocol/json-rpc.ts'
import { negotiate, revisionOf } from '../protocol/revisions/index.ts'
import type { Outlet } from './arrival.ts'
import { clientFacts, legacyVersion } from './classify.ts'
import { standing } from './conversation.ts'
import { type KeepAlive, type ResumableStream, streamHeaders } from './event-stream.ts'
import { LegacyReply, LegacySink } from './legacy-reply.ts'
import type { Session, Sessions } from './sessions.ts'
import { StandingReply } from './standing-reply.ts'
import { frameOf, type Visit } from './visit.ts'

export interface LegacyOptions {
  readonly sessions: Sessions
  readonly keepAlive: KeepAlive
  pass(frame: Frame, reply: Reply): Promise<void>
  /** Somebody begins to read a stream; `stop` is stopped when they may no longer. Returns what to call when they have gone. */
  reads(principal: Principal, stop: Stop): () => void
}

const returnWithinMs = 30_000

export class LegacyHttp {
  readonly #options: LegacyOptions

  constructor(options: LegacyOptions) {
    this.#options = options
  }

  /** POST: one message, or a batch of them where the version has batches. */
  async messages(visit: Visit, principal: Principal, messages: readonly Message[], batch: boolean): Promise<void> {
    const opening = messages.find((message): message is Request => message.kind === 'request' && message.method === 'initialize')
    if (opening && batch) throw new Refusal('INVALID_REQUEST', { detail: 'initialize must not be part of a batch' })
    const session = opening ? this.#open(visit, principal, opening) : this.#find(visit, principal, true)
    const { conversation } = session
    if (batch && !revisionOf(conversation.origin.version)?.batches)
      throw new Refusal('INVALID_REQUEST', { detail: 'this protocol version has no batches' })
    const ids = messages.filter((message) => message.kind === 'request').map(({ id }) => id)
    const stops = conversation.begin(ids)
    const sink = new LegacySink(visit, session, this.#options.keepAlive, ids.length, batch)
    const renamed = opening ? undefined : newNameOf(visit, session)
    if (renamed !== undefined) sink.name(renamed)
    if (ids.length === 0) visit.departure.send(202, { ...visit.cors, ...sessionHeader(renamed) })
    await Promise.all(messages.map((message) => this.#pass(visit, session, sink, message, stops)))
  }

  /** GET: the standing stream of a session, or a response stream to be gone on with. */
  stream(visit: Visit, principal: Principal): void {
    const { arrival, departure, cors } = visit
    const session = this.#find(visit, principal)
    const lastId = arrival.headers['last-event-id']
    // Answers to all that the session was used with are in its streams: they are nothing for whoever goes less far.
    const resumed = lastId === undefined || !session.isWithin(principal) ? undefined : session.resumed(lastId)
    if (lastId !== undefined && !resumed)
      throw new Refusal('INVALID_REQUEST', { detail: 'the Last-Event-ID is of no stream of this session' })
    const stream = resumed?.stream ?? (session.standing ??= this.#standing(visit, session))
    // By the token of whoever reads, which need not be the one that the stream was opened with (SES-C1).
    const reading = new Stop()
    const leave = this.#options.reads(principal, reading)
    const opened = this.#options.keepAlive.add(departure.open({ ...streamHeaders, ...cors }), departure.gone)
    const outlet: Outlet = {
      write: (text) => opened.write(text),
      end: () => void (leave(), opened.end()),
      drop: () => void (leave(), opened.drop()),
    }
    stream.attach(outlet, resumed?.seq)
    const left = (): void => {
      stream.detach(outlet)
      if (stream === session.standing) setTimeout(() => this.#abandon(session, stream), returnWithinMs).unref()
    }
    reading.onStop(left)
    departure.gone.onStop(left)
  }

  /** DELETE: the session is over, here and at the server. */
  async end(visit: Visit, principal: Principal): Promise<void> {
    const session = this.#find(visit, principal)
    const message: Notification = { kind: 'notification', method: 'session/delete', params: {} }
    this.#options.sessions.end(session)
    await this.#options.pass({ ...frameOf(visit, message, session.conversation.origin, unstoppable), act: true }, silent)
    visit.departure.send(200, visit.cors)
  }

  async #pass(
    visit: Visit,
    session: Session,
    sink: LegacySink,
    message: Message,
    stops: ReadonlyMap<RequestId, Stop>,
  ): Promise<void> {
    const { conversation } = session
    if (message.kind === 'response') return conversation.answer(message)
    if (message.method === 'notifications/cancelled') return conversation.cancel(message.params)
    const stop = (message.kind === 'request' && stops.get(message.id)) || unstoppable
    const frame = frameOf(visit, message, conversation.origin, stop)
    const succeeded = (parcel: Cleared): void => this.#succeeded(session, sink, message, parcel)
    await this.#options.pass(frame, new LegacyReply(frame, sink, session, succeeded))
    if (message.kind === 'request') conversation.end(message.id)
  }

  #succeeded(session: Session, sink: LegacySink, message: Request | Notification, parcel: Cleared): void {
    session.conversation.succeeded(message, parcel)
    if (message.method !== 'initialize') return
    this.#options.sessions.keep(session)
    sink.name(session.id)
  }

  #standing(visit: Visit, session: Session): ResumableStream {
    const { conversation } = session
    const stream = session.newStream(false)
    const stop = conversation.begin([standing]).get(standing) as Stop
    const message: Request = { kind: 'request', id: 'standing', method: 'session/stream', params: {} }
    const frame: Frame = { ...frameOf(visit, message, conversation.origin, stop), act: true }
    const ended = (): void => {
      stream.end()
      session.standing = undefined
      conversation.end(standing)
    }
    void this.#options.pass(frame, new StandingReply(frame, conversation, (text) => stream.write(text), ended)).then(ended)
    return stream
  }

  /** A client that has not come back for its standing stream does not keep a server waiting for it. */
  #abandon(session: Session, stream: ResumableStream): void {
    if (session.standing === stream && !stream.attached) session.conversation.stop(standing)
  }

  #open({ arrival, remote, server }: Visit, principal: Principal, { params }: Request): Session {
    const { version } = negotiate(params['protocolVersion'])
    return this.#options.sessions.prepare(principal, server, {
      door: arrival.door,
      era: 'legacy',
      version,
      ...clientFacts(params),
      logLevel: undefined,
      remote,
    })
  }

  #find({ arrival, server }: Visit, principal: Principal, mayRename = false): Session {
    const id = arrival.headers['mcp-session-id']
    if (id === undefined) throw new Refusal('SESSION_REQUIRED')
    legacyVersion(arrival.headers)
    return this.#options.sessions.find(principal, id, server, mayRename)
  }
}

/** What the session is called now, where that is not what the client called it. */
const newNameOf = ({ arrival }: Visit, { id }: Session): string | undefined => {
  const presented = arrival.headers['mcp-session-id']
  return presented !== undefined && presented !== id ? id : undefined
}

const sessionHeader = (id: string | undefined): Readonly<Record<string, string>> =>
  id === undefined ? {} : { 'mcp-session-id': id }
