import type { Config } from '../../config/schema.ts'
import type { ServerSwitches } from '../../outbound/switches.ts'
import { serverOf } from '../server-of.ts'

/** Cuts a server off at once, for everyone, until it is enabled again. The switch and its record are one transaction. */
export async function serversDisable(
  config: Config,
  switches: ServerSwitches,
  id: string,
  by: string,
  reason: string,
): Promise<void> {
  serverOf(config, id)
  await switches.disableServer(id, by, reason)
}
