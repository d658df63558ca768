import type { DatabaseSync } from 'node:sqlite'
import type { Act } from '../lib/act.ts'
import type { DefinitionKind } from '../trust/definition.ts'
import {
  type Decision,
  type Identity,
  type Pin,
  type PinId,
  type PinStore,
  type Seal,
  type SealedPin,
  type SealedProposal,
  type Standing,
  sealedPin,
  sealedServer,
  sealTextOfList,
  wholeSeal,
} from '../trust/pin.ts'
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
  const decided = database.prepare(
    'INSERT INTO pin_decisions (server, kind, name, digest, standing, by, at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const history = database.prepare(
    'SELECT server, kind, name, digest, standing, by, at, reason FROM pin_decisions WHERE server = ? AND (name = ? OR ?) ORDER BY seq DESC',
  )
  const listed = database.prepare('INSERT OR IGNORE INTO pinned_lists (server, kind, seal) VALUES (?, ?, ?)')
  const lists = database.prepare('SELECT server, kind, seal FROM pinned_lists')
  const setServer = database.prepare('INSERT OR REPLACE INTO pinned_servers (server, identity, seal) VALUES (?, ?, ?)')
  const servers = database.prepare('SELECT server, identity, seal, stranger FROM pinned_servers')
  const stranger = database.prepare('UPDATE pinned_servers SET stranger = ? WHERE server = ? AND stranger IS NOT ?')
  const propose = database.prepare(
    'INSERT OR REPLACE INTO pinned_servers_proposed (server, identity, by, seal) VALUES (?, ?, ?, ?)',
  )
  const proposed = database.prepare('SELECT server, identity, by, seal FROM pinned_servers_proposed WHERE server = ?')
  const endProposal = database.prepare('DELETE FROM pinned_servers_proposed WHERE server = ?')
  const whole = database.prepare('SELECT revision, seal FROM pins_revision')
  const moved = database.prepare('UPDATE pins_revision SET revision = revision + 1')
  const setWhole = database.prepare('UPDATE pins_revision SET seal = ?')
  const relist = database.prepare('UPDATE pinned_lists SET seal = ? WHERE server = ? AND kind = ?')
  const drop = database.prepare('DELETE FROM pinned_servers')
  const seals = database.prepare(
    'SELECT seal FROM pins UNION ALL SELECT seal FROM pinned_servers UNION ALL SELECT seal FROM pinned_lists',
  )

  const remember = ({ server, kind, name, digest, standing, by, at, reason }: Pin): void =>
    void decided.run(server, kind, name, digest, standing, by, at, reason)
  const state = (): { readonly revision: number; readonly seal: string } => {
    const row = whole.get() as { revision: number; seal: string }
    return { revision: Number(row.revision), seal: row.seal }
  }
  const sealNow = (seal: Seal): string =>
    wholeSeal(
      seals.all().map((row) => String(row['seal'])),
      state().revision,
      seal,
    )
  /** What somebody else has removed or put back is not made good by a change of ours. */
  const changing = (seal: Seal, change: () => void): void =>
    transaction(database, () => {
      const { revision, seal: kept } = state()
      const isWhole = revision === 0 ? seals.get() === undefined : kept === sealNow(seal)
      change()
      moved.run()
      if (isWhole) setWhole.run(sealNow(seal))
    })
  const put = (pin: Pin, seal: Seal): boolean => {
    const { server, kind, name, digest, standing, by, at, reason, seal: made } = sealedPin(pin, seal)
    return update.run(standing, by, at, reason, made, server, kind, name, digest).changes > 0
  }
  const putServer = (identity: Identity, seal: Seal): void =>
    void setServer.run(identity.server, identity.identity, sealedServer(identity, seal).seal)
  const listsNow = () => lists.all().map((row) => ({ ...listOf(row), seal: String(row['seal']) }))
  return {
    pinsRevision: async () => state().revision,
    async keptPins() {
      return transaction(database, () => {
        const { revision, seal } = state()
        return { revision, whole: seal, pins: all.all().map(pinOf), lists: listsNow(), servers: servers.all().map(serverOf) }
      })
    },
    async seePins(some, seal, list) {
      changing(seal, () => {
        const fresh = some.filter((pin) => {
          const { server, kind, name, digest, text, standing, by, at, reason, seenAt, seal: made } = sealedPin(pin, seal)
          return insert.run(server, kind, name, digest, text, standing, by, at, reason, seenAt, made).changes > 0
        })
        for (const pin of fresh) remember(pin)
        for (const pin of fresh) if (!isApproved(pin)) noted(actOf(pin))
        for (const [approved, ...others] of Object.values(Object.groupBy(fresh.filter(isApproved), kindAndReason)) as Pin[][])
          if (approved !== undefined)
            noted({ ...actOf(approved), detail: `${1 + others.length} of kind ${approved.kind}: ${approved.reason}` })
        if (list !== undefined) listed.run(list.server, list.kind, seal(sealTextOfList(list)))
      })
    },
    async decidePins(some, seal) {
      changing(seal, () => {
        for (const pin of some) {
          if (!put(pin, seal)) continue
          remember(pin)
          noted(actOf(pin))
        }
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
    async setPinnedServer(identity, { by, at, reason }, seal) {
      changing(seal, () => {
        putServer(identity, seal)
        endProposal.run(identity.server)
        noted({ action: 'pin.server', by, at, server: identity.server, detail: `${identity.identity}: ${reason}` })
      })
    },
    async resealPins(some, identities, { by, at, reason }, seal) {
      transaction(database, () => {
        for (const pin of some) {
          put(pin, seal)
          remember(pin)
        }
        drop.run()
        for (const identity of identities) putServer(identity, seal)
        for (const list of listsNow()) relist.run(seal(sealTextOfList(list)), list.server, list.kind)
        noted({ action: 'pins.resealed', by, at, detail: `${some.length} definitions: ${reason}` })
        moved.run()
        setWhole.run(sealNow(seal))
      })
    },
    async noteStranger(server, identity) {
      stranger.run(identity, server, identity)
    },
    pinDecisions: async (server, name) => history.all(server, name ?? '', name === undefined ? 1 : 0).map(decisionOf),
  }
}

const actOf = ({ server, kind, name, digest, standing, by, at, reason }: Pin): Act => ({
  action: `pin.${standing}`,
  by,
  at,
  server,
  detail: `${kind} ${name} ${digest.slice(0, 12)}: ${reason}`,
})
const isApproved = ({ standing }: Pin): boolean => standing === 'approved'
const kindAndReason = ({ kind, reason }: Pin): string => `${kind} ${reason}`

const listOf = (row: Record<string, unknown>) => ({ server: String(row['server']), kind: row['kind'] as DefinitionKind })
const serverOf = (row: Record<string, unknown>) => ({
  server: String(row['server']),
  identity: String(row['identity']),
  seal: String(row['seal']),
  stranger: row['stranger'] === null ? undefined : String(row['stranger']),
})
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
