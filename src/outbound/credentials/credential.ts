/**
 * What the broker is made of: a credential that can be shown and renewed, the tokens behind it, and what it needs of the
 * house. A credential belongs to one server, and to one caller or to all of them; it is never shown anywhere else.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Principal } from '../../pipeline/parcel.ts'
import type { Challenge } from './challenge.ts'

/** What a request is sent with. No headers: nothing to show yet, and the server may do without. */
export interface Shown {
  readonly headers: Readonly<Record<string, string>>
}
export const bare: Shown = { headers: {} }
export const bearer = (token: string): Shown => ({ headers: { authorization: `Bearer ${token}` } })

export interface Credential {
  /** Throws a Refusal where there is none to be had. */
  show(): Shown | Promise<Shown>
  /**
   * The server refused what was shown. True when there is now something else to show; false when asking again is useless.
   * Throws a Refusal when somebody has to do something first.
   */
  renew(shown: Shown, challenge: Challenge): Promise<boolean>
}

/** `fetch`, hardened: it refuses private addresses, bounds size and time, and never follows where it should not. */
export type OutsideFetch = (
  url: string | URL,
  init?: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: URLSearchParams | string
    readonly redirect?: 'error'
    readonly signal?: AbortSignal
  },
) => Promise<Response>

/** Whose, for which server, what, and of which authorization server. */
export interface TokenKey {
  readonly owner: string
  readonly server: string
  readonly kind: string
  readonly client?: string
}
/** Where tokens that a person had to consent to are kept, encrypted; the vault is one. Rejects with an Error that may be logged. */
export interface TokenStore {
  get(key: TokenKey): Promise<string | undefined>
  put(key: TokenKey, value: string): Promise<void>
  delete(key: TokenKey): Promise<unknown>
}

/** The token that a caller proved itself with, for its own identity provider and nobody else. */
export interface SubjectToken {
  readonly token: string
  readonly type: 'access_token' | 'id_token'
}

/** Where a person meets an authorization server. */
export interface Consent {
  /** Where the authorization server sends the browser back to. */
  readonly redirectUri: string
  /** Ours, where it can be fetched by others (draft-ietf-oauth-client-id-metadata-document). */
  readonly clientMetadataUrl?: string | undefined
  /** What the person has to open. */
  connectUrl(server: string, principal: Principal): string
  /** Sends the person there now and waits until the browser is back; undefined where that is done through `connectUrl`. */
  meet?(authorizationUrl: string): Promise<URLSearchParams>
}

/** A way out for one server: what its configuration names may be inside, and what it names itself may not. */
export type WayOut = (own: { readonly trustedOrigins: readonly string[]; readonly ca: string | undefined }) => OutsideFetch

export interface BrokerPorts {
  readonly fetch: OutsideFetch
  readonly clock: Clock
  /** From 0 up to 1, for jitter only. */
  random(): number
  readonly store: TokenStore | undefined
  readonly consent: Consent | undefined
  /** Undefined: the caller has none. */
  subjectToken(principal: Principal): Promise<SubjectToken | undefined>
  /** Told what went wrong, for the operator; never a token. */
  log(server: string, line: string): void
}
