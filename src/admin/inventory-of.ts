/** What takes part in a gateway: from its configuration, and from lock files that the operator names. */
import { readFile, stat } from 'node:fs/promises'
import { basename, isAbsolute, normalize } from 'node:path'
import type { Config } from '../config/schema.ts'
import { type Reached, takeInventory } from '../trust/supply/inventory.ts'
import type { Component } from '../trust/supply/inventory-component.ts'
import { readPackageLock } from '../trust/supply/inventory-npm.ts'
import { readPythonLock, readRequirements } from '../trust/supply/inventory-python.ts'

const lockBytesMax = 67_108_864

export async function inventoryOf(config: Config, lockFiles: readonly string[] = []): Promise<readonly Component[]> {
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
  })
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
