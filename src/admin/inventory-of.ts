/** What takes part in a gateway: from its configuration and its lock, and from what the operator names besides. */
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, normalize } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../lib/clock.ts'
import { type Reached, takeInventory } from '../trust/supply/inventory.ts'
import type { Component } from '../trust/supply/inventory-component.ts'
import { readPackageLock } from '../trust/supply/inventory-npm.ts'
import { readPythonLock, readRequirements } from '../trust/supply/inventory-python.ts'
import type { ServerLock } from '../trust/supply/lock.ts'
import { portable } from '../trust/supply/lock-server.ts'
import { mustBeSigned } from '../trust/supply/lock-signature.ts'
import { readLock } from '../trust/supply/lock-text.ts'
import { type ClientsHere, clientsHere } from './inventory-clients.ts'
import { trafficIn } from './inventory-traffic.ts'
import { teamKey } from './team-keys.ts'

const lockBytesMax = 67_108_864

/** What to look at besides the configuration. */
export interface Besides {
  readonly lockFiles?: readonly string[]
  /** Whose clients are looked at; undefined: nobody's. */
  readonly clients?: ClientsHere | undefined
  /** Whether hosts count that servers reached for, as the log has it. */
  readonly traffic?: boolean | undefined
}

export async function inventoryOf(
  config: Config,
  { lockFiles = [], clients, traffic }: Besides = {},
): Promise<readonly Component[]> {
  const packages: Component[] = []
  for (const file of lockFiles) packages.push(...(await packagesIn(file)))
  const { identity, vault } = config
  const provider = 'provider' in identity ? identity.provider : undefined
  const issuers = provider === undefined ? [] : provider.kind === 'entra' ? [provider.authority] : [provider.issuer]
  const keys = [vault.keyProvider, ...vault.previousKeyProviders].flatMap((one) => (one.kind === 'key-vault' ? [one.key] : []))
  const named = (url: string) => ({ name: new URL(url).hostname, url: `${new URL(url).origin}/` })
  return takeInventory({
    servers: Object.fromEntries(Object.entries(config.servers).map(([id, server]) => [id, server as Reached])),
    identityProviders: issuers.map(named),
    services: [...new Set(keys.map((key) => new URL(key).origin))].map(named),
    declared: config.components,
    packages,
    locked: await lockedIn(config),
    ...(clients && { clients: clientsHere(clients, config) }),
    ...(traffic && { reached: trafficIn(config.audit.path) }),
  })
}

/** Entries of the lock that are about the command or URL of now; none where the lock is still to be made. Throws NotAdmitted. */
async function lockedIn({ supply, servers }: Config): Promise<Readonly<Record<string, ServerLock>>> {
  const file = supply.lock
  if (file === undefined) return {}
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return {}
  const lock = readLock(text, file)
  if (supply.keys.length > 0)
    mustBeSigned(lock, await Promise.all(supply.keys.map((key) => teamKey(key, 'supply.keys'))), systemClock, file)
  const inStep = Object.entries(lock.servers).filter(([id, entry]) => {
    const server = servers[id]
    if (server === undefined || entry.kind === 'remote')
      return server?.kind === 'http' && entry.kind === 'remote' && entry.url === server.url
    return server.kind === 'stdio' && isDeepStrictEqual([...entry.command], portable(server.command, dirname(file)))
  })
  return Object.fromEntries(inStep)
}

/** Rejects for a file that is not there, or not one of these. */
export async function packagesIn(file: string): Promise<readonly Component[]> {
  const name = basename(file)
  const read = readers.find(([pattern]) => pattern.test(name))?.[1]
  if (read === undefined)
    throw Object.assign(new Error(`${file} is no lock file that can be read`), {
      fix: 'name a package-lock.json, uv.lock, poetry.lock or requirements.txt',
    })
  const { size } = await stat(file)
  if (size > lockBytesMax) throw new Error(`${file} has more than ${lockBytesMax} bytes`)
  return read(await readFile(file, 'utf8'), isAbsolute(file) ? name : normalize(file).replaceAll('\\', '/'))
}

const readers: readonly (readonly [RegExp, (text: string, manifest: string) => readonly Component[]])[] = [
  [/^(package-lock|npm-shrinkwrap).*\.json$/, readPackageLock],
  [/^(uv|poetry).*\.lock$/, readPythonLock],
  [/^requirements.*\.txt$/, readRequirements],
]
