/**
 * What is no longer good although it has not expired: everything that a user, a client or one token was given up to a
 * moment. A new login after it is good again; to keep somebody out, take away their role or their account.
 */
import type { Principal } from '../pipeline/parcel.ts'

export const revocable = ['user', 'client', 'holder', 'token'] as const
export type Revocable = (typeof revocable)[number]

export interface Revocation {
  readonly kind: Revocable
  /** A principal's id, a client's id, a user together with a client, or the `jti` of a token. */
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Kept by storage/. */
export interface RevocationStore {
  revoke(kind: Revocable, value: string, by: string, reason: string): Promise<void>
  revocations(): Promise<readonly Revocation[]>
}

export class Revocations {
  #list: ReadonlyMap<string, number> = new Map()

  /** True when the list is another than before. */
  replace(list: readonly Revocation[]): boolean {
    const next = new Map<string, number>()
    for (const { kind, value, at } of list) next.set(key(kind, value), Math.max(at, next.get(key(kind, value)) ?? 0))
    const isSame = next.size === this.#list.size && [...next].every(([name, at]) => this.#list.get(name) === at)
    this.#list = next
    return !isSame
  }

  has({ id, holder, claims }: Principal): boolean {
    if (this.#list.size === 0) return false
    if (claims === undefined) return false
    const { client, tokenId, issuedAt } = claims
    const isBefore = (kind: Revocable, value: string | undefined): boolean => {
      const at = value === undefined ? undefined : this.#list.get(key(kind, value))
      // A token's time has whole seconds, so one of the same second may be older: it is not good either.
      return at !== undefined && issuedAt * 1000 <= at
    }
    return isBefore('user', id) || isBefore('client', client) || isBefore('holder', holder) || isBefore('token', tokenId)
  }
}

const key = (kind: Revocable, value: string): string => `${kind} ${value}`
