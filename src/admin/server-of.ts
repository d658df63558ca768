import { suggest } from '../config/nearest.ts'
import type { Config } from '../config/schema.ts'
import type { ServerConfig } from '../outbound/schema.ts'

/** The server of that id, or an error that names the nearest one. */
export function serverOf(config: Config, id: string): ServerConfig {
  const server = config.servers[id]
  if (server === undefined) throw new Error(`there is no server "${id}"; ${suggest(id, Object.keys(config.servers))}`)
  return server
}
