/**
 * What the authorization server remembers, under lock: the store sees the digest of a name and a sealed text. Whoever reads
 * the database learns no code, no token, no cookie and no subject, and whoever swaps two rows gets neither opened.
 */
import { createHmac } from 'node:crypto'
import type { Act } from '../../lib/act.ts'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../lib/strict-json.ts'

/** Rows as storage/ keeps them. `name` and `group` are digests; times are milliseconds since the epoch. */
export interface RecordStore {
  /** With `act`, both in one transaction. */
  putRecord(kind: string, name: string, group: string | undefined, sealed: string, expiresAt: number, act?: Act): Promise<void>
  getRecord(kind: string, name: string): Promise<string | undefined>
  /** Gives the row once: of many who ask for it, one gets it. */
  takeRecord(kind: string, name: string): Promise<string | undefined>
  deleteRecord(kind: string, name: string, act?: Act): Promise<void>
  deleteGroup(group: string): Promise<void>
  listRecords(kind: string, group?: string): Promise<readonly { readonly name: string; readonly sealed: string }[]>
  /** Removes what has expired. */
  purgeRecords(): Promise<void>
}

export interface Seals {
  derive(purpose: string): Buffer
  seal(purpose: string, plaintext: string, associatedData: string): string
  open(purpose: string, sealed: string, associatedData: string): string | undefined
}

const purpose = 'identity/record'

export class Records {
  readonly #store: RecordStore
  readonly #seals: Seals
  readonly #clock: Clock
  readonly #nameKey: Buffer

  constructor(store: RecordStore, seals: Seals, clock: Clock) {
    this.#store = store
    this.#seals = seals
    this.#clock = clock
    this.#nameKey = seals.derive('identity/record-name')
  }

  /** `act`: what the audit log has to be told of it. */
  put(kind: string, name: string, value: JsonObject, lifetimeS: number, group?: string, act?: Act): Promise<void> {
    const digest = this.#digest(kind, name)
    const sealed = this.#seals.seal(purpose, JSON.stringify(value), `${kind} ${digest}`)
    const expiresAt = this.#clock.now() + lifetimeS * 1000
    return this.#store.putRecord(kind, digest, group && this.#digest('group', group), sealed, expiresAt, act)
  }

  async get(kind: string, name: string): Promise<JsonObject | undefined> {
    const digest = this.#digest(kind, name)
    return this.#opened(kind, digest, await this.#store.getRecord(kind, digest))
  }

  async take(kind: string, name: string): Promise<JsonObject | undefined> {
    const digest = this.#digest(kind, name)
    return this.#opened(kind, digest, await this.#store.takeRecord(kind, digest))
  }

  delete(kind: string, name: string, act?: Act): Promise<void> {
    return this.#store.deleteRecord(kind, this.#digest(kind, name), act)
  }

  deleteGroup(group: string): Promise<void> {
    return this.#store.deleteGroup(this.#digest('group', group))
  }

  async list(kind: string, group?: string): Promise<readonly JsonObject[]> {
    const rows = await this.#store.listRecords(kind, group && this.#digest('group', group))
    return rows.map(({ name, sealed }) => this.#opened(kind, name, sealed)).filter((value) => value !== undefined)
  }

  purge(): Promise<void> {
    return this.#store.purgeRecords()
  }

  #opened(kind: string, digest: string, sealed: string | undefined): JsonObject | undefined {
    const text = sealed === undefined ? undefined : this.#seals.open(purpose, sealed, `${kind} ${digest}`)
    return text === undefined ? undefined : (JSON.parse(text) as JsonObject)
  }

  #digest(kind: string, name: string): string {
    return createHmac('sha256', this.#nameKey).update(`${kind} ${name}`).digest('base64url')
  }
}
