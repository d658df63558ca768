import type { Listed, Vault } from '../../vault/vault.ts'

export interface VaultRow extends Omit<Listed, 'at'> {
  /** When it was written, ISO 8601. */
  readonly at: string
}

/** What the vault keeps, of one owner or server where one is given. Values are not opened, and there is no verb that shows one. */
export async function vaultList(
  vault: Vault,
  { owner, server }: { readonly owner?: string | undefined; readonly server?: string | undefined } = {},
): Promise<readonly VaultRow[]> {
  const rows: VaultRow[] = []
  for await (const { at, ...row } of vault.list()) {
    const isAsked = (owner === undefined || row.owner === owner) && (server === undefined || row.server === server)
    if (isAsked) rows.push({ ...row, at: new Date(at).toISOString() })
  }
  const sortKey = ({ server, owner = '', kind, client = '', record }: VaultRow): string =>
    JSON.stringify([server, owner, kind, client, record])
  return rows.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
}
