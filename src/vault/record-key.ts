/**
 * What a record is called, and the text that its ciphertext is bound to. Every text here is JSON of an array: no two lists of
 * members have the same one, whatever is in them, and half a surrogate pair stays what it is.
 */

export interface RecordKey {
  /** Whose it is: the id of a principal. */
  readonly owner: string
  /** Which server it is for. */
  readonly server: string
  /** What it is: `access-token`, `refresh-token`. */
  readonly kind: string
  /** Which of the owner's clients it belongs to, where that matters. */
  readonly client?: string | undefined
}

const charsMax = { owner: 1024, server: 256, kind: 64, client: 1024 } as const
const format = 'sekisho/vault/1'

/** The key without anything else that the object may have. Throws a RangeError. */
export function checkedKey({ owner, server, kind, client }: RecordKey): RecordKey {
  const parts = { owner, server, kind, ...(client !== undefined && { client }) }
  for (const [part, text] of Object.entries(parts)) {
    const most = charsMax[part as keyof typeof charsMax]
    if (typeof text !== 'string' || text === '' || text.length > most)
      throw new RangeError(`the ${part} of a vault record is a text of 1 to ${most} characters`)
  }
  return parts
}

const members = ({ owner, client, server, kind }: RecordKey): readonly unknown[] => [owner, client ?? null, server, kind]

/** What the name of a record is the HMAC of. */
export const keyText = (key: RecordKey): string => JSON.stringify([format, 'record', ...members(key)])

/** What a value is bound to: it opens as this version of this record and as nothing else. */
export const valueBinding = (key: RecordKey, version: number, at: number): string =>
  JSON.stringify([format, 'value', ...members(key), version, at])

/** What a record's own key is bound to: the record, its version, and the key that it is wrapped with. */
export const wrapBinding = (key: RecordKey, version: number, keyId: string): string =>
  JSON.stringify([format, 'key', ...members(key), version, keyId])

export const namesBinding = (keyId: string): string => JSON.stringify([format, 'names', keyId])
