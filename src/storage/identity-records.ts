import type { DatabaseSync } from 'node:sqlite'
import type { RecordStore } from '../identity/front/records.ts'
import type { Revocable, Revocation, RevocationStore } from '../identity/revocations.ts'
import type { Clock } from '../lib/clock.ts'
import type { ChangeFeed } from './change-feed.ts'

/** What the authorization server remembers: sealed texts under digests, each until a moment. */
export function identityRecords(database: DatabaseSync, clock: Clock): RecordStore {
  const put = database.prepare(
    'INSERT OR REPLACE INTO identity_records (kind, name, group_, sealed, expires_at) VALUES (?, ?, ?, ?, ?)',
  )
  const get = database.prepare('SELECT sealed FROM identity_records WHERE kind = ? AND name = ? AND expires_at > ?')
  const take = database.prepare('DELETE FROM identity_records WHERE kind = ? AND name = ? AND expires_at > ? RETURNING sealed')
  const remove = database.prepare('DELETE FROM identity_records WHERE kind = ? AND name = ?')
  const removeGroup = database.prepare('DELETE FROM identity_records WHERE group_ = ?')
  const list = database.prepare('SELECT name, sealed FROM identity_records WHERE kind = ? AND expires_at > ? ORDER BY name')
  const listGroup = database.prepare(
    'SELECT name, sealed FROM identity_records WHERE kind = ? AND expires_at > ? AND group_ = ? ORDER BY name',
  )
  const purge = database.prepare('DELETE FROM identity_records WHERE expires_at <= ?')
  const sealedIn = (row: Record<string, unknown> | undefined): string | undefined =>
    row === undefined ? undefined : String(row['sealed'])
  return {
    async putRecord(kind, name, group, sealed, expiresAt) {
      put.run(kind, name, group ?? null, sealed, Math.round(expiresAt))
    },
    getRecord: async (kind, name) => sealedIn(get.get(kind, name, clock.now())),
    takeRecord: async (kind, name) => sealedIn(take.get(kind, name, clock.now())),
    async deleteRecord(kind, name) {
      remove.run(kind, name)
    },
    async deleteGroup(group) {
      removeGroup.run(group)
    },
    async listRecords(kind, group) {
      const rows = group === undefined ? list.all(kind, clock.now()) : listGroup.all(kind, clock.now(), group)
      return rows.map((row) => ({ name: String(row['name']), sealed: String(row['sealed']) }))
    },
    async purgeRecords() {
      purge.run(clock.now())
    },
  }
}

/** What is no longer good although it has not expired. Kept for as long as anything that it is about could be. */
export function revocations(database: DatabaseSync, clock: Clock, feed: ChangeFeed): RevocationStore {
  const revoke = database.prepare('INSERT OR REPLACE INTO revocations (kind, value, at, by, reason) VALUES (?, ?, ?, ?, ?)')
  const all = database.prepare('SELECT kind, value, at FROM revocations ORDER BY kind, value')
  return {
    async revoke(kind, value, by, reason) {
      revoke.run(kind, value, clock.now(), by, reason)
      feed.tell()
    },
    revocations: async () =>
      all
        .all()
        .map((row): Revocation => ({ kind: row['kind'] as Revocable, value: String(row['value']), at: Number(row['at']) })),
  }
}
