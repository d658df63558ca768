import type { Clock } from '../../lib/clock.ts'
import type { VaultKeys } from '../../vault/keys.ts'
import type { VaultRecords } from '../../vault/records.ts'

export interface VaultPurge {
  readonly owner?: string | undefined
  readonly server?: string | undefined
  /** Milliseconds. */
  readonly olderThanMs?: number | undefined
  /** Who does it: `cli:alice`. */
  readonly by: string
}

/**
 * Removes what fits everything that is given, and says how much that was. Only to find an owner is the key needed: what can no
 * longer be opened can still be removed. The removal and its record are one transaction.
 */
export async function vaultPurge(
  { records, keys, clock }: { readonly records: VaultRecords; readonly keys: VaultKeys; readonly clock: Clock },
  { owner, server, olderThanMs, by }: VaultPurge,
): Promise<number> {
  if (owner === undefined && server === undefined && olderThanMs === undefined)
    throw new Error('say what to purge: --owner, --server or --older-than')
  const names = owner === undefined ? undefined : await keys.names()
  if (owner !== undefined && names === undefined) return 0
  const at = clock.now()
  const selection = {
    owner: owner === undefined ? undefined : names?.ownerOf(owner),
    server,
    before: olderThanMs === undefined ? undefined : at - olderThanMs + 1,
  }
  const asked = [owner && `of ${owner}`, olderThanMs !== undefined && `older than ${olderThanMs / 1000} s`].filter(Boolean)
  return records.removeAll(selection, (count) => ({
    action: 'vault.purged',
    by,
    at,
    server,
    detail: [`${count} records`, ...asked].join(' '),
  }))
}
