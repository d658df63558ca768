/**
 * A new key for everything, while others read and write. Each record's own key is unwrapped and wrapped again; its value is not
 * touched. The order makes it safe to break off anywhere: the new key is kept before anything is wrapped with it, a record is
 * under the old or the new one and never between, and the old one goes when nothing needs it. To finish, rotate again.
 */
import type { Clock } from '../lib/clock.ts'
import { VaultRecordBroken } from './errors.ts'
import type { VaultKeys } from './keys.ts'
import { shortName } from './names.ts'
import { wrapBinding } from './record-key.ts'
import type { RecordRow, Rewrapping, VaultRecords } from './records.ts'
import { broken, everyRecord, isAsRead, openOwnKey } from './vault.ts'

export interface Rotation {
  /** The key that everything is under now; undefined where nothing was ever stored. */
  readonly key: string | undefined
  /** True when an earlier rotation had not come to its end, and this was its end. */
  readonly resumed: boolean
  readonly rewrapped: number
  /** Keys that are no longer needed by any record; where they were ours to destroy, they are gone. */
  readonly removed: readonly string[]
  /** Records that do not open, and so stay as they are, with the key they name. */
  readonly broken: readonly string[]
}

export interface RotationOptions {
  readonly records: VaultRecords
  readonly keys: VaultKeys
  readonly clock: Clock
  /** Who rotates: `cli:alice`. */
  readonly by: string
  readonly progress?: ((done: number, total: number) => void) | undefined
}

/** Rows in one transaction: few, so that nobody who writes meanwhile waits for long. */
const batchRows = 50

export async function rotate({ records, keys, clock, by, progress }: RotationOptions): Promise<Rotation> {
  if ((await records.keys()).length === 0) return { key: undefined, resumed: false, rewrapped: 0, removed: [], broken: [] }
  let { row: target } = await keys.current(by)
  const left = await records.count(target.id)
  if (left === 0) target = (await keys.renew(by)).row
  const total = await records.count(target.id)
  const unopened = new Set<string>()
  let rewrapped = 0
  for (let tried = -1; tried !== 0; ) {
    tried = 0
    target = (await keys.current(by)).row // another rotation may have made a newer one: then both work towards that
    for await (const batch of batches(everyRecord(records, target.id))) {
      const changes: Rewrapping[] = []
      for (const row of batch) {
        const change = await rewrapping(records, keys, row, target.id)
        if (change === 'broken') unopened.add(shortName(row.name))
        else {
          tried++
          if (change !== 'overtaken') changes.push(change)
        }
      }
      rewrapped += await records.rewrap(changes)
      progress?.(rewrapped, total)
    }
  }
  const detail = `${rewrapped} records to ${target.id}${unopened.size > 0 ? `, ${unopened.size} do not open` : ''}`
  const removed = await records.removeUnusedKeys(target.id, { action: 'vault.rotated', by, at: clock.now(), detail })
  await keys.forget(removed)
  return { key: target.id, resumed: left > 0, rewrapped, removed, broken: [...unopened] }
}

/** `overtaken`: another process has written or moved the record, or retired the key that it was to move to. */
async function rewrapping(
  records: VaultRecords,
  keys: VaultKeys,
  row: RecordRow,
  to: string,
): Promise<Rewrapping | 'broken' | 'overtaken'> {
  try {
    const { names, row: keyRow, provider } = await keys.of(to)
    const key = names.keyOf(row)
    if (key === undefined) throw broken(row)
    const ownKey = await openOwnKey(keys, row, key)
    try {
      const wrapped = await provider.wrap(keyRow, ownKey, wrapBinding(key, row.version, to))
      return { name: row.name, version: row.version, from: row.key, to, wrapped }
    } finally {
      ownKey.fill(0)
    }
  } catch (error) {
    if (error instanceof VaultRecordBroken) return 'broken'
    const isThere = (await records.keys()).some(({ id }) => id === to)
    if (isThere && (await isAsRead(records, row))) throw error
    return 'overtaken'
  }
}

async function* batches(rows: AsyncIterable<RecordRow>): AsyncGenerator<readonly RecordRow[]> {
  let batch: RecordRow[] = []
  for await (const row of rows) {
    batch.push(row)
    if (batch.length < batchRows) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
