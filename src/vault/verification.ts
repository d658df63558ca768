/** Does every record open? Each is opened as its reader would open it; what comes out is wiped unread. */
import { VaultRecordBroken } from './errors.ts'
import type { VaultKeys } from './keys.ts'
import { shortName } from './names.ts'
import type { VaultRecords } from './records.ts'
import { broken, everyRecord, openRecord } from './vault.ts'

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
  for await (const row of everyRecord(records)) {
    progress?.(++seen, total)
    const known = closed.get(row.key)
    if (known !== undefined) {
      known.records++
      continue
    }
    try {
      const key = (await keys.of(row.key)).names.keyOf(row)
      if (key === undefined) throw broken(row)
      const plaintext = await openRecord(keys, row, key)
      plaintext.fill(0)
    } catch (error) {
      if (error instanceof VaultRecordBroken) faulty.push({ record: shortName(row.name), server: row.server, kind: row.kind })
      else {
        const { message, fix = '' } = error as Error & { fix?: string }
        closed.set(row.key, { records: 1, why: message, fix })
      }
    }
  }
  return { records: seen, broken: faulty, closed: [...closed].map(([key, rest]) => ({ key, ...rest })) }
}
