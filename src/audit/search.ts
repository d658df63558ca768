/** Looks things up in a log that may be in use, through a connection that can only read. Says nothing of tampering: see verify.ts. */
import { type Entry, type Outcome, readEntry } from './entry.ts'
import { openLog } from './no-log.ts'
import { type Passage, type Trace, unended } from './passage.ts'
import type { StoreReader } from './store.ts'

/** Everything given must fit. Times are ISO 8601; the other words are compared whole, except `text`. */
export interface Filter {
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly principal?: string | undefined
  readonly server?: string | undefined
  readonly method?: string | undefined
  readonly subject?: string | undefined
  readonly ending?: Outcome['ending'] | 'unknown' | undefined
  readonly code?: string | undefined
  /** Anywhere in the entry, in any case. */
  readonly text?: string | undefined
  /** The latest so many. */
  readonly limit?: number | undefined
}

const limitDefault = 100
const rowsAtOnce = 500
/** Clocks are set back now and then: how much earlier an entry may claim to be than one before it. */
const skewMs = 300_000

/** The latest passages that fit, in the order in which they were written. */
export function search(path: string, filter: Filter = {}): readonly Passage[] {
  const store = openLog(path)
  try {
    store.snapshot()
    return find(store, filter)
  } finally {
    store.close()
  }
}

export function trace(path: string, exchange: string): Trace {
  const store = openLog(path)
  try {
    const entries = store.ofExchange(exchange).map((row) => readEntry(row.text))
    return { exchange, ending: entries.find((entry) => entry.kind === 'outcome')?.ending ?? 'unknown', entries }
  } finally {
    store.close()
  }
}

function find(store: StoreReader, filter: Filter): readonly Passage[] {
  const fits = matcher(filter)
  const earliest = filter.since === undefined ? Number.NEGATIVE_INFINITY : milliseconds(filter.since)
  const latest = filter.until === undefined ? Number.POSITIVE_INFINITY : milliseconds(filter.until)
  const limit = filter.limit ?? limitDefault
  const found: Passage[] = []
  let seq = endOf(store, latest + skewMs)
  for (;;) {
    const rows = store.before(seq, rowsAtOnce)
    for (const row of rows) {
      if (found.length >= limit) return found.reverse()
      seq = row.seq
      if (!fits.text(row.text)) continue
      const entry = readEntry(row.text)
      const at = Date.parse(entry.time)
      if (at < earliest || at > latest) continue
      const passage = passageOf(entry, store)
      if (passage !== undefined && fits.passage(passage)) found.push(passage)
    }
    const last = rows.at(-1)
    if (last === undefined || Date.parse(readEntry(last.text).time) < earliest - skewMs) return found.reverse()
  }
}

/** An intent counts only where no outcome was written; that it is going on, not at all. */
function passageOf(entry: Entry, store: StoreReader): Passage | undefined {
  if (entry.kind === 'ongoing') return undefined
  if (entry.kind !== 'intent') return entry
  const ended = store.ofExchange(entry.exchange).some((row) => readEntry(row.text).kind === 'outcome')
  return ended ? undefined : unended(entry)
}

function milliseconds(time: string): number {
  const at = Date.parse(time)
  if (Number.isNaN(at)) throw new RangeError(`"${time}" is not a time: write for example 2026-11-21T08:00:00Z`)
  return at
}

/** A place after every entry that was written before `time`, by halving. */
function endOf(store: StoreReader, time: number): number {
  let [low, high] = [0, (store.last()?.seq ?? 0) + 1]
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2)
    const row = store.before(middle + 1, 1)[0]
    if (row === undefined || Date.parse(readEntry(row.text).time) <= time) low = middle
    else high = middle
  }
  return high
}

const compared = ['principal', 'server', 'method', 'subject', 'ending', 'code'] as const

/** `text` is asked first, of the line as it is: most lines need not be parsed. */
function matcher(filter: Filter) {
  const wanted = compared.filter((key) => filter[key] !== undefined)
  const needles = wanted.filter((key) => key !== 'ending').map((key) => JSON.stringify(filter[key]))
  const loose = filter.text?.toLowerCase()
  return {
    text: (line: string): boolean =>
      needles.every((needle) => line.includes(needle)) && (loose === undefined || line.toLowerCase().includes(loose)),
    passage: (passage: Passage): boolean =>
      wanted.every((key) => (passage as Partial<Record<string, unknown>>)[key] === filter[key]),
  }
}
