import type { Revocable, RevocationStore } from '../../identity/revocations.ts'
import { tokenHolder } from '../principal-id.ts'

export interface TokensRevoke {
  /** Exactly one of these three. A user's or an application's id: `user:…`. */
  readonly user?: string | undefined
  readonly client?: string | undefined
  /** The `jti` of one token, or Entra's `uti`. */
  readonly token?: string | undefined
  /** Who does it: `cli:alice`. */
  readonly by: string
  readonly reason?: string | undefined
}

export interface Revoked {
  readonly kind: Revocable
  readonly value: string
}

/**
 * What was issued up to now is no longer good: access tokens of any issuer, and our own codes and refresh tokens. A running
 * gateway obeys within a second, also in the middle of a call. The revocation and its act are one transaction.
 */
export async function tokensRevoke(
  store: Pick<RevocationStore, 'revoke'>,
  { user, client, token, by, reason = '' }: TokensRevoke,
): Promise<Revoked> {
  const given = Object.entries({ user, client, token }).flatMap(([kind, value]) =>
    value === undefined ? [] : [{ kind: kind as Revocable, value }],
  )
  const [revoked] = given
  if (revoked === undefined || given.length > 1) throw new Error('say whose tokens: one of --user, --client and --token')
  if (revoked.kind === 'user') tokenHolder(revoked.value)
  await store.revoke(revoked.kind, revoked.value, by, reason)
  return revoked
}
