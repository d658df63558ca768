/**
 * Who may knock: Host, Origin and the proxies in front (2026-07-28 Streamable HTTP, Security & Endpoint; CVE-2025-66414).
 * On by default on every route, because a web page can make a browser call 127.0.0.1.
 */
import { BlockList, isIP } from 'node:net'
import { isLoopback } from '../lib/loopback.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Headers } from '../protocol/revisions/2026-07-28/headers.ts'
import type { Address } from './schema.ts'

export interface DoorOptions {
  readonly listen: Address
  readonly publicUrl?: string | undefined
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly secure: boolean
}

export interface Visitor {
  readonly remote: string | undefined
  /** The Origin of a web page that may read our answers. */
  readonly origin: string | undefined
}

export class HostCheck {
  readonly #hosts: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>
  readonly #proxies = new BlockList()
  /** Plain http on a network is only ever spoken with a trusted proxy. */
  readonly #onlyProxies: boolean
  readonly #hasProxies: boolean

  constructor(options: DoorOptions) {
    const { listen, publicUrl, secure } = options
    const names = isLoopback(listen.host) ? ['localhost', '127.0.0.1', '[::1]'] : [bracketed(listen.host)]
    const own = names.map((name) => `${name}:${listen.port}`)
    const scheme = secure ? 'https' : 'http'
    const standard = listen.port === (secure ? 443 : 80) ? names : []
    this.#hosts = new Set([...own, ...standard, ...(publicUrl ? [new URL(publicUrl).host] : []), ...options.allowedHosts])
    this.#origins = new Set([
      ...own.map((host) => `${scheme}://${host}`),
      ...(publicUrl ? [publicUrl] : []),
      ...options.allowedOrigins,
    ])
    for (const network of options.trustedProxies) {
      const [address, prefix] = network.split('/') as [string, string?]
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (prefix === undefined) this.#proxies.addAddress(address, family)
      else this.#proxies.addSubnet(address, Number(prefix), family)
    }
    this.#hasProxies = options.trustedProxies.length > 0
    this.#onlyProxies = !secure && !isLoopback(listen.host)
  }

  /** Throws HOST_REFUSED or ORIGIN_REFUSED. */
  admit(headers: Headers, remote: string | undefined): Visitor {
    const proxied = remote !== undefined && this.#isProxy(remote)
    if (this.#onlyProxies && !(proxied && headers['x-forwarded-proto'] === 'https')) throw new Refusal('HOST_REFUSED')
    const host = (proxied ? headers['x-forwarded-host'] : undefined) ?? headers['host']
    if (host === undefined || !this.#hosts.has(host.toLowerCase())) throw new Refusal('HOST_REFUSED')
    const origin = headers['origin']
    if (origin !== undefined && !this.#origins.has(origin.toLowerCase())) throw new Refusal('ORIGIN_REFUSED')
    return { remote: proxied ? this.#clientOf(headers['x-forwarded-for'], remote) : remote, origin }
  }

  /** The last address in X-Forwarded-For that is not a proxy of ours: the earlier ones anyone could have written. */
  #clientOf(forwarded: string | undefined, remote: string): string {
    const hops = (forwarded ?? '').split(',').map((hop) => hop.trim())
    return hops.reverse().find((hop) => isIP(hop) !== 0 && !this.#isProxy(hop)) ?? remote
  }

  #isProxy(address: string): boolean {
    if (!this.#hasProxies) return false
    const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
    return isIP(plain) !== 0 && this.#proxies.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
  }
}

const bracketed = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host.toLowerCase())
