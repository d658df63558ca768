/**
 * A configuration that serves nobody: servers are looked at through the gateway itself, with the same doors, bounds and sandbox
 * as in daily use, and a record that is thrown away with its folder. Whatever they say is noted and held.
 */
import { join } from 'node:path'
import { parseConfig } from './load.ts'
import type { Config } from './schema.ts'

/** Where requests to a gateway that opens no sockets are addressed to. */
export const lookAddress = '127.0.0.1:4180'
export const lookStore = (folder: string): string => `sqlite:${join(folder, 'look.db')}`

/** `servers`: as they are written in a document. `folder`: for the record; relative paths of servers are relative to `base`. */
export function lookConfig(folder: string, base: string, servers: Readonly<Record<string, object>>): Config {
  const document = {
    listen: lookAddress,
    store: lookStore(folder),
    vault: { keyFile: join(folder, 'key') },
    audit: { path: join(folder, 'audit.db'), anchor: join(folder, 'audit.anchor') },
    pins: { firstUse: 'hold', additions: 'hold', cosmetic: 'hold' },
    guards: [{ guard: 'trust', mode: 'monitor' }],
    roles: { look: [{ effect: 'allow', server: '*', tools: ['*'], prompts: ['*'], resources: ['*'] }] },
    bindings: [{ role: 'look', anonymous: true }],
    limits: { principal: { perMinute: 'unlimited', concurrent: 'unlimited' } },
    servers,
  }
  return parseConfig(JSON.stringify(document), base)
}
