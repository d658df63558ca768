/**
 * What the vault keeps in a store, and what it asks of one. Nothing in a row is readable without a key but the server, the kind
 * and times: an operator has to be able to purge those of a server also when the key is lost.
 */
import type { Act } from '../lib/act.ts'

/** A key that records are sealed with. Never the key itself: what is needed to find it again, and to know it when found. */
export interface KeyRow {
  /** Provider and version: `file:2`. */
  readonly id: string
  /** Grows with every key that is added. */
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly made: number
  /** JSON of the provider: a salt, costs. Not secret. */
  readonly parameters: string
  /** The secret that names are made with (names.ts), wrapped by this key: what opens it is the right key. */
  readonly names: Uint8Array
}

export interface RecordRow {
  /** HMAC of owner, client, server and kind. */
  readonly name: Uint8Array
  /** HMAC of the owner. */
  readonly owner: Uint8Array
  readonly server: string
  readonly kind: string
  /** Owner and client, sealed. */
  readonly label: Uint8Array
  /** From 1, one more with every writing. */
  readonly version: number
  /** When this version was written; milliseconds since 1970. */
  readonly at: number
  /** Of the key row that `wrapped` is wrapped with. */
  readonly key: string
  /** The record's own key, wrapped. */
  readonly wrapped: Uint8Array
  /** The value, sealed with the record's own key. */
  readonly sealed: Uint8Array
}

/** Which records: those that every given member fits. */
export interface Selection {
  readonly owner?: Uint8Array | undefined
  readonly server?: string | undefined
  /** Written before; milliseconds since 1970. */
  readonly before?: number | undefined
}

export interface Rewrapping {
  readonly name: Uint8Array
  /** It is left alone when it is not this version under this key any more. */
  readonly version: number
  readonly from: string
  readonly to: string
  readonly wrapped: Uint8Array
}

/** Every method is one transaction; a change and its act for the audit log happen together or not at all. */
export interface VaultRecords {
  /** Oldest first. */
  keys(): Promise<readonly KeyRow[]>
  /** False when the newest key is not number `after` any more (0: there was none): look again. */
  addKey(key: Omit<KeyRow, 'seq'>, after: number, act: Act): Promise<boolean>
  /** Removes the keys that no record needs, but `keep`, and answers which. The note is written in any case. */
  removeUnusedKeys(keep: string, act: Act): Promise<readonly string[]>
  record(name: Uint8Array): Promise<RecordRow | undefined>
  /** Writes version n over n - 1. False when that is not there any more, or key number `keySeq` is not: look again. */
  write(row: RecordRow, keySeq: number): Promise<boolean>
  /** False when there was none. */
  remove(name: Uint8Array): Promise<boolean>
  /** How many were removed. With `act`, and where no record is left, the keys go too: the next record begins anew. */
  removeAll(selection: Selection, act?: (count: number) => Act): Promise<number>
  /** In the order of their names, from after `after`; those under another key than `notUnder` where it is given. */
  page(after: Uint8Array | undefined, limit: number, notUnder?: string): Promise<readonly RecordRow[]>
  count(notUnder?: string): Promise<number>
  /** How many were still as they had been. */
  rewrap(changes: readonly Rewrapping[]): Promise<number>
}
