import type { DatabaseSync } from 'node:sqlite'
import type { Act } from '../lib/act.ts'
import type { DefinitionKind } from '../trust/definition.ts'
import type { Decision, PinId, PinStore, SealedPin, SealedProposal, Standing } from '../trust/pin.ts'
import type { Noted } from './acts.ts'
import { transaction } from './transaction.ts'

/** What was decided about definitions. A decision, its history and its act for the audit log are one transaction. */
export function pins(database: DatabaseSync, noted: Noted): PinStore {
  const columns = 'server, kind, name, digest, text, standing, by, at, reason, seen_at, seal'
  const insert = database.prepare(`INSERT OR IGNORE INTO pins (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const update = database.prepare(
    'UPDATE pins SET standing = ?, by = ?, at = ?, reason = ?, seal = ? WHERE server = ? AND kind = ? AND name = ? AND digest = ?',
  )
  const all = database.prepare(`SELECT ${columns} FROM pins ORDER BY server, kind, name, seen_at, at`)
  const ofServer = database.prepare(`SELECT ${columns} FROM pins WHERE server = ? ORDER BY kind, name, seen_at, at`)
  const decided = database.prepare(
    'INSERT INTO pin_decisions (server, kind, name, digest, standing, by, at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const history = database.prepare(
    'SELECT server, kind, name, digest, standing, by, at, reason FROM pin_decisions WHERE server = ? AND (name = ? OR ?) ORDER BY seq DESC',
  )
  const listed = database.prepare('INSERT OR IGNORE INTO pinned_lists (server, kind) VALUES (?, ?)')
  const lists = database.prepare('SELECT server, kind FROM pinned_lists')
  const setServer = database.prepare('INSERT OR REPLACE INTO pinned_servers (server, identity, seal) VALUES (?, ?, ?)')
  const servers = database.prepare('SELECT server, identity, seal, stranger FROM pinned_servers')
  const stranger = database.prepare('UPDATE pinned_servers SET stranger = ? WHERE server = ? AND stranger IS NOT ?')
  const propose = database.prepare(
    'INSERT OR REPLACE INTO pinned_servers_proposed (server, identity, by, seal) VALUES (?, ?, ?, ?)',
  )
  const proposed = database.prepare('SELECT server, identity, by, seal FROM pinned_servers_proposed WHERE server = ?')
  const endProposal = database.prepare('DELETE FROM pinned_servers_proposed WHERE server = ?')
  const revision = database.prepare('SELECT revision FROM pins_revision')
  const moved = database.prepare('UPDATE pins_revision SET revision = revision + 1')

  const remember = ({ server, kind, name, digest, standing, by, at, reason }: SealedPin): void =>
    void decided.run(server, kind, name, digest, standing, by, at, reason)
  return {
    pinsRevision: async () => Number(revision.get()?.['revision']),
    pins: async (server) => (server === undefined ? all.all() : ofServer.all(server)).map(pinOf),
    pinnedLists: async () => lists.all().map((row) => ({ server: String(row['server']), kind: row['kind'] as DefinitionKind })),
    pinnedServers: async () =>
      servers.all().map((row) => ({
        server: String(row['server']),
        identity: String(row['identity']),
        seal: String(row['seal']),
        stranger: row['stranger'] === null ? undefined : String(row['stranger']),
      })),
    async seePins(some, list) {
      transaction(database, () => {
        const fresh = some.filter((pin) => {
          const { server, kind, name, digest, text, standing, by, at, reason, seenAt, seal } = pin
          return insert.run(server, kind, name, digest, text, standing, by, at, reason, seenAt, seal).changes > 0
        })
        for (const pin of fresh) remember(pin)
        for (const pin of fresh) if (!isApproved(pin)) noted(actOf(pin))
        for (const [approved, ...others] of Object.values(
          Object.groupBy(fresh.filter(isApproved), kindAndReason),
        ) as SealedPin[][])
          if (approved !== undefined)
            noted({ ...actOf(approved), detail: `${1 + others.length} of kind ${approved.kind}: ${approved.reason}` })
        if (list !== undefined) listed.run(list.server, list.kind)
        moved.run()
      })
    },
    async decidePins(some) {
      transaction(database, () => {
        for (const pin of some) {
          const { server, kind, name, digest, standing, by, at, reason, seal } = pin
          if (update.run(standing, by, at, reason, seal, server, kind, name, digest).changes === 0) continue
          remember(pin)
          noted(actOf(pin))
        }
        moved.run()
      })
    },
    proposedServer: async (server) => {
      const row = proposed.get(server)
      return row && proposalOf(row)
    },
    async proposeServer({ server, identity, by, seal }, { at, reason }) {
      transaction(database, () => {
        propose.run(server, identity, by, seal)
        noted({ action: 'pin.server-proposed', by, at, server, detail: `${identity}: ${reason}` })
      })
    },
    async setPinnedServer({ server, identity, seal }, { by, at, reason }) {
      transaction(database, () => {
        setServer.run(server, identity, seal)
        endProposal.run(server)
        noted({ action: 'pin.server', by, at, server, detail: `${identity}: ${reason}` })
        moved.run()
      })
    },
    async noteStranger(server, identity) {
      stranger.run(identity, server, identity)
    },
    pinDecisions: async (server, name) => history.all(server, name ?? '', name === undefined ? 1 : 0).map(decisionOf),
  }
}

const actOf = ({ server, kind, name, digest, standing, by, at, reason }: SealedPin): Act => ({
  action: `pin.${standing}`,
  by,
  at,
  server,
  detail: `${kind} ${name} ${digest.slice(0, 12)}: ${reason}`,
})
const isApproved = ({ standing }: SealedPin): boolean => standing === 'approved'
const kindAndReason = ({ kind, reason }: SealedPin): string => `${kind} ${reason}`

const idOf = (row: Record<string, unknown>): PinId => ({
  server: String(row['server']),
  kind: row['kind'] as DefinitionKind,
  name: String(row['name']),
  digest: String(row['digest']),
})
const decisionOf = (row: Record<string, unknown>): PinId & Decision => ({
  ...idOf(row),
  standing: row['standing'] as Standing,
  by: String(row['by']),
  at: Number(row['at']),
  reason: String(row['reason']),
})
const proposalOf = (row: Record<string, unknown>): SealedProposal => ({
  server: String(row['server']),
  identity: String(row['identity']),
  by: String(row['by']),
  seal: String(row['seal']),
})
const pinOf = (row: Record<string, unknown>): SealedPin => ({
  ...decisionOf(row),
  text: String(row['text']),
  seenAt: Number(row['seen_at']),
  seal: String(row['seal']),
})
