/**
 * Legacy HTTP sessions (2025-03-26 … 2025-11-25, Session Management). A session is state, never a credential: it is found
 * only by the principal who opened it, after that principal was verified, and anybody else is told that it does not exist.
 */
import { hash } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { unguessable } from '../lib/random.ts'
import type { Origin, Principal } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { Conversation } from './conversation.ts'
import { ResumableStream, readEventId } from './event-stream.ts'

const idleMs = 30 * 60_000
const lifetimeMs = 24 * 60 * 60_000
const streamsKeptMax = 64
/** Of everything that is kept in one session for a client that comes back. */
const keptCharsMax = 33_554_432
const sessionsPerPrincipalMax = 1000
const formerMs = 5000

export class Session {
  /** What the client calls it, and under whose name it is kept; both change when the session is given a new name. */
  id: string
  owner: string
  /** All that the tokens it was used with went as far as. */
  readonly reach: Set<string>
  readonly principal: Principal
  readonly server: string | undefined
  readonly conversation: Conversation
  readonly openedAt: number
  usedAt: number
  formerly: { readonly owner: string; readonly until: number } | undefined
  /** The stream that belongs to no request, once the client has opened it. */
  standing: ResumableStream | undefined
  readonly #streams = new Map<string, ResumableStream>()

  constructor(id: string, owner: string, principal: Principal, server: string | undefined, origin: Origin, now: number) {
    this.id = id
    this.owner = owner
    this.principal = principal
    this.reach = new Set(reachOf(principal))
    this.server = server
    this.conversation = new Conversation(origin)
    this.openedAt = now
    this.usedAt = now
  }

