/**
 * One configured server: which eras it speaks, and its links, one for each owner. An owner is a legacy session, or for
 * modern clients a principal with one set of capabilities; nothing of one owner is ever shown to another.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import { type Stop, unlessStopped, unstoppable } from '../lib/stop.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { isObject } from '../protocol/json-rpc.ts'
import type { Declaration } from '../protocol/revisions/2026-07-28/param-headers.ts'
import type { Era } from '../protocol/revisions/index.ts'
import { modern } from '../protocol/revisions/index.ts'
import { type Introduction, LegacyLink, NotLegacy } from './legacy-link.ts'
import { type Link, type LinkOptions, nothing } from './link.ts'
import { ModernLink } from './modern-link.ts'
import { checkParams, isMirrored } from './param-check.ts'
import { type Lessor, Passage } from './passage.ts'
import { speaksModern } from './probe.ts'
import type { ServerConfig } from './schema.ts'
import { TaskOwners } from './task-owners.ts'
import { ToolCatalog } from './tool-catalog.ts'
import { type Wire, WireError } from './wire.ts'

export interface ServerOptions extends Omit<LinkOptions, 'server' | 'timeouts' | 'learn' | 'http' | 'log'> {
  readonly id: string
  readonly config: ServerConfig
  readonly clock: Clock
  /** Writes down, before it happens, that we ask the server for its tools on a principal's behalf, unasked. */
  reading(principal: string): Promise<void>
  /** Opens a new connection; for a local server, a new process. */
  open(era: Era): Promise<Wire>
  log(line: string): void
}

export interface Lease {
  readonly link: Promise<Link>
  /** The link once it is open, so that a call need not wait for it. */
  open: Link | undefined
  readonly principal: string
  readonly session: string | undefined
  users: number
  usedAt: number
}

const httpIdleMs = 30 * 60_000
const sessionlessMax = 256
const catalogsMax = 1000
const pagesMax = 100

export class Server implements Lessor {
  readonly #options: ServerOptions
  readonly #leases = new Map<string, Lease>()
  readonly #catalogs = new Map<string, ToolCatalog>()
  /** What is known of the eras; an era that was not tried is absent. */
  readonly #speaks = new Map<Era, boolean>()
  #probing: Promise<boolean> | undefined
  readonly #wires = new Set<Wire>()
  #failures = 0
  #notBefore = 0

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Everything the server sends back for one call. */
  forward(call: Cleared, answers: readonly Cleared[], stop: Stop): Flow {
    return call.method === 'session/delete' ? nothing(() => this.#forget(call)) : new Passage(this, call, answers, stop)
  }

  /** A session is over: its own link is closed; on a link that others use, it is forgotten. Nothing is opened for it. */
  async #forget(call: Cleared): Promise<void> {
    for (const era of ['legacy', 'modern'] as const) {
      const key = this.#keyOf(call, era)
      const lease = this.#leases.get(key)
      if (lease === undefined) continue
      if (this.#isAlone(era)) await this.#release(key, lease)
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
    if (isMirrored(call)) await checkParams(call, (fresh) => this.declarations(call, fresh))
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
    lease.users--
    lease.usedAt = this.#options.clock.monotonic()
  }

  readonly underWay = new Set<Stop>()
  readonly tasks = new TaskOwners()

  /** The headers that a tool declares, from the list this principal may see; a promise when the server has to be asked. */
  declarations(call: Parcel, fresh: boolean): readonly Declaration[] | Promise<readonly Declaration[]> {
    const name = call.subject ?? ''
    const known = fresh ? undefined : this.#catalogs.get(call.principal.id)?.get(name)
    return known?.declared ?? this.#readList(call).then((catalog) => catalog.get(name)?.declared ?? [])
  }

  /** The tools list, all pages, for what it says of headers. It is shown to nobody. */
  async #readList(call: Parcel): Promise<ToolCatalog> {
    await this.#options.reading(call.principal.id)
    const catalog = new ToolCatalog()
    this.#keep(call.principal.id, catalog)
    let cursor: unknown
    for (let page = 0; page < pagesMax; page++) {
      const body = cursor === undefined ? {} : { cursor: cursor as string }
      const list = alongside(call, {
        leg: 'call',
        method: 'tools/list',
        concerns: 'server',
        subject: undefined,
        member: 'params',
        body,
      })
      const { value } = await this.forward(list as Cleared, [], unstoppable).next()
      cursor = (value as Parcel | undefined)?.member === 'result' ? (value as Parcel).body['nextCursor'] : undefined
      if (cursor === undefined) break
    }
    catalog.complete = true
    return catalog
  }

  /** Ends everything under way, streams included, and lets go of every connection. */
  async stop(reason: Refusal): Promise<void> {
    for (const stop of this.underWay) stop.stop(reason)
    const links = [...this.#leases.values()].map((lease) => lease.open)
    const wires = [...this.#wires] // these, and none that is opened while we wait
    this.#leases.clear()
    await Promise.all(links.map((link) => link?.close().catch(() => undefined)))
    await Promise.all(wires.map((wire) => wire.close().catch(() => undefined))) // also what was still being opened
  }

  /** Closes what nobody has used for a while. */
  sweep(): void {
    const { config, clock } = this.#options
    const idleMs = config.kind === 'stdio' ? config.idleMs : httpIdleMs
    for (const [key, lease] of this.#leases) {
      if (lease.users > 0 || clock.monotonic() - lease.usedAt < idleMs) continue
      void this.#release(key, lease)
    }
  }

  /** The lease of a link that is open already: the usual case, without a promise. */
  #present(call: Cleared): Lease | undefined {
    const { era } = this.#options.config
    const wanted = era === 'auto' ? call.origin.era : era
    const lease = era !== 'auto' || this.#speaks.get(wanted) ? this.#leases.get(this.#keyOf(call, wanted)) : undefined
    return lease?.open && lease
  }

  async #lease(call: Cleared): Promise<Lease> {
    const era = await this.#eraFor(call.origin.era)
    const key = this.#keyOf(call, era)
    const present = this.#leases.get(key)
    if (present) return present
    this.#makeRoom(call)
    const lease: Lease = {
      link: this.#open(call, era, key),
      open: undefined,
      principal: call.principal.id,
      session: call.origin.session,
      users: 0,
      usedAt: this.#options.clock.monotonic(),
    }
    this.#leases.set(key, lease)
    try {
      lease.open = await lease.link
      return lease
    } catch (error) {
      if (this.#leases.get(key) === lease) this.#leases.delete(key)
      if (!(error instanceof NotLegacy) || this.#speaks.get('modern') === false) throw error
      this.#speaks.set('legacy', false)
      return this.#lease(call)
    }
  }

  /** The client's own era where the server speaks it, else the other one: the bridge is the second choice. */
  async #eraFor(wanted: Era): Promise<Era> {
    const { era } = this.#options.config
    if (era !== 'auto') return era
    if (wanted === 'legacy') return this.#speaks.get('legacy') === false ? 'modern' : 'legacy'
    if (!this.#speaks.has('modern')) {
      this.#probing ??= speaksModern({ ...this.#options, open: (era) => this.#wire(era) }).finally(() => {
        this.#probing = undefined
      })
      this.#speaks.set('modern', await this.#probing)
    }
    return this.#speaks.get('modern') ? 'modern' : 'legacy'
  }

