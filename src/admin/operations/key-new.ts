import { newApiKey } from '../../identity/api-keys.ts'

export interface NewKey {
  readonly id: string
  /** Shown once and kept nowhere. */
  readonly key: string
  readonly sha256: string
  /** The line to paste under `identity.keys`. */
  readonly yaml: string
}

/** Makes an API key. Throws a RangeError for an id that cannot be one. */
export async function keyNew(id: string): Promise<NewKey> {
  const { key, sha256 } = newApiKey(id)
  return { id, key, sha256, yaml: `- { id: ${id}, sha256: "${sha256}" }` }
}
