/** What Entra remembers between requests: who is signed in in which browser, who consented to what, codes, refresh tokens. */
import { randomBytes } from 'node:crypto'
import type { App, RedirectKind, User } from './directory.ts'
import type { SignIn } from './tokens.ts'

export interface Session {
  readonly user: User
  readonly signIn: SignIn
}
/** What a person once agreed to, for one client. */
export interface Grant extends Session {
  readonly client: App
  /** `none`: no browser took part (on-behalf-of). */
  readonly kind: RedirectKind | 'none'
  readonly issuedAtMs: number
  readonly nonce: string | undefined
  /** As asked for at the start. */
  readonly scope: string
}
export interface Code extends Grant {
  readonly redirectUri: string
  readonly challenge: { readonly value: string; readonly method: 'S256' | 'plain' } | undefined
  readonly claims: string | null
  redeemed: boolean
}

export interface Grants {
  /** By the value of the cookie. */
  readonly sessions: Map<string, Session>
  readonly codes: Map<string, Code>
  readonly refreshes: Map<string, Grant>
  /** Access tokens that name a person, by `uti`. */
  readonly issued: Map<string, Session>
  consented(user: User, client: App, resource: App): ReadonlySet<string>
  consent(user: User, client: App, resource: App, names: readonly string[]): void
  /** Ends everything that began with a sign-in of this person until now. */
  revoke(oid: string, nowMs: number): void
  /** When it was revoked. */
  revokedAt(signIn: SignIn): number | undefined
  disable(oid: string): void
  enable(oid: string): void
  isDisabled(user: User): boolean
}

const dayMs = 86_400_000
export const codeLifetimeMs = 600_000
/** A single-page app gets a day that nothing prolongs; the rest is renewed with each use. */
export const refreshLifetimeMs = (kind: Grant['kind']): number => (kind === 'spa' ? dayMs : 90 * dayMs)

/** As long as Entra's, or nearly: whoever keeps them has to have room. */
export const secretText = (version: string, bytes: number): string => `${version}${randomBytes(bytes).toString('base64url')}`

export function grants(): Grants {
  const sessions: Grants['sessions'] = new Map()
  const codes: Grants['codes'] = new Map()
  const refreshes: Grants['refreshes'] = new Map()
  const issued: Grants['issued'] = new Map()
  const consents = new Map<string, Set<string>>()
  const revoked = new WeakMap<SignIn, number>()
  const disabled = new Set<string>()
  const keyOf = (user: User, client: App, resource: App): string =>
    [user.tenant, user.oid, client.clientId, resource.clientId].join('/')
  return {
    sessions,
    codes,
    refreshes,
    issued,
    consented: (user, client, resource) => consents.get(keyOf(user, client, resource)) ?? new Set(),
    consent: (user, client, resource, names) => {
      const key = keyOf(user, client, resource)
      consents.set(key, new Set([...(consents.get(key) ?? []), ...names]))
    },
    revoke: (oid, nowMs) => {
      for (const kept of [sessions, codes, refreshes, issued])
        for (const { user, signIn } of kept.values()) if (user.oid === oid && !revoked.has(signIn)) revoked.set(signIn, nowMs)
      for (const [id, { user }] of sessions) if (user.oid === oid) sessions.delete(id)
    },
    revokedAt: (signIn) => revoked.get(signIn),
    disable: (oid) => void disabled.add(oid),
    enable: (oid) => void disabled.delete(oid),
    isDisabled: ({ oid }) => disabled.has(oid),
  }
}
