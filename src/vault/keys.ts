/**
 * The keys of one vault: which the store knows, which provider has each, and which one new records get. What the store says is
 * read every time, because another process may be rotating; what was opened is kept for as long as the store knows it.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { keyBytes } from './envelope.ts'
import { VaultKeyMissing } from './errors.ts'
import type { KeyDescription, KeyProvider } from './key-provider.ts'
import { Names } from './names.ts'
import { namesBinding } from './record-key.ts'
import type { KeyRow, VaultRecords } from './records.ts'

/** A key that was tried and is the right one. */
export interface OpenKey {
  readonly row: KeyRow
  readonly provider: KeyProvider
  readonly names: Names
}

const attemptsMax = 8

export class VaultKeys {
  readonly #records: VaultRecords
  readonly #provider: KeyProvider
  /** The one for new records first, then those that old ones may need. */
  readonly #providers: readonly KeyProvider[]
  readonly #clock: Clock
  readonly #open = new Map<string, OpenKey>()

  constructor(records: VaultRecords, providers: readonly [KeyProvider, ...KeyProvider[]], clock: Clock) {
    this.#records = records
    this.#provider = providers[0]
    this.#providers = providers
    this.#clock = clock
  }

  /** The key that a record names. Rejects with VaultKeyMissing, VaultKeyRefused or VaultUnavailable. */
  async of(id: string): Promise<OpenKey> {
    const row = (await this.#rows()).find((one) => one.id === id)
    if (row === undefined) throw new VaultKeyMissing(`the vault knows no key ${id}`, 'restore the store from a copy')
    return this.#opened(row)
  }

  /** How names are made; undefined while nothing was ever stored. */
  async names(): Promise<Names | undefined> {
    const rows = await this.#rows()
    return rows.length === 0 ? undefined : (await this.#anyOf(rows)).names
  }

  /** The key for new records: the newest of the first provider. The first one is made here. */
  async current(by = 'gateway'): Promise<OpenKey> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const rows = await this.#rows()
      const newest = await this.#newest(rows)
      if (newest !== undefined) return newest
      // All of them have to open first: a mistyped passphrase would otherwise become the next key.
      const before = await this.#allOf(rows)
      await this.#add(rows, before[0]?.names, by)
    }
    throw new Error('the keys of the vault change all the time; is another rotation running?')
  }

  /** Opens every key that records may be under. Rejects as {@link of} does. */
  async check(): Promise<void> {
    await this.#allOf(await this.#rows())
  }

  /** A further key of the first provider, in use from now on. */
  async renew(by: string): Promise<OpenKey> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const { names } = await this.current(by)
      const rows = await this.#rows()
      if (await this.#add(rows, names, by)) return this.current(by)
    }
    throw new Error('the keys of the vault change all the time; is another rotation running?')
  }

  /** Tells providers of keys that the store has removed. */
  async forget(ids: readonly string[]): Promise<void> {
    for (const id of ids) for (const provider of this.#providers) if (provider.owns(id)) await provider.forget(id)
  }

  async #rows(): Promise<readonly KeyRow[]> {
    const rows = await this.#records.keys()
    for (const [id, { row }] of this.#open) if (!rows.some((one) => one.id === id && one.seq === row.seq)) this.#open.delete(id)
    return rows
  }

  async #newest(rows: readonly KeyRow[]): Promise<OpenKey | undefined> {
    for (const row of rows.toReversed()) {
      if (!this.#provider.owns(row.id)) continue
      const known = this.#open.get(row.id)
      if (known !== undefined && known.provider !== this.#provider) continue
      const open = known ?? (await this.#tried(row, this.#provider))
      if (open !== undefined) return open
    }
    return undefined
  }

  /** Any of them will do, and the newest is the likeliest. */
  async #anyOf(rows: readonly KeyRow[]): Promise<OpenKey> {
    const open = rows.map(({ id }) => this.#open.get(id)).findLast((one) => one !== undefined)
    if (open !== undefined) return open
    let first: unknown
    for (const row of rows.toReversed()) {
      try {
        return await this.#opened(row)
      } catch (error) {
        first ??= error
      }
    }
    throw first
  }

  async #allOf(rows: readonly KeyRow[]): Promise<readonly OpenKey[]> {
    const open: OpenKey[] = []
    for (const row of rows) open.push(await this.#opened(row))
    return open
  }

  async #opened(row: KeyRow): Promise<OpenKey> {
    const known = this.#open.get(row.id)
    if (known !== undefined) return known
    const owners = this.#providers.filter((provider) => provider.owns(row.id))
    if (owners.length === 0)
      throw new VaultKeyMissing(
        `the vault has records under the key ${row.id}, and the configuration names no provider that has it`,
        'name the provider that had it under "vault.previousKeyProviders"',
      )
    for (const provider of owners) {
      const open = await this.#tried(row, provider)
      if (open !== undefined) return open
    }
    const places = owners.map((provider) => provider.place(row.id)).join(', ')
    throw new VaultKeyMissing(
      `the vault has records under the key ${row.id}, and that is not ${places}: it is another key`,
      'put the right key back, from a copy; without it nothing opens, and what is kept can only be purged: sekisho vault purge --older-than 0s',
    )
  }

  async #tried(row: KeyRow, provider: KeyProvider): Promise<OpenKey | undefined> {
    const secret = await provider.unwrap(row, row.names, namesBinding(row.id))
    if (secret?.length !== keyBytes) return void secret?.fill(0)
    const open = { row, provider, names: new Names(secret) }
    this.#open.set(row.id, open)
    return open
  }

  async #add(rows: readonly KeyRow[], names: Names | undefined, by: string): Promise<boolean> {
    const made: KeyDescription = await this.#provider.make(rows)
    const secret = names?.secret() ?? randomBytes(keyBytes)
    try {
      const wrapped = await this.#provider.wrap(made, secret, namesBinding(made.id))
      const at = this.#clock.now()
      const doing = { action: 'vault.key-added', by, at, detail: made.id }
      return await this.#records.addKey({ ...made, made: at, names: wrapped }, rows.at(-1)?.seq ?? 0, doing)
    } finally {
      secret.fill(0)
    }
  }
}
