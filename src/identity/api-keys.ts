/**
 * API keys of this gateway: `sk_<id>_<256 random bits>`. Only the SHA-256 is kept, which is enough against a thief of the
 * configuration because nobody can guess 256 bits. Comparing takes the same time for every key, known or not.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { unguessable } from '../lib/random.ts'

export interface ApiKey {
  readonly id: string
  /** Of the whole key; 64 lower-case hexadecimal digits. */
  readonly sha256: string
}

const pattern = /^sk_([a-z][a-z0-9-]{0,31})_[A-Za-z0-9_-]{43}$/
const digestOf = (key: string): Buffer => createHash('sha256').update(key, 'utf8').digest()

/** A new key, to be shown once, and what to keep of it. */
export function newApiKey(id: string): { readonly key: string; readonly sha256: string } {
  const key = `sk_${id}_${unguessable()}`
  if (!pattern.test(key))
    throw new RangeError(`"${id}" is not an id for a key: 1 to 32 of a-z, 0-9 and "-", beginning with a letter`)
  return { key, sha256: digestOf(key).toString('hex') }
}

/** The id of a key that is one of `keys`; undefined for everything else. */
export function verifier(keys: readonly ApiKey[]): (presented: string) => string | undefined {
  const digests = new Map(keys.map(({ id, sha256 }) => [id, Buffer.from(sha256, 'hex')]))
  const nobody = digestOf(unguessable())
  return (presented) => {
    const id = pattern.exec(presented)?.[1]
    const kept = id === undefined ? undefined : digests.get(id)
    const isRight = timingSafeEqual(digestOf(presented), kept ?? nobody)
    return isRight && kept !== undefined ? id : undefined
  }
}
