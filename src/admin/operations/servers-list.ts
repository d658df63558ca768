import type { Config } from '../../config/schema.ts'
import { withoutSecrets } from '../../config/secrets.ts'
import type { ServerConfig } from '../../outbound/schema.ts'
import type { ServerSwitches } from '../../outbound/switches.ts'

export interface ServerRow {
  readonly id: string
  readonly kind: ServerConfig['kind']
  /** The command with what may be a secret masked, or the URL without its query. */
  readonly target: string
  readonly trust: ServerConfig['trust']
  /** Who disabled it, when (ISO 8601) and why; undefined while it is enabled. */
  readonly disabled: { readonly at: string; readonly by: string; readonly reason: string } | undefined
}

/** Every configured server and whether it is enabled. */
export async function serversList(config: Config, switches: ServerSwitches): Promise<readonly ServerRow[]> {
  const off = new Map(
    (await switches.disabledServers()).map(({ id, at, ...rest }) => [id, { at: new Date(at).toISOString(), ...rest }]),
  )
  return Object.entries(config.servers).map(([id, server]) => ({
    id,
    kind: server.kind,
    target: targetOf(server),
    trust: server.trust,
    disabled: off.get(id),
  }))
}

function targetOf(server: ServerConfig): string {
  if (server.kind === 'stdio') return withoutSecrets(server.command).join(' ')
  const { origin, pathname } = new URL(server.url)
  return origin + pathname
}
