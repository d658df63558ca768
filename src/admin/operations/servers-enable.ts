import type { Config } from '../../config/schema.ts'
import type { ServerSwitches } from '../../outbound/switches.ts'
import { serverOf } from '../server-of.ts'

/** Lets a disabled server serve again. False when it was not disabled. A server that left the configuration counts too. */
export async function serversEnable(config: Config, switches: ServerSwitches, id: string, by: string): Promise<boolean> {
  const isEnabled = await switches.enableServer(id, by)
  if (!isEnabled) serverOf(config, id)
  return isEnabled
}
