/** The links to one server, by whom they are for: made when one is needed, shared while it is used, closed when it was idle for long. */
import type { Clock } from '../lib/clock.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Link } from './link.ts'
import type { ServerConfig } from './schema.ts'

export interface Lease {
  readonly link: Promise<Link>
  /** The link once it is open, so that a call need not wait for it. */
  open: Link | undefined
  readonly principal: string
  readonly session: string | undefined
  users: number
  usedAt: number
}

interface LeasesOptions {
  readonly id: string
  readonly config: ServerConfig
  readonly clock: Clock
}

const httpIdleMs = 30 * 60_000
const sessionlessMax = 256

export class Leases {
  readonly #options: LeasesOptions
  readonly #leases = new Map<string, Lease>()

  constructor(options: LeasesOptions) {
    this.#options = options
  }

  get(key: string): Lease | undefined {
    return this.#leases.get(key)
  }

  /** A new link for the sender of a call. Throws RATE_LIMITED when it has too many in use, and whatever opening it throws. */
  async begin(key: string, call: Cleared, open: () => Promise<Link>): Promise<Lease> {
    this.#makeRoom(call)
    const lease: Lease = {
      link: open(),
      open: undefined,
      principal: call.principal.holder,
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
      throw error
    }
  }

  /** One use of it is over. */
  end(lease: Lease): void {
    lease.users--
    lease.usedAt = this.#options.clock.monotonic()
  }

  async close(key: string): Promise<void> {
    const lease = this.#leases.get(key)
    this.#leases.delete(key)
    await lease?.link.then((link) => link.close()).catch(() => undefined)
  }

  /** The link has closed by itself. False when another has taken its place, or nobody holds it any more. */
  lost(key: string, link: Link): boolean {
    return this.#leases.get(key)?.open === link && this.#leases.delete(key)
  }

  /** Closes what nobody has used for a while. */
  sweep(): void {
    const { config, clock } = this.#options
    const idleMs = config.kind === 'stdio' ? config.idleMs : httpIdleMs
    for (const [key, lease] of this.#leases)
      if (lease.users === 0 && clock.monotonic() - lease.usedAt >= idleMs) void this.close(key)
  }

  /** Closes every link that is open, whoever uses it. */
  async clear(): Promise<void> {
    const links = [...this.#leases.values()].map((lease) => lease.open)
    this.#leases.clear()
    await Promise.all(links.map((link) => link?.close().catch(() => undefined)))
  }

  /**
   * A principal has so many processes, or connections that belong to no session, and no more; the one that was idle longest
   * makes room. (Sessions are bounded where they are opened.)
   */
  #makeRoom(call: Cleared): void {
    const { config, id } = this.#options
    if (config.kind === 'http' && call.origin.session !== undefined) return
    const own = [...this.#leases].filter(
      ([, { principal, session }]) => principal === call.principal.holder && (config.kind === 'stdio' || session === undefined),
    )
    if (own.length < (config.kind === 'stdio' ? config.childrenMax : sessionlessMax)) return
    const [idle] = own.filter(([, lease]) => lease.users === 0 && lease.open).sort(([, one], [, two]) => one.usedAt - two.usedAt)
    const what = config.kind === 'stdio' ? 'processes' : 'connections'
    if (!idle) throw new Refusal('RATE_LIMITED', { detail: `${what} of "${id}"`, retryAfterS: 60 })
    void this.close(idle[0])
  }
}
