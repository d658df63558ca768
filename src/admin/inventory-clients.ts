/** What the clients of this machine start or call, for the inventory: with secrets replaced, because an inventory is handed on. */

import type { Config } from '../config/schema.ts'
import { baseOf } from '../inbound/base.ts'
import { discover } from '../trust/clients/discover.ts'
import { ownCommand } from '../trust/clients/findings.ts'
import type { Launcher } from '../trust/clients/guarded.ts'
import type { Places } from '../trust/clients/known.ts'
import { leadsTo } from '../trust/clients/shadow.ts'
import type { Reached, Sources } from '../trust/supply/inventory.ts'
import { shownUrl, shownWords } from './operations/masking.ts'

export interface ClientsHere {
  readonly places: Places
  readonly projects: readonly string[]
  readonly launcher: Launcher
}

/** Those that a client has switched off are there, too. What leads to our gateway is the gateway. Rejects for a file that cannot be read. */
export function clientsHere({ places, projects, launcher }: ClientsHere, config: Config): NonNullable<Sources['clients']> {
  const files = discover(places, projects)
  const broken = files.find(({ source }) => source === undefined)
  if (broken !== undefined)
    throw Object.assign(new Error(`${broken.file}: ${broken.problems[0]?.message}`), {
      fix: 'correct the file: an inventory that leaves something out looks as if it were whole',
    })
  return files.flatMap(({ client, servers }) =>
    servers.flatMap((server) => {
      const { words, url } = ownCommand(server, launcher)
      if (url === undefined)
        return { client, name: server.name, reached: { kind: 'stdio', command: shownWords(words) } as Reached }
      if (leadsTo(url, [baseOf(config)])) return []
      return { client, name: server.name, reached: { kind: 'http', url: shownUrl(url) } as Reached }
    }),
  )
}
