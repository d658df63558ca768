import { DatabaseSync } from 'node:sqlite'
import { makePrivateFile } from '../lib/private-files.ts'

/**
 * Keeps a second writer out for as long as this process lives: an exclusive lock on an empty SQLite file beside the log, which
 * the operating system gives back even after kill -9. Returns what gives it back, or undefined when another has it.
 */
export function lockBeside(path: string): (() => void) | undefined {
  const file = `${path}.lock`
  makePrivateFile(file)
  const lock = new DatabaseSync(file)
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return () => lock.close()
  } catch {
    lock.close()
    return undefined
  }
}
