import { setTimeout as delay } from 'node:timers/promises'
import { type Entry, readEntry } from './entry.ts'
import { openLog } from './no-log.ts'

export interface TailOptions {
  /** How many of the entries that are there already. */
  readonly last?: number | undefined
  /** Goes on with what is written from now on, until it is aborted. */
  readonly follow?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

const pollMs = 200
const rowsAtOnce = 500

/** The end of a log, entry by entry, and what is added to it. */
export async function* tail(
  path: string,
  { last = 10, follow = false, signal }: TailOptions = {},
): AsyncGenerator<Entry, void, void> {
  const store = openLog(path)
  try {
    let seq = Math.max((store.last()?.seq ?? 0) - last, 0)
    while (!signal?.aborted) {
      const rows = store.after(seq, rowsAtOnce)
      for (const row of rows) yield readEntry(row.text)
      seq = rows.at(-1)?.seq ?? seq
      if (rows.length > 0) continue
      if (!follow) return
      await delay(pollMs, undefined, { signal }).catch(() => {})
    }
  } finally {
    store.close()
  }
}
