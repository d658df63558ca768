/** Does every record open? Each is opened as its reader would open it; what comes out is wiped unread. */
import { VaultRecordBroken } from './errors.ts'
import type { VaultKeys } from './keys.ts'
import { shortName } from './names.ts'
import type { RecordRow, VaultRecords } from './records.ts'
import { broken, everyRecord, isAsRead, openRecord } from './vault.ts'

export interface VaultVerification {
  readonly records: number
  /** Changed outside the vault. */
  readonly broken: readonly { readonly record: string; readonly server: string; readonly kind: string }[]
  /** Of keys that cannot be used now: why, and how many records are under each. */
  readonly closed: readonly { readonly key: string; readonly records: number; readonly why: string; readonly fix: string }[]
}

export interface VerificationOptions {
  readonly records: VaultRecords
  readonly keys: VaultKeys
  readonly progress?: ((done: number, total: number) => void) | undefined
}

export async function verifyVault({ records, keys, progress }: VerificationOptions): Promise<VaultVerification> {
  const total = await records.count()
  const faulty: VaultVerification['broken'][number][] = []
  const closed = new Map<string, { records: number; why: string; fix: string }>()
  let seen = 0
  for await (const read of everyRecord(records)) {
    seen++
    progress?.(seen, total)
    for (let row: RecordRow | undefined = read; row !== undefined; ) {
      const known = closed.get(row.key)
      if (known !== undefined) {
        known.records++
        break
      }
      const fault = await faultOf(keys, row)
      if (fault !== undefined && !(await isAsRead(records, row))) {
        row = await records.record(row.name) // a rotation came between
        continue
      }
      if (fault instanceof VaultRecordBroken) faulty.push({ record: shortName(row.name), server: row.server, kind: row.kind })
      else if (fault !== undefined) {
        const { message, fix = '' } = fault as Error & { fix?: string }
        closed.set(row.key, { records: 1, why: message, fix })
      }
      break
    }
  }
  return { records: seen, broken: faulty, closed: [...closed].map(([key, rest]) => ({ key, ...rest })) }
}

/** Why a record does not open; undefined where it does. */
async function faultOf(keys: VaultKeys, row: RecordRow): Promise<unknown> {
  try {
    const key = (await keys.of(row.key)).names.keyOf(row)
    if (key === undefined) throw broken(row)
    const plaintext = await openRecord(keys, row, key)
    plaintext.fill(0)
    return undefined
  } catch (error) {
    return error
  }
}
