/**
 * What a sandbox is granted, as far as it can be judged by the paths alone, and with a place in the document to point at. What
 * they lead to on the disk is looked at again before each start (outbound/sandbox/grants.ts).
 */
import { neverFor } from '../outbound/sandbox/grants.ts'
import { isWithin } from '../outbound/sandbox/paths.ts'
import { ownFiles } from './own-files.ts'
import type { Complaint, Path } from './problem.ts'
import type { Config } from './schema.ts'

interface Grant {
  readonly at: Path
  readonly key: 'read' | 'write'
  readonly path: string
}

/** `folder`: that of the document, which must not be written by whom it is about. Paths are absolute. */
export function grantsAtFault(config: Parameters<typeof ownFiles>[0], folder: string): Complaint[] {
  const grants = grantsIn(config.servers)
  const writable = grants.filter(({ key }) => key === 'write')
  const ours = ownFiles(config)
  return grants.flatMap(({ at, key, path }): Complaint[] => {
    const never = neverFor(path)
    if (never !== undefined)
      return [{ path: at, message: `names ${path}, which ${never}`, fix: 'name the folder that the server needs' }]
    const held = ours.find((file) => isWithin(file, path))
    if (held !== undefined)
      return [
        { path: at, message: `holds ${held}, a file of the gateway`, fix: 'name a narrower folder, or keep that file elsewhere' },
      ]
    const around = ours.find((file) => key === 'write' && isWithin(path, file))
    if (around !== undefined)
      return [{ path: at, message: `lies in ${around}, a folder of the gateway`, fix: 'name a folder outside of it' }]
    if (key === 'write' && isWithin(folder, path))
      return [
        {
          path: at,
          message: 'holds this configuration',
          fix: 'name a folder in it: who can write this file can grant itself more',
        },
      ]
    const outer = writable.find((other) => other.path !== path && isWithin(path, other.path))
    if (outer === undefined) return []
    const message = `lies in ${outer.path}, where a server may put a link in its place`
    return [{ path: at, message, fix: 'name the outer folder, or keep the two apart' }]
  })
}

function grantsIn(servers: Config['servers']): Grant[] {
  return Object.entries(servers).flatMap(([id, server]) => {
    if (server.kind === 'http' || server.sandbox === 'off') return []
    const { sandbox } = server
    return (['read', 'write'] as const).flatMap((key) =>
      sandbox[key].map((path, index): Grant => ({ at: ['servers', id, 'sandbox', key, index], key, path })),
    )
  })
}
