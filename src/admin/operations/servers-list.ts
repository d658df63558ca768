import type { Config } from '../../config/schema.ts'
import type { ServerConfig } from '../../outbound/schema.ts'
import type { DisabledServer, ServerSwitches } from '../../outbound/switches.ts'

export interface ServerRow {
  readonly id: string
  readonly kind: ServerConfig['kind']
  /** The program, or the URL without its query. */
  readonly target: string
  readonly trust: ServerConfig['trust']
  /** Who disabled it, when and why; undefined while it is enabled. */
  readonly disabled: Omit<DisabledServer, 'id'> | undefined
}

/** Every configured server and whether it is enabled. */
export async function serversList(config: Config, switches: ServerSwitches): Promise<readonly ServerRow[]> {
  const off = new Map((await switches.disabledServers()).map(({ id, ...rest }) => [id, rest]))
  return Object.entries(config.servers).map(([id, server]) => ({
    id,
    kind: server.kind,
    target: targetOf(server),
    trust: server.trust,
    disabled: off.get(id),
  }))
}

function targetOf(server: ServerConfig): string {
  if (server.kind === 'stdio') return server.command[0]
  const { origin, pathname } = new URL(server.url)
  return origin + pathname
}