  #keyOf(call: Cleared, era: Era): string {
    const { config } = this.#options
    if (config.kind === 'stdio' && config.shared) return era
    if (era === 'modern') return config.kind === 'http' ? era : `${era}\n${call.principal.id}`
    if (call.origin.session !== undefined) return `${era}\n${call.principal.id}\n${call.origin.session}`
    const declared = createHash('sha256')
      .update(canonicalJson([call.origin.capabilities, call.origin.client ?? null]))
      .digest('base64url')
    return `${era}\n${call.principal.id}\n${declared}`
  }

  /**
   * A principal has so many processes, or connections that belong to no session, and no more; the one that was idle longest
   * makes room. (Sessions are bounded where they are opened.)
   */
  #makeRoom(call: Cleared): void {
    const { config, id } = this.#options
    if (config.kind === 'http' && call.origin.session !== undefined) return
    const own = [...this.#leases].filter(
      ([, { principal, session }]) => principal === call.principal.id && (config.kind === 'stdio' || session === undefined),
    )
    if (own.length < (config.kind === 'stdio' ? config.childrenMax : sessionlessMax)) return
    const [idle] = own.filter(([, lease]) => lease.users === 0 && lease.open).sort(([, one], [, two]) => one.usedAt - two.usedAt)
    if (!idle)
      throw new Refusal('RATE_LIMITED', {
        detail: `${config.kind === 'stdio' ? 'processes' : 'connections'} of "${id}"`,
        retryAfterS: 60,
      })
    void this.#release(...idle)
  }

  async #release(key: string, lease: Lease): Promise<void> {
    this.#leases.delete(key)
    await lease.link.then((link) => link.close()).catch(() => undefined)
  }

  async #open(call: Cleared, era: Era, key: string): Promise<Link> {
    await this.#backOff()
    const { config, id } = this.#options
    const wire = await this.#wire(era)
    const options = {
      ...this.#options,
      server: id,
      timeouts: config,
      http: config.kind === 'http',
      learn: (result: Parameters<ToolCatalog['learn']>[0]) => this.#catalogOf(call.principal.id).learn(result),
    }
    const link =
      era === 'modern'
        ? new ModernLink(wire, { ...options, declarations: (parcel, fresh) => this.declarations(parcel, fresh) })
        : new LegacyLink(wire, this.#introduce(call), options)
    void link.closed.then(() => {
      if (this.#leases.get(key)?.open !== link) return // another has taken its place
      this.#leases.delete(key)
      this.#stumbled()
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
    this.#speaks.set(era, true)
    this.#failures = 0
    return link
  }

  async #wire(era: Era): Promise<Wire> {
    const wire = await this.#options.open(era)
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
    if (waitMs > 1000) throw new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.id })
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
  }

  #introduce(call: Cleared): Introduction {
    const { config } = this.#options
    const alone = config.kind === 'http' || !config.shared
    const { era, version, client, capabilities } = call.origin
    return {
      protocolVersion: era === 'legacy' ? version : '2025-11-25',
      clientInfo: isObject(client) ? client : { name: 'sekisho', version: '0' },
      capabilities: alone ? capabilities : {},
    }
  }

  #catalogOf(principal: string): ToolCatalog {
    return this.#catalogs.get(principal) ?? this.#keep(principal, new ToolCatalog())
  }

  #keep(principal: string, catalog: ToolCatalog): ToolCatalog {
    this.#catalogs.delete(principal)
    const [oldest] = this.#catalogs.keys()
    if (this.#catalogs.size >= catalogsMax && oldest !== undefined) this.#catalogs.delete(oldest)
    this.#catalogs.set(principal, catalog)
    return catalog
  }

  /** What a link threw, in terms of this server. */
  explained(error: unknown): unknown {
    if (error instanceof NotLegacy)
      return new Refusal('UPSTREAM_INVALID', { detail: `it speaks none of our protocol versions (newest: ${modern.version})` })
    if (!(error instanceof WireError)) return error
    this.#options.log(`answered ${error.message}`)
    return new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.id })
  }
}
