/**
 * One configured server: which eras it speaks, and its links, one for each owner. An owner is a legacy session, or for
 * modern clients a principal with one set of capabilities; nothing of one owner is ever shown to another.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import { type Stop, unlessStopped, unstoppable } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { implementation } from '../lib/version.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Parcel, Principal } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { type Era, newestLegacy } from '../protocol/revisions/index.ts'
import { Announcements } from './announced.ts'
import { Catalogs, type Reading } from './catalogs.ts'
import { isPersonal } from './credentials/schema.ts'
import { type Lease, Leases } from './leases.ts'
import { LegacyLink } from './legacy-link.ts'
import { type Introduction, NotLegacy } from './legacy-session.ts'
import { type Link, type LinkOptions, nothing } from './link.ts'
import { ModernLink } from './modern-link.ts'
import { checkParams, isMirrored } from './param-check.ts'
import { type Lessor, Passage } from './passage.ts'
import { speaksModern } from './probe.ts'
import type { ServerConfig } from './schema.ts'
import { Suspended } from './suspended.ts'
import type { TaskOwners } from './task-owners.ts'
import { type Wire, WireError } from './wire.ts'

export interface ServerOptions extends Omit<LinkOptions, 'timeouts' | 'suspended' | 'learn' | 'http' | 'log'> {
  readonly id: string
  readonly config: ServerConfig
  readonly clock: Clock
  readonly tasks: TaskOwners
  /** Writes down, before it happens, that we ask the server for its tools on a principal's behalf, unasked. */
  reading(principal: string, why: Reading): Promise<void>
  /** Opens a new connection with the credential that this principal has there; for a local server, a new process. */
  open(era: Era, principal: Principal): Promise<Wire>
  log(line: string): void
}

export class Server implements Lessor {
  readonly #options: ServerOptions
  readonly #leases: Leases
  readonly #catalogs: Catalogs
  /** What is known of the eras; an era that was not tried is absent. */
  readonly #speaks = new Map<Era, boolean>()
  /** By whose credential: what one caller is told of theirs is not for another. */
  readonly #probing = new Map<string, Promise<boolean>>()
  readonly #wires = new Set<Wire>()
  readonly #suspended = new Suspended()
  #closed: Refusal | undefined
  #failures = 0
  #notBefore = 0

