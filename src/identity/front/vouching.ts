/**
 * Whether the identity provider still vouches for a person (CD-C1; OpenID Connect Core 1.0, 12). It is asked with the refresh
 * token that it gave us, where that is due, and once for all who wait for the answer: many providers take a refresh token that
 * is used twice for a stolen one. Silence is trusted for a day; a provider that gave us no refresh token is silent.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Account, Accounts } from './accounts.ts'
import { type LoggedIn, type Login, LoginFailed } from './login.ts'
import type { Records } from './records.ts'

export interface VouchingOptions {
  readonly accounts: Accounts
  readonly records: Records
  readonly login: Login
  readonly clock: Clock
  readonly recheckMinutes: number
  readonly refreshDays: number
  note(action: string, principal: string, detail: string): Promise<void>
  failed(error: unknown): void
}

const graceS = 86_400
const kind = 'provider-token'

export class Vouching {
  readonly #options: VouchingOptions
  readonly #asking = new Map<string, Promise<Account | undefined>>()
  constructor(options: VouchingOptions) {
    this.#options = options
  }

  /** The account, unless the provider has been asked, or could not be for too long, and does not vouch for it any more. */
  async account(id: string): Promise<Account | undefined> {
    const { accounts, clock, recheckMinutes } = this.#options
    const known = await accounts.find(id)
    if (known === undefined) return undefined
    const ageS = clock.now() / 1000 - known.checkedAt
    if (ageS < recheckMinutes * 60) return known
    const asking = this.#asking.get(id) ?? this.#ask(known, ageS).finally(() => this.#asking.delete(id))
    this.#asking.set(id, asking)
    return asking
  }

  async keepTokens(account: string, { refreshToken }: Pick<LoggedIn, 'refreshToken'>): Promise<void> {
    const { records, refreshDays } = this.#options
    if (refreshToken !== undefined) await records.put(kind, account, { refreshToken }, refreshDays * 86_400)
  }

  async #ask(known: Account, ageS: number): Promise<Account | undefined> {
    const { accounts, records, login, failed } = this.#options
    const { id } = known
    const { refreshToken } = (await records.get(kind, id)) ?? {}
    if (typeof refreshToken !== 'string') return ageS < graceS ? known : this.#lapse(id, 'the provider was not asked for a day')
    try {
      const again = await login.again(refreshToken, known)
      if (again.account.id !== id) throw new LoginFailed('refused')
      await accounts.keep(again.account)
      await this.keepTokens(id, again)
      return again.account
    } catch (error) {
      if (!(error instanceof LoginFailed)) throw error
      failed(error)
      return error.reason === 'unavailable' && ageS < graceS ? known : this.#lapse(id, error.reason)
    }
  }

  async #lapse(id: string, why: string): Promise<undefined> {
    const { accounts, records, note } = this.#options
    await accounts.forget(id)
    await records.delete(kind, id)
    await note('login.lapsed', `user:${id}`, why)
  }
}
