/** Files that only we may read, in folders that only we may enter. What is there already is left as it is. */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** Level by level: mkdir of Node with `recursive` goes round for ever where a folder takes no folders, as under /proc. */
export function makePrivateFolder(path: string): void {
  if (existsSync(path)) return
  makePrivateFolder(dirname(path))
  unlessThere(() => mkdirSync(path, { mode: 0o700 }))
}

/**
 * An empty file, and its folder. SQLite gives what it puts beside a database the same mode. A file that is there is not
 * even opened: closing it would give back the locks that this process has on it.
 */
export function makePrivateFile(path: string): void {
  makePrivateFolder(dirname(path))
  unlessThere(() => closeSync(openSync(path, 'wx', 0o600)))
}

function unlessThere(make: () => void): void {
  try {
    make()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
