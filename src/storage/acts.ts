import type { DatabaseSync } from 'node:sqlite'
import type { UnrecordedActs } from '../audit/unrecorded-acts.ts'
import type { Act } from '../lib/act.ts'

/** Leaves an act for the audit log, in the transaction in which the change itself is made. */
export type Noted = (act: Act) => void

/** The list of what the audit log has not been told. `noteTaken`: there is something on it, or will be when the transaction ends. */
export function acts(database: DatabaseSync, noteTaken: () => void): UnrecordedActs & { readonly noted: Noted } {
  const insert = database.prepare('INSERT INTO acts_unrecorded (action, at, by, server, detail) VALUES (?, ?, ?, ?, ?)')
  const all = database.prepare('SELECT seq, action, at, by, server, detail FROM acts_unrecorded ORDER BY seq')
  const forget = database.prepare('DELETE FROM acts_unrecorded WHERE seq <= ?')
  const noted: Noted = ({ action, at, by, server, detail }) => {
    insert.run(action, at, by, server ?? null, detail)
    queueMicrotask(noteTaken) // after the transaction
  }
  return {
    noted,
    async note(act) {
      noted(act)
    },
    async unrecorded() {
      return all.all().map(actOf)
    },
    async recorded(seq) {
      forget.run(seq)
    },
  }
}

const actOf = (row: Record<string, unknown>): Act & { seq: number } => ({
  seq: Number(row['seq']),
  action: String(row['action']),
  at: Number(row['at']),
  by: String(row['by']),
  server: row['server'] === null ? undefined : String(row['server']),
  detail: String(row['detail']),
})
