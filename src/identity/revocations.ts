/**
 * What is no longer good although it has not expired: everything that a user, a client or one token was given up to a
 * moment. A new login after it is good again; to keep somebody out, take away their role or their account.
 */
import type { Principal } from '../pipeline/parcel.ts'

/** `sessions`: only the sessions of a principal end; the credential that opened them stays good. */
export const revocable = ['user', 'client', 'holder', 'token', 'sessions'] as const
export type Revocable = (typeof revocable)[number]

export interface Revocation {
  readonly kind: Revocable
  /** A principal's id, a client's id, a user together with a client, or the `jti` of a token. */
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Who did it: `cli:alice`, or the user. */
  readonly by: string
  readonly reason: string
}

/** Kept by storage/. Each revocation leaves an act for the audit log. */
export interface RevocationStore {
  revoke(kind: Revocable, value: string, by: string, reason: string): Promise<void>
  /** Oldest first. */
  revocations(): Promise<readonly Revocation[]>
}

/** Something that was given to somebody. */
export interface Issued {
  readonly user: string | undefined
  readonly client: string | undefined
  readonly holder: string | undefined
  readonly tokenId: string | undefined
  /** Seconds since the epoch. */
  readonly issuedAt: number
}

export class Revocations {
  #list: ReadonlyMap<string, number> = new Map()

  /** True when the list is another than before. */
  replace(list: readonly Pick<Revocation, 'kind' | 'value' | 'at'>[]): boolean {
    const next = new Map<string, number>()
    for (const { kind, value, at } of list) next.set(key(kind, value), Math.max(at, next.get(key(kind, value)) ?? 0))
    const isSame = next.size === this.#list.size && [...next].every(([name, at]) => this.#list.get(name) === at)
    this.#list = next
    return !isSame
  }

  has({ id, holder, claims }: Principal): boolean {
    if (this.#list.size === 0 || claims === undefined) return false
    const { client, tokenId, issuedAt } = claims
    return this.covers({ user: id, client, holder, tokenId, issuedAt })
  }

  /** Whether what was given is no longer good. */
  covers({ user, client, holder, tokenId, issuedAt }: Issued): boolean {
    const isBefore = (kind: Revocable, value: string | undefined): boolean => {
      const at = value === undefined ? undefined : this.#list.get(key(kind, value))
      // A token's time has whole seconds, so one of the same second may be older: it is not good either.
      return at !== undefined && issuedAt * 1000 <= at
    }
    return isBefore('user', user) || isBefore('client', client) || isBefore('holder', holder) || isBefore('token', tokenId)
  }

  /** Until when sessions of a principal that were opened are over; milliseconds since the epoch, or undefined. */
  sessionsEndedAt({ id }: Principal): number | undefined {
    return this.#list.get(key('sessions', id))
  }
}

const key = (kind: Revocable, value: string): string => `${kind} ${value}`