  newStream(primes: boolean): ResumableStream {
    const stream = new ResumableStream(primes)
    this.#streams.set(stream.id, stream)
    let kept = 0
    for (const { weight } of this.#streams.values()) kept += weight
    for (const [id, old] of this.#streams) {
      if (this.#streams.size <= streamsKeptMax && kept <= keptCharsMax) break
      if (!old.over) continue
      this.#streams.delete(id)
      kept -= old.weight
    }
    return stream
  }

  /** The stream of this session that an event id belongs to, and what the client had of it. */
  resumed(eventId: string): { stream: ResumableStream; seq: number } | undefined {
    const named = readEventId(eventId)
    const stream = named && this.#streams.get(named.stream)
    return stream && { stream, seq: named.seq }
  }

  /** Whether somebody's token goes as far as all that the session was used with. */
  isWithin(principal: Principal): boolean {
    const reach = new Set(reachOf(principal))
    return [...this.reach].every((one) => reach.has(one))
  }

  /** Streams that a client is reading now. */
  get streamsRead(): number {
    return [...this.#streams.values()].filter(({ attached }) => attached).length
  }

  close(reason: Refusal): void {
    this.conversation.close(reason)
    for (const stream of this.#streams.values()) stream.end()
  }
}

const reachOf = ({ claims }: Principal): readonly string[] =>
  claims === undefined ? [] : [...claims.scopes.map((one) => `scope ${one}`), ...claims.contexts.map((one) => `context ${one}`)]

/** A session as operators see it. The id itself lets nobody in, and is shown to nobody all the same. */
export interface SessionRow {
  /** The beginning of the digest of its id. */
  readonly session: string
  readonly principal: string
  /** The OAuth client that acts for the user, where there is one. */
  readonly client: string | undefined
  /** Undefined for the door to all servers. */
  readonly server: string | undefined
  /** ISO 8601. */
  readonly openedAt: string
  readonly idleS: number
  /** Streams that the client is reading now. */
  readonly streams: number
}

export interface SessionsOptions {
  readonly clock: Clock
  /** The owner's name for a session: principal and session, encoded so that no two pairs meet. */
  ownerOf(principal: Principal, session: string): string
  /** Whoever opened the session would not be let in any more. */
  isRevoked(principal: Principal): boolean
  /** Sessions of this principal that were opened up to then have been ended; milliseconds since the epoch. */
  endedAt(principal: Principal): number | undefined
}

export class Sessions {
  readonly #sessions = new Map<string, Session>()
  /** By the name that each had before, for a moment. */
  readonly #former = new Map<string, Session>()
  readonly #options: SessionsOptions
  readonly #sweeper: NodeJS.Timeout

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#sweeper = setInterval(() => this.sweep(), 30_000)
    this.#sweeper.unref()
  }

  /** A session that is not yet known to anybody; {@link keep} makes it so, once `initialize` has succeeded. */
  prepare(principal: Principal, server: string | undefined, origin: Omit<Origin, 'session'>): Session {
    const id = unguessable()
    const owner = this.#options.ownerOf(principal, id)
    return new Session(id, owner, principal, server, { ...origin, session: owner }, this.#options.clock.monotonic())
  }

  keep(session: Session): void {
    const own = [...this.#sessions.values()].filter(({ principal }) => principal.id === session.principal.id)
    if (own.length >= sessionsPerPrincipalMax) this.end(own.reduce((oldest, one) => (one.usedAt < oldest.usedAt ? one : oldest)))
    this.#sessions.set(session.owner, session)
  }

  /**
   * `mayRename`: the sender looks for a new name in the answer, as clients do with what they POST.
   * Throws SESSION_UNKNOWN for a session that is not there, has expired, is of another server, or is somebody else's.
   */
  find(principal: Principal, id: string, server: string | undefined, mayRename = false): Session {
    const owner = this.#options.ownerOf(principal, id)
    const session = this.#sessions.get(owner) ?? this.#formerly(owner, principal)
    if (!session || session.server !== server || this.#expired(session)) throw new Refusal('SESSION_UNKNOWN')
    session.usedAt = this.#options.clock.monotonic()
    const further = reachOf(principal).filter((one) => !session.reach.has(one))
    if (mayRename && further.length > 0) this.#rename(session, principal, further)
    return session
  }

  /**
   * Whoever has just been allowed more gets a new name for their session, and the old one is nothing any more: a name that
   * was known to somebody before the step-up does not go as far as it (SES-C4). What is under way in it goes on.
   */
  #rename(session: Session, principal: Principal, further: readonly string[]): void {
    this.#sessions.delete(session.owner)
    if (session.formerly) this.#former.delete(session.formerly.owner)
    session.formerly = { owner: session.owner, until: this.#options.clock.monotonic() + formerMs }
    this.#former.set(session.owner, session)
    session.id = unguessable()
    session.owner = this.#options.ownerOf(principal, session.id)
    for (const one of further) session.reach.add(one)
    this.#sessions.set(session.owner, session)
  }

  /** What was sent under the old name while the new one was on its way still arrives, from whoever goes as far as the session. */
  #formerly(owner: string, principal: Principal): Session | undefined {
    const session = this.#former.get(owner)
    if (session?.formerly === undefined) return undefined
    const isLate = this.#options.clock.monotonic() >= session.formerly.until
    return isLate || !session.isWithin(principal) ? undefined : session
  }

  end(session: Session, reason = new Refusal('SESSION_UNKNOWN')): void {
    this.#sessions.delete(session.owner)
    if (session.formerly) this.#former.delete(session.formerly.owner)
    session.close(reason)
  }

  sweep(): void {
    for (const session of this.#sessions.values()) if (this.#expired(session)) this.end(session)
  }

  /** Ends the sessions of those who may no longer be here. */
  review(): void {
    for (const session of this.#sessions.values())
      if (this.#options.isRevoked(session.principal) || this.#expired(session)) this.end(session)
  }

  /** Those that are open, oldest first. */
  list(): readonly SessionRow[] {
    const { clock } = this.#options
    const [now, monotonic] = [clock.now(), clock.monotonic()]
    return [...this.#sessions.values()]
      .filter((session) => !this.#expired(session))
      .map(({ id, principal, server, openedAt, usedAt, streamsRead }) => ({
        session: hash('sha256', id, 'base64url').slice(0, 8),
        principal: principal.id,
        client: principal.claims?.client,
        server,
        openedAt: new Date(now - (monotonic - openedAt)).toISOString(),
        idleS: Math.floor((monotonic - usedAt) / 1000),
        streams: streamsRead,
      }))
  }

  get size(): number {
    return this.#sessions.size
  }

  close(): void {
    clearInterval(this.#sweeper)
    for (const session of this.#sessions.values()) this.end(session, new Refusal('SHUTTING_DOWN'))
  }

  /** An open standing stream keeps a session from being idle, but not from its absolute end. */
  #expired({ principal, openedAt, usedAt, standing }: Session): boolean {
    const { clock, endedAt } = this.#options
    const now = clock.monotonic()
    const ended = endedAt(principal)
    if (ended !== undefined && clock.now() - (now - openedAt) <= ended) return true
    return now - openedAt > lifetimeMs || (now - usedAt > idleMs && !standing?.attached)
  }
}
