/** The library's door. Everything exported here is public: documented, and changed only with a note in CHANGELOG.md. */
import { readEnvironment } from './config/environment.ts'
import { parseConfig } from './config/load.ts'
import { type Gateway, type GatewayEvent, openGateway } from './gateway.ts'
import type { Fetch } from './outbound/upstreams.ts'

export type { AuditSink } from './audit/sink.ts'
export { ConfigRefused, type Problem } from './config/problem.ts'
export type { Finding, Guard, Mode, Verdict } from './pipeline/guard.ts'
export type { Parcel, Principal } from './pipeline/parcel.ts'
export { Refusal } from './pipeline/refusal.ts'
export type { Fetch, Gateway, GatewayEvent }

export interface CreateGatewayOptions {
  /**
   * As in `sekisho.yaml`, key for key (see docs/reference/configuration.md). A server in this process has `fetch`, a
   * function from Request to Response, instead of `command` or `url`.
   */
  readonly servers: Readonly<Record<string, { readonly fetch?: Fetch; readonly [key: string]: unknown }>>
  readonly [key: string]: unknown
}

export interface Surroundings {
  /** What relative paths are relative to; default: the working directory. */
  readonly folder?: string
  /** Told of every decision as it is taken; must not throw. */
  tell?(event: GatewayEvent): void
}

/**
 * Opens a gateway. `gateway.fetch(request)` answers `/{server}/mcp` and `/mcp`; nothing listens on a port until
 * `gateway.listen()`. Throws {@link ConfigRefused} with every mistake in the options.
 */
export async function createGateway(
  { servers, ...rest }: CreateGatewayOptions,
  { folder = process.cwd(), tell }: Surroundings = {},
): Promise<Gateway> {
  const fetches: Record<string, Fetch> = {}
  const described = Object.entries(servers).map(([id, { fetch, ...server }]) => {
    if (!fetch) return [id, server]
    fetches[id] = fetch
    return [id, { url: inProcess, ...server }]
  })
  const config = parseConfig(JSON.stringify({ ...rest, servers: Object.fromEntries(described) }), folder, readEnvironment())
  return openGateway({ config, fetches, ...(tell && { tell }) })
}

/** Stands for a server in this process; no request is ever sent there. */
const inProcess = 'http://localhost/mcp'
