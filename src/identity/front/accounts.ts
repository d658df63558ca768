/**
 * The people who have logged in here, as the identity provider last described them. Tokens that we issue are filled from
 * this; the provider's own tokens are kept apart (see login.ts) and never leave.
 */
import type { JsonObject } from '../../lib/strict-json.ts'
import { browsersOf } from './browsers.ts'
import type { Records } from './records.ts'

export interface Account {
  /** `<tenant or issuer>.<subject>`: the `sub` of our tokens. */
  readonly id: string
  readonly tenant: string | undefined
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly contexts: readonly string[]
  readonly authenticatedAt: number | undefined
  /** For the person themselves on our pages; never for a decision. */
  readonly shownName: string | undefined
  /** When the provider last vouched for all this, in seconds since the epoch. */
  readonly checkedAt: number
}

const kind = 'account'
const keptS = 90 * 86_400

export class Accounts {
  readonly #records: Records
  constructor(records: Records) {
    this.#records = records
  }

  async find(id: string): Promise<Account | undefined> {
    return (await this.#records.get(kind, id)) as unknown as Account | undefined
  }

  keep(account: Account): Promise<void> {
    return this.#records.put(kind, account.id, account as unknown as JsonObject, keptS)
  }

  /** Whom the provider no longer vouches for is known in no browser either, also not after they have come back. */
  async forget(id: string): Promise<void> {
    await this.#records.delete(kind, id)
    await this.#records.deleteGroup(browsersOf(id))
  }
}

/** How a person logged in when a grant was made. Who proved more for one program has proven nothing for another. */
export type Proof = Pick<Account, 'contexts' | 'authenticatedAt'>

/** What our own access tokens say of their user, besides what the standard has them say. */
export const tokenClaimsOf = ({ tenant, groups, roles }: Account, { contexts, authenticatedAt }: Proof): JsonObject => ({
  groups,
  roles,
  ...(tenant !== undefined && { tid: tenant }),
  ...(contexts.length > 0 && { acrs: contexts }),
  ...(authenticatedAt !== undefined && { auth_time: authenticatedAt }),
})