  constructor(options: ServerOptions) {
    this.#options = options
    this.tasks = options.tasks
    this.#leases = new Leases(options)
    this.#catalogs = new Catalogs({
      reading: (principal, why) => options.reading(principal, why),
      forward: (call) => this.forward(call, [], unstoppable),
    })
  }

  /** See {@link Catalogs.entries}. */
  entries(call: Parcel, method: string, items: string): Promise<readonly JsonObject[]> {
    return this.#catalogs.entries(call, method, items)
  }

  /** See {@link Catalogs.introduction}. */
  introduction(call: Parcel): Promise<JsonObject> {
    return this.#catalogs.introduction(call)
  }

  /** Everything the server sends back for one call. */
  forward(call: Cleared, answers: readonly Cleared[], stop: Stop): Flow {
    if (call.method === 'session/delete') return nothing(() => this.#forget(call))
    const passage = new Passage(this, call, answers, stop)
    const isStanding = call.method === 'session/stream' || call.method === 'subscriptions/listen'
    return isStanding ? this.announcements.on(passage, call, this.#options.methods) : passage
  }

  /** A session is over: its own link is closed; on a link that others use, it is forgotten. Nothing is opened for it. */
  async #forget(call: Cleared): Promise<void> {
    for (const era of ['legacy', 'modern'] as const) {
      const key = this.#keyOf(call, era)
      const lease = this.#leases.get(key)
      if (lease === undefined) continue
      if (this.#isAlone(era)) await this.#leases.close(key)
      else await lease.open?.forward(call, [], unstoppable).next()
    }
  }

  /** True where a link is for one session or principal only. */
  #isAlone(era: Era): boolean {
    const { config } = this.#options
    return era === 'legacy' && !(config.kind === 'stdio' && config.shared)
  }

  /** The flow of a call over the right link, and the lease that keeps the link. For {@link Passage} only. */
  async begin(call: Cleared, answers: readonly Cleared[], stop: Stop): Promise<{ readonly flow: Flow; readonly lease: Lease }> {
    this.tasks.admit(call)
    if (isMirrored(call)) await checkParams(call, (fresh) => this.#catalogs.declarations(call, fresh))
    const lease = this.#present(call) ?? (await unlessStopped(stop, this.#lease(call)))
    lease.users++
    try {
      return { flow: (lease.open ?? (await lease.link)).forward(call, answers, stop), lease }
    } catch (error) {
      this.end(lease)
      throw error
    }
  }

  end(lease: Lease): void {
    this.#leases.end(lease)
  }

  readonly announcements = new Announcements()
  readonly underWay = new Set<Stop>()
  readonly tasks: TaskOwners

  /** Ends everything under way, streams and suspended calls included, and lets go of every connection. */
  async stop(reason: Refusal): Promise<void> {
    for (const stop of this.underWay) stop.stop(reason)
    const wires = [...this.#wires] // these, and none that is opened while we wait
    await Promise.all([this.#suspended.close(), this.#leases.clear()])
    await Promise.all(wires.map((wire) => wire.close().catch(() => undefined))) // also what was still being opened
  }

  /** Stops it for good: no connection is opened any more. */
  close(reason: Refusal): Promise<void> {
    this.#closed = reason
    return this.stop(reason)
  }

  sweep(): void {
    this.#leases.sweep()
  }

  /** The lease of a link that is open already: the usual case, without a promise. */
  #present(call: Cleared): Lease | undefined {
    const { era } = this.#options.config
    const wanted = era === 'auto' ? call.origin.era : era
    const lease = era !== 'auto' || this.#speaks.get(wanted) ? this.#leases.get(this.#keyOf(call, wanted)) : undefined
    return lease?.open && lease
  }

  async #lease(call: Cleared): Promise<Lease> {
    const era = await this.#eraFor(call)
    const key = this.#keyOf(call, era)
    const present = this.#leases.get(key)
    if (present) return present
    try {
      return await this.#leases.begin(key, call, () => this.#open(call, era, key))
    } catch (error) {
      const isOpen = this.#options.config.era === 'auto' && this.#speaks.get('legacy') !== true
      // The error may be about this caller alone, and an earlier probe may have been too short: only a modern answer decides.
      if (!(error instanceof NotLegacy) || !isOpen || !(await this.#speaksModern(call.principal))) throw error
      this.#speaks.set('legacy', false)
      return this.#lease(call)
    }
  }

  /** The client's own era where the server speaks it, else the other one: the bridge is the second choice. */
  async #eraFor({ origin: { era: wanted }, principal }: Cleared): Promise<Era> {
    const { era } = this.#options.config
    if (era !== 'auto') return era
    if (wanted === 'legacy') return this.#speaks.get('legacy') === false ? 'modern' : 'legacy'
    return (this.#speaks.get('modern') ?? (await this.#speaksModern(principal))) ? 'modern' : 'legacy'
  }

  async #speaksModern(principal: Principal): Promise<boolean> {
    const holder = this.#isPersonal ? principal.holder : ''
    const probing =
      this.#probing.get(holder) ??
      speaksModern({ ...this.#options, open: (era) => this.#wire(era, principal) }).finally(() => this.#probing.delete(holder))
    this.#probing.set(holder, probing)
    const answer = await probing
    this.#speaks.set('modern', answer)
    return answer
  }

  /** True where a connection carries the credential of one principal, and is therefore nobody else's. */
  get #isPersonal(): boolean {
    const { config } = this.#options
    return config.kind === 'stdio' ? !config.shared : isPersonal(config.credential)
  }

  #keyOf(call: Cleared, era: Era): string {
    const { config } = this.#options
    if (config.kind === 'stdio' && config.shared) return era
    if (era === 'modern') return this.#isPersonal ? `${era}\n${call.principal.holder}` : era
    if (call.origin.session !== undefined) return `${era}\n${call.principal.holder}\n${call.origin.session}`
    const declared = createHash('sha256')
      .update(canonicalJson([call.origin.capabilities, call.origin.client ?? null]))
      .digest('base64url')
    return `${era}\n${call.principal.holder}\n${declared}`
  }

  async #open(call: Cleared, era: Era, key: string): Promise<Link> {
    await this.#backOff()
    const { config } = this.#options
    const wire = await this.#wire(era, call.principal)
    const options = {
      ...this.#options,
      timeouts: config,
      http: config.kind === 'http',
      suspended: this.#suspended,
      learn: ({ principal }: Parcel, result: JsonObject) => this.#catalogs.learn(principal.holder, result),
    }
    const link =
      era === 'modern'
        ? new ModernLink(wire, { ...options, declarations: (parcel, fresh) => this.#catalogs.declarations(parcel, fresh) })
        : new LegacyLink(wire, this.#introduce(call), options)
    void link.closed.then(() => {
      if (this.#leases.lost(key, link)) this.#stumbled()
    })
    if (link instanceof LegacyLink) {
      try {
        await link.initialize()
      } catch (error) {
        await wire.close()
        if (!(error instanceof NotLegacy)) this.#stumbled()
        throw error
      }
    }
    if (era === 'legacy') this.#speaks.set('legacy', true)
    this.#failures = 0
    return link
  }

  async #wire(era: Era, principal: Principal): Promise<Wire> {
    if (this.#closed) throw this.#closed
    const wire = await this.#options.open(era, principal)
    if (this.#closed) {
      await wire.close() // we were closed while it was being opened, and nobody else knows of it
      throw this.#closed
    }
    this.#wires.add(wire)
    void wire.closed.then(() => this.#wires.delete(wire))
    return wire
  }

  #stumbled(): void {
    this.#notBefore = this.#options.clock.monotonic() + Math.min(100 * 2 ** this.#failures++, 10_000)
  }

  /** A server that keeps falling over is given time, and callers are told so at once. */
  async #backOff(): Promise<void> {
    const waitMs = this.#notBefore - this.#options.clock.monotonic()
    if (waitMs > 1000)
      throw new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.id, cause: 'it keeps failing, and is given time' })
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
  }

  #introduce(call: Cleared): Introduction {
    const { config } = this.#options
    const alone = config.kind === 'http' || !config.shared
    const { era, version, client, capabilities } = call.origin
    return {
      protocolVersion: era === 'legacy' ? version : newestLegacy,
      clientInfo: client ?? implementation,
      capabilities: alone ? capabilities : {},
    }
  }

  /** What a link threw, in terms of this server. */
  explained(error: unknown): unknown {
    if (error instanceof NotLegacy)
      return new Refusal('UPSTREAM_INVALID', { detail: `it answered initialize with an error, ${error.code}` })
    if (!(error instanceof WireError)) return error
    this.#options.log(`answered ${error.message}`)
    return new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.id, cause: error.message })
  }
}
