/**
 * Where secrets are kept: each value sealed with a key of its own, that key wrapped by one that is not in the store. What a
 * store holds opens as this version of this owner's record and as nothing else, so a row that was edited, cut short or put in
 * another's place is refused. An older copy of the same row is the one thing that cannot be told: it was true once.
 */
import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { keyBytes, seal, unseal } from './envelope.ts'
import { VaultRecordBroken, VaultUnavailable } from './errors.ts'
import type { VaultKeys } from './keys.ts'
import { shortName } from './names.ts'
import { checkedKey, keyText, type RecordKey, valueBinding, wrapBinding } from './record-key.ts'
import type { RecordRow, VaultRecords } from './records.ts'

/** Everything about a record but its value. */
export interface Listed {
  /** What errors call it. */
  readonly record: string
  /** Undefined where the row was changed outside the vault. */
  readonly owner: string | undefined
  readonly client: string | undefined
  readonly server: string
  readonly kind: string
  readonly version: number
  /** When it was written; milliseconds since 1970. */
  readonly at: number
  /** The key it is under. */
  readonly key: string
}

const valueBytesMax = 1_048_576
const attemptsMax = 16
const pageRows = 200

export class Vault {
  readonly #records: VaultRecords
  readonly #keys: VaultKeys
  readonly #clock: Clock

  constructor(records: VaultRecords, keys: VaultKeys, clock: Clock) {
    this.#records = records
    this.#keys = keys
    this.#clock = clock
  }

  /** Resolves when it is on disk. The caller's own copy of the value is the caller's to wipe. */
  async put(given: RecordKey, value: string | Uint8Array): Promise<void> {
    const key = checkedKey(given)
    const plaintext = Buffer.from(value as Uint8Array)
    try {
      if (plaintext.length > valueBytesMax) throw new RangeError(`a value in the vault has at most ${valueBytesMax} bytes`)
      if (!isUtf8(plaintext)) throw new TypeError('a value in the vault is UTF-8 text; encode other bytes first')
      for (let attempt = 0; attempt < attemptsMax; attempt++) if (await this.#tryPut(key, plaintext)) return
      throw new VaultUnavailable('the vault record is being written by too many at once', 'try again')
    } finally {
      plaintext.fill(0)
    }
  }

  /**
   * The value, or undefined where there is none. Rejects with {@link VaultRecordBroken}, VaultKeyMissing, VaultKeyRefused or
   * VaultUnavailable; never with anything that holds the value.
   */
  async get(given: RecordKey): Promise<string | undefined> {
    const key = checkedKey(given)
    const name = (await this.#keys.names())?.recordOf(key)
    if (name === undefined) return undefined
    let row = await this.#records.record(name)
    while (row !== undefined) {
      try {
        const plaintext = await openRecord(this.#keys, row, key)
        const value = plaintext.toString('utf8')
        plaintext.fill(0)
        return value
      } catch (error) {
        // A rotation may have taken the key away between the reading of the row and the opening.
        if (await isAsRead(this.#records, row)) throw error
        row = await this.#records.record(name)
      }
    }
    return undefined
  }

  /** False when there was none. */
  async delete(given: RecordKey): Promise<boolean> {
    const key = checkedKey(given)
    const names = await this.#keys.names()
    return names !== undefined && (await this.#records.remove(names.recordOf(key)))
  }

  /** Everything of one owner, for all servers. How many there were. */
  async deleteOwner(owner: string): Promise<number> {
    const names = await this.#keys.names()
    return names === undefined ? 0 : await this.#records.removeAll({ owner: names.ownerOf(owner) })
  }

  /** What is kept, without opening any of it. */
  async *list(): AsyncGenerator<Listed> {
    const names = await this.#keys.names()
    if (names === undefined) return
    for await (const row of everyRecord(this.#records)) {
      const { owner, client } = names.keyOf(row) ?? {}
      const { server, kind, version, at, key } = row
      yield { record: shortName(row.name), owner, client, server, kind, version, at, key }
    }
  }

  /** Whether the keys are those that records were sealed with. Resolves also where their place does not answer at the moment. */
  async check(): Promise<void> {
    await this.#keys.check().catch((error: unknown) => {
      if (!(error instanceof VaultUnavailable)) throw error
    })
  }

  async #tryPut(key: RecordKey, plaintext: Buffer): Promise<boolean> {
    const { row, provider, names } = await this.#keys.current()
    const name = names.recordOf(key)
    const version = ((await this.#records.record(name))?.version ?? 0) + 1
    const at = this.#clock.now()
    const ownKey = randomBytes(keyBytes)
    try {
      const written = {
        name,
        owner: names.ownerOf(key.owner),
        server: key.server,
        kind: key.kind,
        label: names.label(key, name),
        version,
        at,
        key: row.id,
        wrapped: await provider.wrap(row, ownKey, wrapBinding(key, version, row.id)),
        sealed: seal(ownKey, plaintext, valueBinding(key, version, at)),
      }
      return await this.#records.write(written, row.seq)
    } finally {
      ownKey.fill(0)
    }
  }
}

/** The value of a row as that of `key`. Wipe it after use. */
export async function openRecord(keys: VaultKeys, row: RecordRow, key: RecordKey): Promise<Buffer> {
  const ownKey = await openOwnKey(keys, row, key)
  const plaintext = unseal(ownKey, row.sealed, valueBinding(key, row.version, row.at))
  ownKey.fill(0)
  if (plaintext === undefined) throw broken(row)
  return plaintext
}

/** Of no row: a record has an owner. */
const noRecord: RecordKey = { owner: '', server: '', kind: '' }

/** The key that the value of a row is sealed with. Wipe it after use. */
export async function openOwnKey(keys: VaultKeys, row: RecordRow, key: RecordKey): Promise<Buffer> {
  const { row: keyRow, provider, names } = await keys.of(row.key)
  if (keyText(names.keyOf(row) ?? noRecord) !== keyText(key)) throw broken(row)
  const ownKey = await provider.unwrap(keyRow, row.wrapped, wrapBinding(key, row.version, row.key))
  if (ownKey?.length === keyBytes) return ownKey
  ownKey?.fill(0)
  throw broken(row)
}

/** Whether a row is still what it was: what is under way elsewhere may have written it, moved it to another key, or removed it. */
export async function isAsRead(records: VaultRecords, { name, version, key }: RecordRow): Promise<boolean> {
  const now = await records.record(name)
  return now?.version === version && now.key === key
}

export const broken = ({ name, server, kind }: RecordRow): VaultRecordBroken =>
  new VaultRecordBroken(shortName(name), `${kind} for ${server}`)

/** Every record there is, a page at a time; those under another key than `notUnder` where it is given. */
export async function* everyRecord(records: VaultRecords, notUnder?: string): AsyncGenerator<RecordRow> {
  let after: Uint8Array | undefined
  for (;;) {
    const page = await records.page(after, pageRows, notUnder)
    yield* page
    after = page.at(-1)?.name
    if (after === undefined) return
  }
}
