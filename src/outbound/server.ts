/**
 * One configured server: which eras it speaks, and its links, one for each owner. An owner is a legacy session, or for
 * modern clients a principal with one set of capabilities; nothing of one owner is ever shown to another.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import type { Era } from '../protocol/revisions/index.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { modern } from '../protocol/revisions/index.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { type Introduction, LegacyLink, NotLegacy } from './legacy-link.ts'
import type { Link, LinkOptions, Parcels } from './link.ts'
import { ModernLink } from './modern-link.ts'
import { speaksModern } from './probe.ts'
import type { ServerConfig } from './schema.ts'
import { ToolCatalog, type ToolFacts } from './tool-catalog.ts'
import { WireError, type Wire } from './wire.ts'
import type { Declaration } from '../protocol/revisions/2026-07-28/param-headers.ts'

export interface ServerOptions extends Omit<LinkOptions, 'server' | 'timeouts' | 'learn' | 'http' | 'log'> {
  readonly id: string
  readonly config: ServerConfig
  readonly clock: Clock
  /** Opens a new connection; for a local server, a new process. */
  open(era: Era): Promise<Wire>
  log(line: string): void
}

interface Lease {
  readonly link: Promise<Link>
  readonly principal: string
  users: number
  usedAt: number
}

const httpIdleMs = 30 * 60_000
const catalogsMax = 1000

export class Server {
  readonly #options: ServerOptions
  readonly #leases = new Map<string, Lease>()
  readonly #catalogs = new Map<string, ToolCatalog>()
  /** What is known of the eras; an era that was not tried is absent. */
  readonly #speaks = new Map<Era, boolean>()
  #probing: Promise<boolean> | undefined
  readonly #underWay = new Set<AbortController>()
  #failures = 0
  #notBefore = 0

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Everything the server sends back for one call. */
  async *forward(call: Cleared, answers: readonly Cleared[], signal: AbortSignal): Parcels {
    const stop = new AbortController()
    const abort = (): void => stop.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    this.#underWay.add(stop)
    let lease: Lease | undefined
    try {
      lease = await this.#lease(call)
      lease.users++
      const link = await lease.link
      yield* link.forward(call, answers, stop.signal)
    } catch (error) {
      throw this.#explained(error)
    } finally {
      signal.removeEventListener('abort', abort)
      this.#underWay.delete(stop)
      if (lease) {
        lease.users--
        lease.usedAt = this.#options.clock.monotonic()
      }
    }
  }

  /** What the server said of a tool, to this principal. `fresh` asks again; nothing is asked when a whole list is known. */
  async tool(call: Parcel, name: string, fresh: boolean): Promise<ToolFacts | undefined> {
    const known = this.known(call.principal.id, name)
    if (known && !fresh) return known
    const catalog = this.#catalogOf(call.principal.id)
    if (catalog.complete && !fresh) return undefined
    const list = Object.freeze({ ...call, method: 'tools/list', leg: 'call', concerns: 'server', subject: undefined, strayHeaders: {}, body: {} }) as Cleared
    let cursor: unknown
    for (let page = 0; page < 100; page++) {
      const paged = { ...list, body: cursor === undefined ? {} : { cursor } } as Cleared
      for await (const parcel of this.forward(paged, [], new AbortController().signal)) cursor = parcel.member === 'result' ? parcel.body['nextCursor'] : undefined
      if (cursor === undefined) break
    }
    catalog.complete = true
    return catalog.get(name)
  }

  known(principal: string, name: string): ToolFacts | undefined {
    return this.#catalogs.get(principal)?.get(name)
  }

  /** Ends everything under way, streams included, and lets go of every connection. */
  async stop(reason: Refusal): Promise<void> {
    for (const stop of this.#underWay) stop.abort(reason)
    const links = [...this.#leases.values()].map((lease) => lease.link)
    this.#leases.clear()
    await Promise.all(links.map((link) => link.then((open) => open.close()).catch(() => undefined)))
  }

  /** Closes what nobody has used for a while. */
  sweep(): void {
    const { config, clock } = this.#options
    const idleMs = config.kind === 'stdio' ? config.idleMs : httpIdleMs
    for (const [key, lease] of this.#leases) {
      if (lease.users > 0 || clock.monotonic() - lease.usedAt < idleMs) continue
      this.#leases.delete(key)
      void lease.link.then((link) => link.close()).catch(() => undefined)
    }
  }

  async #lease(call: Cleared): Promise<Lease> {
    const era = await this.#eraFor(call.origin.era)
    const key = this.#keyOf(call, era)
    const present = this.#leases.get(key)
    if (present) return present
    this.#refuseCrowd(call.principal.id)
    const lease: Lease = { link: this.#open(call, era, key), principal: call.principal.id, users: 0, usedAt: this.#options.clock.monotonic() }
    this.#leases.set(key, lease)
    try {
      await lease.link
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
      this.#probing ??= speaksModern(this.#options).finally(() => {
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
    const declared = createHash('sha256').update(canonicalJson([call.origin.capabilities, call.origin.client ?? null])).digest('base64url')
    return `${era}\n${call.principal.id}\n${declared}`
  }

  #refuseCrowd(principal: string): void {
    const { config } = this.#options
    if (config.kind !== 'stdio') return
    let children = 0
    for (const lease of this.#leases.values()) if (lease.principal === principal) children++
    if (children >= config.childrenMax) throw new Refusal('RATE_LIMITED', { detail: `processes of "${this.#options.id}"`, retryAfterS: 60 })
  }

  async #open(call: Cleared, era: Era, key: string): Promise<Link> {
    await this.#backOff()
    const { config, open, id } = this.#options
    const wire = await open(era)
    const options = {
      ...this.#options,
      server: id,
      timeouts: config,
      http: config.kind === 'http',
      learn: (result: Parameters<ToolCatalog['learn']>[0]) => this.#catalogOf(call.principal.id).learn(result),
    }
    const link = era === 'modern' ? new ModernLink(wire, { ...options, declarations: (parcel, fresh) => this.#declarations(parcel, fresh) }) : new LegacyLink(wire, this.#introduce(call), options)
    void link.closed.then(() => {
      if (this.#leases.delete(key)) this.#notBefore = this.#options.clock.monotonic() + Math.min(100 * 2 ** this.#failures++, 10_000)
    })
    if (link instanceof LegacyLink) {
      try {
        await link.initialize()
      } catch (error) {
        await wire.close()
        throw error
      }
    }
    this.#speaks.set(era, true)
    this.#failures = 0
    return link
  }

  /** A server that keeps falling over is given time, and callers are told so at once. */
  async #backOff(): Promise<void> {
    const waitMs = this.#notBefore - this.#options.clock.monotonic()
    if (waitMs > 1000) throw new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.id })
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
  }

  async #declarations(call: Parcel, fresh: boolean): Promise<readonly Declaration[]> {
    return (await this.tool(call, call.subject ?? '', fresh))?.declared ?? []
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
    let catalog = this.#catalogs.get(principal)
    if (!catalog) {
      if (this.#catalogs.size >= catalogsMax) this.#catalogs.delete(this.#catalogs.keys().next().value as string)
      this.#catalogs.set(principal, (catalog = new ToolCatalog()))
    }
    return catalog
  }

  #explained(error: unknown): unknown {
    if (error instanceof NotLegacy) return new Refusal('UPSTREAM_INVALID', { detail: `it speaks none of our protocol versions (newest: ${modern.version})` })
    if (!(error instanceof WireError)) return error
    this.#options.log(`answered ${error.message}`)
    return new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.id })
  }
}
