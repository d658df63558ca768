/**
 * Is the log what was written? Recomputes every hash, compares it with the signed checkpoints of the store and of the retained
 * anchor, and names what does not fit.
 *
 * What it cannot see, by design: entries after the last checkpoint (at most about a second's) are protected by nothing yet;
 * and whoever cuts the store, the anchor and every copy of it to the same earlier checkpoint leaves a log that fits. Without
 * `publicKey` the key is the one that the anchor names. A log that is not there has been taken away if there is an anchor,
 * and else was never begun.
 */
import type { KeyObject } from 'node:crypto'
import { type AnchorRead, publicKeyOf, readAnchor } from './anchor.ts'
import { genesis } from './chain.ts'
import { type Checkpoint, isSignedBy, keyIdOf, readCheckpoint } from './checkpoint.ts'
import { intervals } from './intervals.ts'
import { NoLog, openLog } from './no-log.ts'
import type { StoreReader } from './store.ts'
import { type Tampering, type TamperingKind, tampering } from './tampering.ts'
import { walk } from './walk.ts'

export interface Verification {
  /** Nothing was found. */
  readonly ok: boolean
  readonly entries: number
  readonly checkpoints: number
  /** The key that signed, where one is known. */
  readonly keyId: string | undefined
  /** The last entry that a checkpoint of the anchor vouches for, and when that was signed. */
  readonly protectedTo: number
  readonly protectedAt: string | undefined
  /** Entries after it: written, chained, but not yet protected. */
  readonly unprotected: number
  /** Intents without an outcome: the process ended before it could say. */
  readonly unknown: number
  readonly tampering: readonly Tampering[]
}

export type Progress = (seen: number, total: number) => void

/** Throws {@link NoLog} where there is neither a log nor an anchor that speaks of one. */
export async function verify(
  path: string,
  anchor: string,
  publicKey?: KeyObject,
  progress: Progress = () => {},
): Promise<Verification> {
  const before = readAnchor(anchor)
  let store: StoreReader | undefined
  try {
    store = openLog(path)
    store.snapshot()
    return await verifyStore(store, before, () => readAnchor(anchor), publicKey, progress)
  } catch (error) {
    if (before === undefined && error instanceof NoLog) throw error
    if (store !== undefined && (error as NodeJS.ErrnoException).code !== 'ERR_SQLITE_ERROR') throw error
    return unreadable(before, error instanceof Error ? error.message : 'unknown')
  } finally {
    store?.close()
  }
}

function unreadable(anchor: AnchorRead | undefined, detail: string): Verification {
  const last = anchor?.checkpoints.at(-1)
  const protectedTo = last?.size ?? 0
  const found = [tampering('store-missing', Math.min(protectedTo, 1), protectedTo, detail)]
  const known = { keyId: anchor?.header?.keyId, protectedTo, protectedAt: last?.time }
  return { ok: false, entries: 0, checkpoints: 0, unprotected: 0, unknown: 0, ...known, tampering: found }
}

