/**
 * What one identity provider's access tokens look like: which keys count for a token, and what its words mean. The checks
 * themselves are the same for all (verify.ts); a provider answers the questions on which they differ.
 */
import type { Claims } from '../../pipeline/parcel.ts'
import type { Fault } from './fault.ts'
import type { UnverifiedToken } from './parse.ts'
import type { SigningKey } from './signing-keys.ts'

export interface TokenIssuer {
  /**
   * Where the keys for this token are, going by its unverified words; a fault where no keys could help. Reads nothing from
   * the network for a token that names an issuer or a tenant that is not accepted.
   */
  keysFor(token: UnverifiedToken): KeySource | Fault
  /** Asked after the signature has been verified. */
  readonly checks: readonly ClaimCheck[]
  /** Who it is. */
  subjectOf(token: UnverifiedToken): Subject | Fault
}

export interface KeySource {
  find(kid: string | undefined): Promise<readonly SigningKey[]>
}

export type ClaimCheck = (token: UnverifiedToken, key: SigningKey) => Fault | undefined

export interface Subject {
  readonly kind: 'user' | 'application'
  /** Unique among all tenants and issuers, after the kind: `<tenant>.<oid>`. */
  readonly name: string
  readonly claims: Omit<Claims, 'issuedAt' | 'expiresAt'>
  /** When the login or grant began that the token was made from, in seconds since the epoch: it is no younger than that. */
  readonly originAt?: number
  /** The token does not have room for the groups, or the roles; they have to be asked for, and where they cannot it is nobody. */
  readonly groupsElsewhere?: true
}
