import type { Revocation, RevocationStore } from '../../identity/revocations.ts'

export interface RevocationRow extends Omit<Revocation, 'at'> {
  /** What was issued up to then is no longer good, ISO 8601. */
  readonly at: string
}

/** Everything that was taken back before it expired, oldest first. */
export async function tokensRevocations(store: Pick<RevocationStore, 'revocations'>): Promise<readonly RevocationRow[]> {
  return (await store.revocations()).map(({ at, ...rest }) => ({ ...rest, at: new Date(at).toISOString() }))
}