async function verifyStore(
  store: StoreReader,
  before: AnchorRead | undefined,
  anchorNow: () => AnchorRead | undefined,
  publicKey: KeyObject | undefined,
  progress: Progress,
): Promise<Verification> {
  const log = store.logId() ?? ''
  const total = store.last()?.seq ?? 0
  const anchor = before?.header !== undefined && before.header.log !== log ? undefined : before
  const key = publicKey ?? (anchor?.header && publicKeyOf(anchor.header))
  const found = anchorFaults(before, log, publicKey)

  const stored = store.checkpoints().map(({ size, text }): Claimed => ({ size, checkpoint: readCheckpoint(text) }))
  const anchored = (anchor?.checkpoints ?? []).map((checkpoint): Claimed => ({ size: checkpoint.size, checkpoint }))
  const own = sorted(stored, log, key, 'store', found)
  const retained = sorted(anchored, log, key, 'anchor', found)
  found.push(...lost(retained, own, 'store'))
  // The latest may be on its way to the anchor.
  if (anchor !== undefined) found.push(...lost(own.slice(0, -1), anchorNow()?.checkpoints ?? [], 'anchor'))

  const vouched = new Map([...own, ...retained].map((checkpoint) => [checkpoint.size, checkpoint]))
  const walked = await walk(store, genesis(log), new Set(vouched.keys()), (seen) => progress(seen, total))
  found.push(
    ...intervals(
      walked,
      [...vouched.values()].sort((a, b) => a.size - b.size),
    ),
  )

  const last = retained.at(-1)
  const protectedTo = last?.size ?? 0
  return {
    ok: found.length === 0,
    entries: walked.entries,
    checkpoints: own.length,
    keyId: key && keyIdOf(key),
    protectedTo,
    protectedAt: last?.time,
    unprotected: Math.max(walked.last - protectedTo, 0),
    unknown: walked.unknown,
    tampering: found,
  }
}

function anchorFaults(anchor: AnchorRead | undefined, log: string, publicKey: KeyObject | undefined): Tampering[] {
  if (anchor === undefined)
    return [tampering('anchor-missing', 0, 0, 'without it a log that was cut short cannot be told from a whole one')]
  const found: Tampering[] = []
  const header = anchor.header
  if (header === undefined) found.push(tampering('anchor-damaged', 0, 0, 'its first line does not name a log and a key'))
  else if (header.log !== log)
    found.push(tampering('anchor-swapped', 0, 0, `it names the log ${header.log}, and this one is ${log}`))
  else if (publicKey !== undefined && header.keyId !== keyIdOf(publicKey))
    found.push(tampering('wrong-key', 0, 0, `the anchor names the key ${header.keyId}, and ${keyIdOf(publicKey)} was expected`))
  for (const line of anchor.unreadable.slice(0, 10))
    found.push(tampering('anchor-damaged', 0, 0, `line ${line} is not a checkpoint`))
  return found
}

/** A checkpoint as it was found, and the size it was filed under. */
interface Claimed {
  readonly size: number
  readonly checkpoint: Checkpoint | undefined
}

/** The checkpoints that our key signed. The others go to `found`, those of one kind together. */
function sorted(
  claimed: readonly Claimed[],
  log: string,
  key: KeyObject | undefined,
  place: string,
  found: Tampering[],
): Checkpoint[] {
  const good: Checkpoint[] = []
  const foreign: number[] = []
  const forged: number[] = []
  for (const { size, checkpoint } of claimed) {
    if (checkpoint !== undefined && key !== undefined && checkpoint.keyId !== keyIdOf(key)) foreign.push(size)
    else if (
      checkpoint === undefined ||
      checkpoint.size !== size ||
      checkpoint.log !== log ||
      (key && !isSignedBy(checkpoint, key))
    )
      forged.push(size)
    else good.push(checkpoint)
  }
  found.push(...together('wrong-key', foreign, `in the ${place} bears another key than ours`))
  found.push(...together('checkpoint-forged', forged, `in the ${place} was changed after it was signed, or never was`))
  return good
}

const lost = (wanted: readonly Checkpoint[], there: readonly Checkpoint[], place: string): Tampering[] => {
  const signatures = new Set(there.map(({ signature }) => signature))
  const gone = wanted.filter(({ signature }) => !signatures.has(signature)).map(({ size }) => size)
  return together('checkpoint-removed', gone, `is gone from the ${place}`)
}

function together(kind: TamperingKind, sizes: readonly number[], what: string): Tampering[] {
  const [first, last] = [sizes[0], sizes.at(-1)]
  if (first === undefined || last === undefined) return []
  const more = sizes.length > 1 ? ` (and ${sizes.length - 1} more, to entry ${last})` : ''
  return [tampering(kind, first, last, `the checkpoint at entry ${first} ${what}${more}`)]
}
