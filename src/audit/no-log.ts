import { existsSync } from 'node:fs'
import { readStore, type StoreReader } from './store.ts'

/** There is nothing to look at: no log yet, or another file. Whether one is missing, only its anchor can tell; see verify.ts. */
export class NoLog extends Error {
  override readonly name = 'NoLog'
}

/** Opens a log for reading. Throws {@link NoLog}. */
export function openLog(path: string): StoreReader {
  if (!existsSync(path)) throw new NoLog(`there is no log at ${path}; has the gateway run? (--path FILE)`)
  try {
    return readStore(path)
  } catch (error) {
    throw new NoLog(`${path} cannot be read as a log: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}
