/**
 * Whether the identity provider still vouches for a person (CD-C1; OpenID Connect Core 1.0, 12). It is asked with the refresh
 * token that it gave us, where that is due, and once for all who wait for the answer: many providers take a refresh token that
 * is used twice for a stolen one. Silence is trusted for a day; a provider that gave us no refresh token is silent.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Account, Accounts } from './accounts.ts'
import { type LoggedIn, type Login, LoginFailed } from './login.ts'

interface TokenKey {
  readonly owner: string
  readonly server: string
  readonly kind: string
}
/** Encrypted; the vault is one. */
export interface ProviderTokens {
  get(key: TokenKey): Promise<string | undefined>
  put(key: TokenKey, value: string): Promise<void>
  delete(key: TokenKey): Promise<unknown>
}

export interface VouchingOptions {
  readonly accounts: Accounts
  readonly tokens: ProviderTokens
  readonly login: Login
  readonly clock: Clock
  readonly recheckMinutes: number
  note(action: string, principal: string, detail: string): Promise<void>
  failed(error: unknown): void
}

const graceS = 86_400
/** `oauth` is no server: the name is reserved. */
const keyOf = (account: string): TokenKey => ({ owner: `user:${account}`, server: 'oauth', kind: 'provider-login' })
const freshS = 60

export class Vouching {
  readonly #options: VouchingOptions
  readonly #asking = new Map<string, Promise<Account | undefined>>()
  readonly #subjects = new Map<string, { readonly token: Promise<string | undefined>; readonly until: number }>()
  readonly #turns = new Map<string, Promise<unknown>>()
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
    const asking = this.#asking.get(id) ?? this.#inTurn(id, () => this.#ask(known, ageS)).finally(() => this.#asking.delete(id))
    this.#asking.set(id, asking)
    return asking
  }

  async keepTokens(account: string, { refreshToken }: Pick<LoggedIn, 'refreshToken'>): Promise<void> {
    this.#subjects.delete(account)
    if (refreshToken !== undefined) await this.#options.tokens.put(keyOf(account), refreshToken)
  }

  /**
   * A token of the provider that names this person, for the provider itself; undefined where it gives none. In memory only, and
   * asked for once for all who wait. Rejects with LoginFailed while the provider does not answer.
   */
  async subjectToken(id: string): Promise<string | undefined> {
    const now = this.#options.clock.now()
    const known = this.#subjects.get(id)
    if (known !== undefined && now < known.until) return known.token
    const token = this.#inTurn(id, () => this.#freshSubject(id)).catch((error: unknown) => {
      this.#subjects.delete(id)
      const why = new Error(`the identity provider gives no token to act for user:${id}${codesOf(error)}`, { cause: error })
      this.#options.failed(why)
      if (!(error instanceof LoginFailed) || error.reason === 'unavailable') throw error
      this.#subjects.set(id, { token: Promise.resolve(undefined), until: this.#options.clock.now() + freshS * 1000 })
      return undefined
    })
    this.#subjects.set(id, { token, until: now + freshS * 1000 })
    return token
  }

  /** A refresh token that is used twice at once is a stolen one to many providers. */
  #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.#turns.get(id) ?? Promise.resolve()).then(work, work)
    this.#turns.set(id, mine)
    const done = (): void => {
      if (this.#turns.get(id) === mine) this.#turns.delete(id)
    }
    mine.then(done, done)
    return mine
  }

  async #freshSubject(id: string): Promise<string | undefined> {
    const { tokens, login, clock } = this.#options
    const refreshToken = await tokens.get(keyOf(id))
    if (refreshToken === undefined) return undefined
    const own = await login.tokenForUs(refreshToken)
    await this.keepTokens(id, own)
    this.#subjects.set(id, { token: Promise.resolve(own.accessToken), until: clock.now() + (own.lifetimeS - freshS) * 1000 })
    return own.accessToken
  }

  async #ask(known: Account, ageS: number): Promise<Account | undefined> {
    const { accounts, tokens, login, failed } = this.#options
    const { id } = known
    const refreshToken = await tokens.get(keyOf(id))
    if (refreshToken === undefined) return ageS < graceS ? known : this.#lapse(id, 'the provider was not asked for a day')
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
    const { accounts, tokens, note } = this.#options
    await accounts.forget(id)
    await tokens.delete(keyOf(id))
    this.#subjects.delete(id)
    await note('login.lapsed', `user:${id}`, why)
  }
}

/** What an operator can look up: the code of the standard and Entra's number, and none of the text around them. */
function codesOf(error: unknown): string {
  const { error: code, error_description: text } = ((error as Error).cause ?? {}) as Record<string, unknown>
  const known = typeof code === 'string' && /^\w{1,64}$/.test(code) ? `: ${code}` : ''
  const [number] = (typeof text === 'string' ? /AADSTS\d{1,9}/.exec(text) : undefined) ?? []
  return `${known}${number === undefined ? '' : ` (${number})`}`
}
