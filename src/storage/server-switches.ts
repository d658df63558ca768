import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../lib/clock.ts'
import type { DisabledServer, ServerSwitches } from '../outbound/switches.ts'
import type { Noted } from './acts.ts'
import type { ChangeFeed } from './change-feed.ts'
import { transaction } from './transaction.ts'

/** The kill switches. A throw and its note for the audit log happen together or not at all. */
export function serverSwitches(database: DatabaseSync, clock: Clock, feed: ChangeFeed, noted: Noted): ServerSwitches {
  const disable = database.prepare('INSERT OR REPLACE INTO servers_disabled (id, at, by, reason) VALUES (?, ?, ?, ?)')
  const enable = database.prepare('DELETE FROM servers_disabled WHERE id = ?')
  const disabled = database.prepare('SELECT id, at, by, reason FROM servers_disabled ORDER BY id')
  return {
    async disableServer(id, by, reason) {
      const at = clock.now()
      transaction(database, () => {
        disable.run(id, at, by, reason)
        noted({ action: 'server.disabled', by, at, server: id, detail: reason })
      })
    },
    async enableServer(id, by) {
      return transaction(database, () => {
        if (enable.run(id).changes === 0) return false
        noted({ action: 'server.enabled', by, at: clock.now(), server: id, detail: '' })
        return true
      })
    },
    async disabledServers() {
      return disabled.all().map(disabledOf)
    },
    watch: (changed) => feed.watch(changed),
  }
}

const disabledOf = (row: Record<string, unknown>): DisabledServer => ({
  id: String(row['id']),
  at: Number(row['at']),
  by: String(row['by']),
  reason: String(row['reason']),
})
