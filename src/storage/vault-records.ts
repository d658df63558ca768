import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { KeyRow, RecordRow, Selection, VaultRecords } from '../vault/records.ts'
import type { Noted } from './acts.ts'
import { transaction } from './transaction.ts'

/** The vault's rows: ciphertext only, so that what SQLite writes beside the database needs no further care. */
export function vaultRecords(database: DatabaseSync, noted: Noted): VaultRecords {
  const prepare = (sql: string) => database.prepare(sql)
  const keys = prepare('SELECT seq, id, made, parameters, names FROM vault_keys ORDER BY seq')
  const newestKey = prepare('SELECT max(seq) AS seq FROM vault_keys')
  const hasKey = prepare('SELECT 1 FROM vault_keys WHERE id = ?')
  const isKey = prepare('SELECT 1 FROM vault_keys WHERE id = ? AND seq = ?')
  const addKey = prepare('INSERT INTO vault_keys (id, made, parameters, names) VALUES (?, ?, ?, ?)')
  const removeUnused = prepare(
    'DELETE FROM vault_keys WHERE id <> ? AND NOT EXISTS (SELECT 1 FROM vault_records WHERE key = vault_keys.id) RETURNING id',
  )
  const removeKeys = prepare('DELETE FROM vault_keys')
  const columns = 'name, owner, server, kind, label, version, at, key, wrapped, sealed'
  const one = prepare(`SELECT ${columns} FROM vault_records WHERE name = ?`)
  const versionOf = prepare('SELECT version FROM vault_records WHERE name = ?')
  const write = prepare(`INSERT OR REPLACE INTO vault_records (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const remove = prepare('DELETE FROM vault_records WHERE name = ?')
  const page = prepare(`SELECT ${columns} FROM vault_records WHERE name > ? AND key <> ? ORDER BY name LIMIT ?`)
  const count = prepare('SELECT count(*) AS count FROM vault_records WHERE key <> ?')
  const rewrap = prepare('UPDATE vault_records SET key = ?, wrapped = ? WHERE name = ? AND version = ? AND key = ?')

  const counted = (notUnder: string): number => Number(count.get(notUnder)?.['count'])
  /** The log beside the database too: what was removed is in it until then. It may wait for readers, so only an operator's verbs do it. */
  const truncated = <Result>(result: Result): Result => {
    try {
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // a reader is in the way; it is overwritten with the next checkpoint
    }
    return result
  }

  return {
    async keys() {
      return keys.all().map(keyRow)
    },
    async addKey({ id, made, parameters, names }, after, act) {
      return transaction(database, () => {
        if (Number(newestKey.get()?.['seq'] ?? 0) !== after) return false
        addKey.run(id, made, parameters, names)
        noted(act)
        return true
      })
    },
    async removeUnusedKeys(keep, act) {
      return truncated(
        transaction(database, () => {
          const removed = removeUnused.all(keep).map((row) => String(row['id']))
          noted(act)
          return removed
        }),
      )
    },
    async record(name) {
      const row = one.get(name)
      return row && recordRow(row)
    },
    async write({ name, owner, server, kind, label, version, at, key, wrapped, sealed }, keySeq) {
      return transaction(database, () => {
        const before = Number(versionOf.get(name)?.['version'] ?? 0)
        if (before !== version - 1 || isKey.get(key, keySeq) === undefined) return false
        write.run(name, owner, server, kind, label, version, at, key, wrapped, sealed)
        return true
      })
    },
    async remove(name) {
      return remove.run(name).changes > 0
    },
    async removeAll(selection, act) {
      const { where, values } = conditions(selection)
      const work = (): number => Number(prepare(`DELETE FROM vault_records WHERE ${where}`).run(...values).changes)
      if (act === undefined) return transaction(database, work)
      return truncated(
        transaction(database, () => {
          const removed = work()
          if (counted('') === 0) removeKeys.run()
          noted(act(removed))
          return removed
        }),
      )
    },
    async page(after, limit, notUnder = '') {
      return page.all(after ?? new Uint8Array(), notUnder, limit).map(recordRow)
    },
    async count(notUnder = '') {
      return counted(notUnder)
    },
    async rewrap(changes) {
      return transaction(database, () => {
        let changed = 0
        for (const { name, version, from, to, wrapped } of changes)
          if (hasKey.get(to) !== undefined) changed += Number(rewrap.run(to, wrapped, name, version, from).changes)
        return changed
      })
    },
  }
}

function conditions({ owner, server, before }: Selection): { where: string; values: SQLInputValue[] } {
  const given = [
    ['owner = ?', owner],
    ['server = ?', server],
    ['at < ?', before],
  ] as const
  const asked = given.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]))
  if (asked.length === 0) throw new TypeError('say which records: of an owner, of a server, or written before a time')
  return { where: asked.map(({ sql }) => sql).join(' AND '), values: asked.map(({ value }) => value) }
}

type Row = Record<string, unknown>

const bytes = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array())

const keyRow = (row: Row): KeyRow => ({
  id: String(row['id']),
  seq: Number(row['seq']),
  made: Number(row['made']),
  parameters: String(row['parameters']),
  names: bytes(row['names']),
})

const recordRow = (row: Row): RecordRow => ({
  name: bytes(row['name']),
  owner: bytes(row['owner']),
  server: String(row['server']),
  kind: String(row['kind']),
  label: bytes(row['label']),
  version: Number(row['version']),
  at: Number(row['at']),
  key: String(row['key']),
  wrapped: bytes(row['wrapped']),
  sealed: bytes(row['sealed']),
})
