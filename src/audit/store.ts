/**
 * The audit log's own SQLite file. The only file here that speaks SQL. Entries are inserted, never updated or deleted;
 * `exchange` repeats a member of the text so that one exchange can be found among millions.
 */
import { DatabaseSync } from 'node:sqlite'
import { makePrivateFile } from '../lib/private-files.ts'

export interface StoredRow {
  readonly seq: number
  readonly exchange: string
  readonly text: string
  readonly hash: string
}

const schemaVersion = 1
const schema = `
  CREATE TABLE IF NOT EXISTS log (id TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS entry (seq INTEGER PRIMARY KEY, exchange TEXT NOT NULL, text TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS entry_exchange ON entry (exchange);
  CREATE TABLE IF NOT EXISTS checkpoint (size INTEGER PRIMARY KEY, text TEXT NOT NULL, peaks BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS cursor (sink TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
  PRAGMA user_version = ${schemaVersion};
`

/** Opens the file for writing, makes it where there is none, and readable by its owner only. */
export function openStore(path: string) {
  makePrivateFile(path)
  const database = new DatabaseSync(path, { timeout: 2000 })
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > schemaVersion) throw new Error(`${path} was written by a newer Sekisho (schema ${version})`)
  database.exec(schema)

  const insert = database.prepare('INSERT INTO entry (seq, exchange, text, hash) VALUES (?, ?, ?, ?)')
  const insertCheckpoint = database.prepare('INSERT INTO checkpoint (size, text, peaks) VALUES (?, ?, ?)')
  const moveCursor = database.prepare(
    'INSERT INTO cursor (sink, seq) VALUES (?, ?) ON CONFLICT (sink) DO UPDATE SET seq = excluded.seq',
  )
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  return {
    ...readers(database),
    append: (row: StoredRow): void => void insert.run(row.seq, row.exchange, row.text, row.hash),
    addCheckpoint: (size: number, text: string, peaks: Uint8Array): void => void insertCheckpoint.run(size, text, peaks),
    moveCursor: (sink: string, seq: number): void => void moveCursor.run(sink, seq),
    nameLog: (id: string): void => void database.prepare('INSERT INTO log (id) VALUES (?)').run(id),
    /** All of it is on disk when this returns, or none of it. */
    transaction(work: () => void): void {
      begin.run()
      try {
        work()
        commit.run()
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
  }
}
export type Store = ReturnType<typeof openStore>

/** A second, read-only connection to a log that may be in use. Everything read through `snapshot` is of one moment. */
export function readStore(path: string) {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 })
  return { ...readers(database), snapshot: (): void => database.exec('BEGIN') }
}
export type StoreReader = ReturnType<typeof readStore>

function readers(database: DatabaseSync) {
  const upwards = database.prepare('SELECT seq, exchange, text, hash FROM entry WHERE seq > ? ORDER BY seq LIMIT ?')
  const downwards = database.prepare('SELECT seq, exchange, text, hash FROM entry WHERE seq < ? ORDER BY seq DESC LIMIT ?')
  const ofExchange = database.prepare('SELECT seq, exchange, text, hash FROM entry WHERE exchange = ? ORDER BY seq')
  const last = database.prepare('SELECT seq, exchange, text, hash FROM entry ORDER BY seq DESC LIMIT 1')
  const checkpoints = database.prepare('SELECT size, text, peaks FROM checkpoint ORDER BY size')
  const lastCheckpoint = database.prepare('SELECT size, text, peaks FROM checkpoint ORDER BY size DESC LIMIT 1')
  type CheckpointRow = { readonly size: number; readonly text: string; readonly peaks: Uint8Array }
  return {
    logId: (): string | undefined => (database.prepare('SELECT id FROM log').get() as { id: string } | undefined)?.id,
    last: (): StoredRow | undefined => last.get() as StoredRow | undefined,
    /** At most `limit` entries after `seq`, in order. */
    after: (seq: number, limit: number): readonly StoredRow[] => upwards.all(seq, limit) as unknown as StoredRow[],
    /** At most `limit` entries before `seq`, the latest first. */
    before: (seq: number, limit: number): readonly StoredRow[] => downwards.all(seq, limit) as unknown as StoredRow[],
    ofExchange: (exchange: string): readonly StoredRow[] => ofExchange.all(exchange) as unknown as StoredRow[],
    checkpoints: (): readonly CheckpointRow[] => checkpoints.all() as unknown as CheckpointRow[],
    lastCheckpoint: (): CheckpointRow | undefined => lastCheckpoint.get() as CheckpointRow | undefined,
    cursors: (): readonly (readonly [string, number])[] =>
      (database.prepare('SELECT sink, seq FROM cursor').all() as { sink: string; seq: number }[]).map(({ sink, seq }) => [
        sink,
        seq,
      ]),
    close: (): void => database.close(),
  }
}
