/**
 * One walk over every entry of a log: what the entries say of one another. Each entry names its own place, so a missing, a
 * moved and an added one can be told apart; each stored hash must follow from the one before it. Whether the hashes are the
 * signed ones is not known here: see verify.ts.
 */
import { link } from './chain.ts'
import { type Entry, readEntry } from './entry.ts'
import { MerkleTree } from './merkle.ts'
import { Ranges } from './ranges.ts'
import type { StoredRow, StoreReader } from './store.ts'

export interface Walk {
  readonly entries: number
  /** The highest place that an entry names. */
  readonly last: number
  readonly missing: Ranges
  readonly moved: Ranges
  readonly added: Ranges
  /** Entries that do not follow from the stored hash before them: this text or that hash was changed. */
  readonly breaks: Ranges
  /** Entries whose columns contradict their text. */
  readonly mislabelled: Ranges
  /** So much is wrong that the rest was not looked at. */
  readonly gaveUp: boolean
  /** Intents without an outcome: nobody can say how they ended. */
  readonly unknown: number
  /** The stored hash, and the root over everything up to it, at the places asked for. */
  readonly marks: ReadonlyMap<number, { readonly head: string; readonly root: string }>
}

const rowsAtOnce = 2000
/** A log with more holes than this is not worth an hour of counting them. */
const faultsMax = 1000

/** `progress` is called now and then with the number of entries seen; in between, the event loop runs. */
export async function walk(
  store: StoreReader,
  start: string,
  places: ReadonlySet<number>,
  progress: (seen: number) => void,
): Promise<Walk> {
  const walker = new Walker(start, places)
  let seq = Number.MIN_SAFE_INTEGER
  for (let rows = store.after(seq, rowsAtOnce); rows.length > 0 && !walker.gaveUp; rows = store.after(seq, rowsAtOnce)) {
    for (const row of rows) walker.see(row)
    seq = (rows.at(-1) as StoredRow).seq
    progress(walker.entries)
    await new Promise(setImmediate)
  }
  return walker
}

class Walker implements Walk {
  entries = 0
  last = 0
  readonly missing = new Ranges()
  readonly moved = new Ranges()
  readonly added = new Ranges()
  readonly breaks = new Ranges()
  readonly mislabelled = new Ranges()
  readonly marks = new Map<number, { head: string; root: string }>()
  readonly #tree = MerkleTree.empty()
  readonly #places: ReadonlySet<number>
  readonly #open = new Set<string>()
  #previous: string
  /** Whether the entry before stood in its place; if not, its hash is not the one to follow from. */
  #orderly = true

  constructor(start: string, places: ReadonlySet<number>) {
    this.#previous = start
    this.#places = places
  }

  get gaveUp(): boolean {
    return [this.missing, this.moved, this.added, this.breaks, this.mislabelled].some(({ count }) => count > faultsMax)
  }

  get unknown(): number {
    return this.#open.size
  }

  see(row: StoredRow): void {
    this.entries++
    const entry = entryOf(row)
    const place = entry?.seq ?? row.seq
    const follows = place === this.last + 1
    if (entry === undefined || row.seq !== place || row.exchange !== ('exchange' in entry ? entry.exchange : ''))
      this.mislabelled.add(place)
    if (follows && this.#orderly && link(this.#previous, row.text) !== row.hash) this.breaks.add(place)
    if (place > this.last + 1) this.missing.add(this.last + 1, place - 1)
    else if (!follows) (this.missing.remove(place) ? this.moved : this.added).add(place)
    this.#orderly = follows
    this.last = Math.max(this.last, place)
    this.#previous = row.hash
    this.#tree.append(row.hash)
    if (this.#places.has(place)) this.marks.set(place, { head: row.hash, root: this.#tree.root() })
    if (entry?.kind === 'intent') this.#open.add(entry.exchange)
    else if (entry?.kind === 'outcome') this.#open.delete(entry.exchange)
  }
}

function entryOf(row: StoredRow): Entry | undefined {
  try {
    const entry = readEntry(row.text)
    return Number.isSafeInteger(entry.seq) && entry.seq > 0 ? entry : undefined
  } catch {
    return undefined
  }
}
