/** The library's door. Everything exported here is public: documented, and changed only with a note in CHANGELOG.md. */

import type { AuditSink } from './audit/sink.ts'
import { readEnvironment } from './config/environment.ts'
import { parseConfig } from './config/load.ts'
import type { Config } from './config/schema.ts'
import { type Gateway, type GatewayEvent, openGateway } from './gateway.ts'
import type { Fetch } from './outbound/upstreams.ts'
import type { Guard } from './pipeline/guard.ts'
import type { KeyVaultAccess } from './vault/key-providers/key-vault-client.ts'

export { ConfigRefused, type Problem } from './config/problem.ts'
export type { Finding, Mode, Verdict } from './pipeline/guard.ts'
export type { Parcel, Principal } from './pipeline/parcel.ts'
export { Refusal } from './pipeline/refusal.ts'
export type { AuditSink, Fetch, GatewayEvent, Guard, KeyVaultAccess }

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
  /** Checks of your own, asked after ours; each sees what ours have cleared. */
  readonly guards?: readonly Guard[]
  /** Further places for the audit record. */
  readonly sinks?: readonly AuditSink[]
  /** For `vault.keyProvider: { kind: key-vault }`: how Azure Key Vault is reached, and a token for a scope. */
  readonly keyVault?: KeyVaultAccess
  /** Told of every decision as it is taken; must not throw. */
  tell?(event: GatewayEvent): void
}

/** A gateway whose options can change while it runs; `reload` throws {@link ConfigRefused} and then changes nothing. */
export type LibraryGateway = Omit<Gateway, 'reload'> & { reload(options: CreateGatewayOptions): Promise<void> }

/**
 * Opens a gateway. `gateway.fetch(request)` answers `/{server}/mcp` and `/mcp`; nothing listens on a port until
 * `gateway.listen()`. Throws {@link ConfigRefused} with mistakes in the options, and where they are.
 */
export async function createGateway(options: CreateGatewayOptions, surroundings: Surroundings = {}): Promise<LibraryGateway> {
  const { folder = process.cwd(), ...rest } = surroundings
  const fetches: Record<string, Fetch> = {}
  for (const [id, { fetch }] of Object.entries(options.servers)) if (fetch) fetches[id] = fetch
  const gateway = await openGateway({ config: configOf(options, folder), fetches, ...rest })
  return { ...gateway, reload: (next) => gateway.reload(configOf(next, folder)) }
}

/** Stands for a server in this process; no request is ever sent there. */
const inProcess = 'http://localhost/mcp'

function configOf({ servers, ...rest }: CreateGatewayOptions, folder: string): Config {
  const described = Object.entries(servers).map(([id, { fetch, ...server }]) => [
    id,
    fetch ? { url: inProcess, ...server } : server,
  ])
  return parseConfig(JSON.stringify({ ...rest, servers: Object.fromEntries(described) }), folder, readEnvironment())
}
