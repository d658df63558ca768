import type { Revocable, RevocationStore } from '../../identity/revocations.ts'
import type { HasBeenHere } from '../has-been-here.ts'
import { tokenHolder } from '../principal-id.ts'

export interface TokensRevoke {
  /** Exactly one of these three. A user's or an application's id: `user:…`; without the word, where only one of the two is known. */
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
  /** Whether anything here knows of that user or client: a mistyped id revokes nothing. Of one token nobody can tell. */
  readonly known?: boolean
}

export interface RevocationsAtHand {
  readonly store: Pick<RevocationStore, 'revoke'>
  readonly hasBeenHere: HasBeenHere
}

/**
 * What was issued up to now is no longer good: access tokens of any issuer, and our own codes and refresh tokens. A running
 * gateway obeys within a second, also in the middle of a call. The revocation and its act are one transaction.
 */
export async function tokensRevoke(
  { store, hasBeenHere }: RevocationsAtHand,
  { user, client, token, by, reason = '' }: TokensRevoke,
): Promise<Revoked> {
  const given = Object.entries({ user, client, token }).flatMap(([kind, value]) =>
    value === undefined ? [] : [{ kind: kind as Revocable, value }],
  )
  const [revoked] = given
  if (revoked === undefined || given.length > 1) throw new Error('say whose tokens: one of --user, --client and --token')
  const { kind } = revoked
  const value = kind === 'user' ? await holderIn(revoked.value, hasBeenHere) : revoked.value
  await store.revoke(kind, value, by, reason)
  return kind === 'user' || kind === 'client' ? { kind, value, known: await hasBeenHere(kind, value) } : { kind, value }
}

/** `TENANT.OBJECT-ID`, which is the `sub` of our own tokens, is the id of whoever is known by it. */
async function holderIn(text: string, hasBeenHere: HasBeenHere): Promise<string> {
  if (text.includes(':')) return tokenHolder(text)
  const known: string[] = []
  for (const id of [`user:${text}`, `application:${text}`]) if (await hasBeenHere('user', id)) known.push(id)
  if (known.length > 1)
    throw Object.assign(new Error(`"${text}" is a user and an application`), { fix: `say which: ${known.join(' or ')}` })
  return tokenHolder(known[0] ?? text)
}
