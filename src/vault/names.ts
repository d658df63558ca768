/**
 * How a row is found without saying whose it is. A stolen store shows for how many servers something is kept, and of what kind,
 * but no owner: rows are found by HMACs under a random secret that only the keys of the vault open. It is the same secret under
 * every key, so that a rotation changes no name; and it opens nothing but labels.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { keyBytes, seal, unseal } from './envelope.ts'
import { keyText, type RecordKey } from './record-key.ts'
import type { RecordRow } from './records.ts'

export class Names {
  readonly #secret: KeyObject
  readonly #record: KeyObject
  readonly #owner: KeyObject
  readonly #label: KeyObject

  /** Takes the secret over, and wipes it. */
  constructor(secret: Buffer) {
    const derived = (purpose: string): KeyObject => {
      const key = Buffer.from(hkdfSync('sha256', secret, 'sekisho/vault', purpose, keyBytes))
      return taken(key)
    }
    this.#record = derived('record')
    this.#owner = derived('owner')
    this.#label = derived('label')
    this.#secret = taken(secret)
  }

  /** The secret, to be wrapped by another key. Wipe it after use. */
  secret(): Buffer {
    return this.#secret.export()
  }

  recordOf(key: RecordKey): Buffer {
    return createHmac('sha256', this.#record).update(keyText(key)).digest()
  }

  ownerOf(owner: string): Buffer {
    return createHmac('sha256', this.#owner).update(JSON.stringify(owner)).digest()
  }

  /** Owner and client, for lists: they open with the names alone, not with each record's own key. */
  label({ owner, client }: RecordKey, name: Uint8Array): Buffer {
    return seal(this.#label, Buffer.from(JSON.stringify([owner, client ?? null])), labelBinding(name))
  }

  /** What the row says it is, or undefined where its parts do not belong together. */
  keyOf({ name, owner: ownerTag, server, kind, label }: RecordRow): RecordKey | undefined {
    const opened = unseal(this.#label, label, labelBinding(name))
    if (opened === undefined) return undefined
    const [owner, client] = JSON.parse(opened.toString('utf8')) as [string, string | null]
    const key = { owner, server, kind, ...(client !== null && { client }) }
    const isWhole = this.recordOf(key).equals(name) && this.ownerOf(owner).equals(ownerTag)
    return isWhole ? key : undefined
  }
}

const labelBinding = (name: Uint8Array): string => `sekisho/vault/1 label ${shortName(name)}`

/** What people call a row: enough to tell it from others, and no secret. */
export const shortName = (name: Uint8Array): string => Buffer.from(name).toString('hex').slice(0, 16)

/** Keys rest as KeyObjects: outside the heap, wiped when they go, and nothing prints them. */
export function taken(key: Buffer): KeyObject {
  const kept = createSecretKey(key)
  key.fill(0)
  return kept
}
