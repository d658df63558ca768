import type { DatabaseSync } from 'node:sqlite'

/** All of `work` or nothing of it, with the write lock from the start. */
export function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK') // a full disk has already rolled back
    throw error
  }
}
