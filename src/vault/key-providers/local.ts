/** What the providers have in common whose key is in this process: it wraps with AES-256-GCM, and is found once. */
import type { KeyObject } from 'node:crypto'
import { seal, unseal } from '../envelope.ts'
import type { KeyDescription, KeyProvider } from '../key-provider.ts'

interface Local extends Pick<KeyProvider, 'place' | 'owns' | 'make' | 'forget'> {
  /** The key itself. Rejects where there is none. */
  find(key: KeyDescription): Promise<KeyObject>
}

export function localProvider({ find, forget, ...local }: Local): KeyProvider {
  const found = new Map<string, Promise<KeyObject>>()
  const keyOf = (key: KeyDescription): Promise<KeyObject> => {
    const name = `${key.id} ${key.parameters}`
    let known = found.get(name)
    if (known === undefined) {
      found.set(name, (known = find(key)))
      known.catch(() => found.delete(name)) // what was not there may be put back
    }
    return known
  }
  return {
    ...local,
    wrap: async (key, secret, binding) => seal(await keyOf(key), secret, binding),
    unwrap: async (key, wrapped, binding) => unseal(await keyOf(key), wrapped, binding),
    async forget(id) {
      for (const name of found.keys()) if (name.startsWith(`${id} `)) found.delete(name)
      await forget(id)
    },
  }
}
