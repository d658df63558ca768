/** Tells of changes to the database, our own at once and those of other processes within a poll. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

const pollMs = 200

export class ChangeFeed {
  readonly #watchers = new Set<() => void>()
  /** Moves when another connection has written, and never for our own writes. */
  readonly #dataVersion: StatementSync
  readonly #timer: NodeJS.Timeout
  #last: unknown

  constructor(database: DatabaseSync) {
    this.#dataVersion = database.prepare('PRAGMA data_version')
    this.#last = this.#read()
    this.#timer = setInterval(() => this.#poll(), pollMs).unref()
  }

  watch(changed: () => void): () => void {
    const watcher = () => changed()
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  tell(): void {
    for (const watcher of this.#watchers) watcher()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#watchers.clear()
  }

  #read(): unknown {
    return this.#dataVersion.get()?.['data_version']
  }

  #poll(): void {
    let now: unknown
    try {
      now = this.#read()
    } catch {
      now = undefined // unreadable is a change too: whoever watches reads, and learns why
    }
    if (now === this.#last) return
    this.#last = now
    this.tell()
  }
}
