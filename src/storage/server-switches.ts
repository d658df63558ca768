import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../lib/clock.ts'
import type { DisabledServer, ServerSwitches, Switching } from '../outbound/switches.ts'
import type { ChangeFeed } from './change-feed.ts'
import { transaction } from './transaction.ts'

/** The kill switches, and the list of what the audit log has not been told; both change together or not at all. */
export function serverSwitches(database: DatabaseSync, clock: Clock, feed: ChangeFeed): ServerSwitches {
  const disable = database.prepare('INSERT OR REPLACE INTO servers_disabled (id, at, by, reason) VALUES (?, ?, ?, ?)')
  const enable = database.prepare('DELETE FROM servers_disabled WHERE id = ?')
  const disabled = database.prepare('SELECT id, at, by, reason FROM servers_disabled ORDER BY id')
  const note = database.prepare('INSERT INTO switchings_unrecorded (id, to_, at, by, reason) VALUES (?, ?, ?, ?, ?)')
  const notes = database.prepare('SELECT seq, id, to_, at, by, reason FROM switchings_unrecorded ORDER BY seq')
  const forget = database.prepare('DELETE FROM switchings_unrecorded WHERE seq <= ?')
  return {
    async disableServer(id, by, reason) {
      const at = clock.now()
      transaction(database, () => {
        disable.run(id, at, by, reason)
        note.run(id, 'disabled', at, by, reason)
      })
      feed.tell()
    },
    async enableServer(id, by) {
      const isChanged = transaction(database, () => {
        if (enable.run(id).changes === 0) return false
        note.run(id, 'enabled', clock.now(), by, '')
        return true
      })
      if (isChanged) feed.tell()
      return isChanged
    },
    async disabledServers() {
      return disabled.all().map(disabledOf)
    },
    async unrecorded() {
      return notes.all().map((row): Switching => {
        return { seq: Number(row['seq']), to: row['to_'] === 'enabled' ? 'enabled' : 'disabled', ...disabledOf(row) }
      })
    },
    async recorded(seq) {
      forget.run(seq)
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
