/**
 * Keys in files that only we may read. The first is derived from the gateway's own key file. A rotation makes a file beside it,
 * `sekisho.key.vault-2`, of new random bytes, because a key derived from the same file would be known to whoever has that file.
 */
import { readdir, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { VaultKeyMissing } from '../errors.ts'
import { keyRing, makeKey, readKey } from '../key-file.ts'
import type { KeyDescription, KeyProvider } from '../key-provider.ts'
import { taken } from '../names.ts'
import { localProvider } from './local.ts'

const prefix = 'file:'

export function fileProvider(keyFile: string): KeyProvider {
  const pathOf = (version: number): string => (version === 1 ? keyFile : `${keyFile}.vault-${version}`)
  return localProvider({
    place: (id) => `the key file ${pathOf(versionOf(id) ?? 1)}`,
    owns: (id) => versionOf(id) !== undefined,
    async make(known) {
      const versions = [...known.map(({ id }) => versionOf(id) ?? 0), ...(await versionsBeside(keyFile))]
      const version = Math.max(0, ...versions) + 1
      if (version > 1) (await makeKey(pathOf(version))).fill(0)
      return { id: `${prefix}${version}`, parameters: '{}' }
    },
    async find({ id }) {
      const path = pathOf(versionOf(id) as number)
      const key = await readKey(path)
      if (key === undefined)
        throw new VaultKeyMissing(
          `the key file ${path} is not there, and what the vault keeps is sealed with it`,
          'restore it from a copy; if it is lost, purge what cannot be opened any more: sekisho vault purge --older-than 0s',
        )
      const wrapping = taken(keyRing(key).derive('vault/wrap'))
      key.fill(0)
      return wrapping
    },
    async forget(id) {
      const version = versionOf(id) as number
      if (version > 1) await unlink(pathOf(version)).catch(() => undefined)
    },
  })
}

/** Whether one of them is derived from the key file itself, which must then not be made anew. */
export const needsKeyFile = (keys: readonly KeyDescription[]): boolean => keys.some(({ id }) => versionOf(id) === 1)

function versionOf(id: string): number | undefined {
  const [, version] = /^file:([1-9]\d{0,8})$/.exec(id) ?? []
  return version === undefined ? undefined : Number(version)
}

/** Also what a rotation has left behind that was broken off: its number is not used again. */
async function versionsBeside(keyFile: string): Promise<number[]> {
  const start = `${basename(keyFile)}.vault-`
  const files = await readdir(dirname(keyFile)).catch(() => [])
  return files.filter((file) => file.startsWith(start)).map((file) => versionOf(prefix + file.slice(start.length)) ?? 0)
}
