import type { DatabaseSync } from 'node:sqlite'
import type { RecordStore } from '../identity/front/records.ts'
import type { Revocable, Revocation, RevocationStore } from '../identity/revocations.ts'
import type { Act } from '../lib/act.ts'
import type { Clock } from '../lib/clock.ts'
import type { Noted } from './acts.ts'
import { transaction } from './transaction.ts'

/** What the authorization server remembers: sealed texts under digests, each until a moment. */
export function identityRecords(database: DatabaseSync, clock: Clock, noted: Noted): RecordStore {
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
    async putRecord(kind, name, group, sealed, expiresAt, act) {
      transaction(database, () => {
        put.run(kind, name, group ?? null, sealed, Math.round(expiresAt))
        if (act !== undefined) noted(act)
      })
    },
    getRecord: async (kind, name) => sealedIn(get.get(kind, name, clock.now())),
    takeRecord: async (kind, name) => sealedIn(take.get(kind, name, clock.now())),
    async deleteRecord(kind, name, act) {
      transaction(database, () => {
        remove.run(kind, name)
        if (act !== undefined) noted(act)
      })
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

/** Longer than any refresh token or session that a revocation could be about. */
const revocationKeptMs = 400 * 86_400_000

/** What is no longer good although it has not expired. Kept for as long as anything that it is about could be. */
export function revocations(database: DatabaseSync, clock: Clock, noted: Noted): RevocationStore {
  const revoke = database.prepare('INSERT OR REPLACE INTO revocations (kind, value, at, by, reason) VALUES (?, ?, ?, ?, ?)')
  const purge = database.prepare('DELETE FROM revocations WHERE at < ?')
  const all = database.prepare('SELECT kind, value, at, by, reason FROM revocations ORDER BY at, kind, value')
  return {
    async revoke(kind, value, by, reason) {
      const at = clock.now()
      transaction(database, () => {
        revoke.run(kind, value, at, by, reason)
        purge.run(at - revocationKeptMs)
        noted(actOf(kind, value, by, reason, at))
      })
    },
    revocations: async () => all.all().map(revocationOf),
  }
}

const actOf = (kind: Revocable, value: string, by: string, reason: string, at: number): Act => ({
  action: kind === 'sessions' ? 'sessions.ended' : 'tokens.revoked',
  by,
  at,
  detail: [kind === 'sessions' ? value : `${kind} ${value}`, reason].filter(Boolean).join(': '),
})

const revocationOf = (row: Record<string, unknown>): Revocation => ({
  kind: row['kind'] as Revocable,
  value: String(row['value']),
  at: Number(row['at']),
  by: String(row['by']),
  reason: String(row['reason']),
})
