/**
 * Bearer tokens become principals. What was verified is remembered for a minute at most, under the digest of the token and
 * the resource it was verified for, so that a token costs a signature once; a revocation is asked about every time.
 */
import { hash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { Principal } from '../../pipeline/parcel.ts'
import type { Subject, TokenIssuer } from './issuer.ts'
import type { UnverifiedToken } from './parse.ts'
import { type Expectations, type Verified, verifyToken } from './verify.ts'

export interface Accepted {
  readonly principal: Principal
  /** Of the key that a sender-constrained token is bound to (RFC 7800 `cnf`): a JWK (RFC 9449) or a certificate (RFC 8705). */
  readonly confirmation: Confirmation | undefined
}
export interface Confirmation {
  readonly jwkThumbprint: string | undefined
  readonly certificateThumbprint: string | undefined
}

export interface AccessTokensOptions {
  readonly issuer: TokenIssuer
  readonly clock: Clock
  readonly expectations: (resource: string) => Expectations
  isRevoked(principal: Principal): boolean
  /** Where everybody goes who came with a token that counts. */
  readonly believed: WeakSet<Principal>
  /** All groups of a user whose token has no room for them. */
  readonly groupsOf?: ((subject: Subject) => Promise<readonly string[]>) | undefined
}

interface Presented {
  readonly token: string
  readonly principal: Principal
  readonly issuedAt: number
  /** Milliseconds since 1970. */
  readonly until: number
}

const rememberedMs = 60_000
const rememberedMax = 20_000

export class AccessTokens {
  readonly #options: AccessTokensOptions
  /** In memory, by holder: what a user came with can be exchanged at the provider for another. */
  readonly #presented = new Map<string, Presented>()
  readonly #known = new Map<string, { readonly accepted: Accepted; readonly until: number }>()

  constructor(options: AccessTokensOptions) {
    this.#options = options
  }

  /** Who bears the token, for one resource. A promise only the first time. Rejects with TokenRefused. */
  accept(token: string, resource: string): Accepted | Promise<Accepted> {
    const key = `${hash('sha256', token, 'base64url')} ${resource}`
    const known = this.#known.get(key)
    const now = this.#options.clock.now()
    return known === undefined || now >= known.until ? this.#verify(token, resource, key) : known.accepted
  }

  /**
   * What this holder last proved itself with; for its own provider alone. The newest counts, whoever asks: a connection lives
   * longer than the token it was opened with, and a person signs in again because the provider wanted more of them.
   */
  presentedBy({ holder }: Principal): string | undefined {
    const presented = this.#presented.get(holder)
    return presented !== undefined && this.#isGood(presented) ? presented.token : undefined
  }

  /** The bearer has been let in: a token that was refused, for whatever reason, is exchanged for nobody. */
  present(principal: Principal, token: string): void {
    const { kind, holder, claims } = principal
    if (kind !== 'user' || claims === undefined) return
    const { issuedAt, expiresAt } = claims
    const before = this.#presented.get(holder)
    if (before?.token === token) return
    if (before !== undefined && before.issuedAt > issuedAt && this.#isGood(before)) return
    this.#presented.delete(holder)
    this.#presented.set(holder, { token, principal, issuedAt, until: expiresAt * 1000 })
    if (this.#presented.size > rememberedMax) this.#presented.delete(this.#presented.keys().next().value as string)
  }

  #isGood({ principal, until }: Presented): boolean {
    return this.#options.clock.now() < until && !this.#options.isRevoked(principal)
  }

  async #verify(text: string, resource: string, key: string): Promise<Accepted> {
    const { issuer, clock, expectations } = this.#options
    const verified = await verifyToken(text, issuer, expectations(resource), clock)
    const accepted = Object.freeze({
      principal: await this.#principalOf(verified),
      confirmation: confirmationIn(verified.token),
    })
    this.#options.believed.add(accepted.principal)
    const until = Math.min(clock.now() + rememberedMs, verified.expiresAt * 1000)
    if (this.#known.size >= rememberedMax) this.#known.delete(this.#known.keys().next().value as string)
    this.#known.set(key, { accepted, until })
    return accepted
  }

  async #principalOf({ subject, issuedAt, expiresAt }: Verified): Promise<Principal> {
    const groups = subject.groupsElsewhere ? await this.#groupsElsewhere(subject) : subject.claims.groups
    return principalOf({ ...subject, claims: { ...subject.claims, groups } }, issuedAt, expiresAt)
  }

  /** Rejects where there is nobody to ask: without their groups nobody is known, for a rule may deny one of them something. */
  async #groupsElsewhere(subject: Subject): Promise<readonly string[]> {
    const { groupsOf } = this.#options
    if (groupsOf !== undefined) return groupsOf(subject)
    throw new Error('the token leaves out groups or roles (_claim_names, hasgroups): have the provider write them into it')
  }
}

/** `user:<name>`, held together with the client that acts for the user. */
export function principalOf({ kind, name, claims }: Subject, issuedAt: number, expiresAt: number): Principal {
  const id = `${kind}:${name}`
  const holder = kind === 'user' ? holderOf(id, claims.client) : id
  return Object.freeze({ kind, id, holder, claims: Object.freeze({ ...claims, issuedAt, expiresAt }) })
}

/** A user together with the client that acts for them. */
export const holderOf = (user: string, client: string | undefined): string =>
  client === undefined ? user : `${user} ${encodeURIComponent(client.toWellFormed())}`

function confirmationIn({ payload }: UnverifiedToken): Confirmation | undefined {
  const cnf = payload['cnf']
  if (cnf === undefined) return undefined
  const members = (typeof cnf === 'object' && cnf !== null ? cnf : {}) as Readonly<Record<string, unknown>>
  const text = (name: string): string | undefined => (typeof members[name] === 'string' ? members[name] : undefined)
  return { jwkThumbprint: text('jkt'), certificateThumbprint: text('x5t#S256') }
}
