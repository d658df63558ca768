/**
 * The credential of one user at one server, which the user has consented to in the browser (MCP 2026-07-28, Authorization).
 * The refresh token is kept in the store; what is asked for again is what was granted before and what the server now wants.
 */
import type { Principal } from '../../pipeline/parcel.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import type { Answered, Authorizations } from './authorization.ts'
import type { Challenge } from './challenge.ts'
import {
  type BrokerPorts,
  bare,
  bearer,
  type Consent,
  type Credential,
  type Shown,
  type TokenKey,
  type TokenStore,
} from './credential.ts'
import { type AuthorizationServer, authorizationServer, type ProtectedResource, protectedResource } from './discovery.ts'
import { explained, loggable, TokenRefused } from './failure.ts'
import { Keeper } from './keeper.ts'
import { proofOf, type Registration, registered } from './registration.ts'
import type { UserOauth } from './schema.ts'
import { requestTokens, type Tokens } from './token-endpoint.ts'

/** What is kept for one user and server. */
interface Grant {
  readonly version: 1
  /** The endpoint that it was granted for: the tokens go nowhere else, whatever the configuration says later. */
  readonly url: string
  readonly at: AuthorizationServer
  readonly resource: string
  readonly requested: readonly string[]
  readonly registration: Registration
  readonly tokens: Tokens
}

export interface UserOauthOptions {
  readonly server: string
  readonly url: string
  readonly config: UserOauth
  readonly principal: Principal
  readonly ports: BrokerPorts & { readonly store: TokenStore; readonly consent: Consent }
  readonly authorizations: Authorizations
}

/** A token that is refused although the user has just consented will not be better for another consent. */
const youngMs = 10_000

export class UserCredential implements Credential {
  readonly #options: UserOauthOptions
  readonly #keeper: Keeper
  readonly #key: TokenKey
  #grant: Grant | undefined
  #loading: Promise<void> | undefined
  #meeting: Promise<void> | undefined
  #replacing: Promise<boolean | undefined> | undefined
  /** What the server last asked for, so that the user is asked for just that. */
  #challenge: Challenge | undefined
  #grantedAt = Number.NEGATIVE_INFINITY

  constructor(options: UserOauthOptions) {
    this.#options = options
    const { server, ports, principal } = options
    this.#key = { owner: principal.id, server, kind: 'oauth-grant' }
    this.#keeper = new Keeper({
      server,
      clock: ports.clock,
      random: () => ports.random(),
      obtain: (_, last) => this.#refresh(last),
      canRenew: ({ refreshToken }) => refreshToken !== undefined,
      log: (line) => ports.log(server, line),
    })
  }

  show(): Shown | Promise<Shown> {
    if (this.#grant !== undefined) return this.#present()
    const loaded = this.#load().catch((error: unknown) => Promise.reject(this.#told(error)))
    return loaded.then(() => (this.#grant === undefined ? bare : this.#present()))
  }

  #present(): Shown | Promise<Shown> {
    const tokens = this.#keeper.get()
    if (!(tokens instanceof Promise)) return bearer(tokens.accessToken)
    return tokens.then(
      ({ accessToken }) => bearer(accessToken),
      (error: unknown) => {
        // Without a token the server says what it wants; then the browser is opened for just that.
        if (error instanceof Refusal && error.code === 'CREDENTIAL_NEEDED' && this.#options.ports.consent.meet) return bare
        throw error
      },
    )
  }

  async renew(shown: Shown, challenge: Challenge): Promise<boolean> {
    this.#challenge = challenge
    const refused = shown.headers['authorization']?.slice('Bearer '.length)
    const held = this.#keeper.held?.accessToken
    if (held !== undefined && held !== refused) return true // the user has connected meanwhile
    if (refused === undefined || this.#grant === undefined) return this.#ask()
    if (challenge.status === 403) {
      const missing = challenge.scope?.filter((scope) => !this.#grant?.requested.includes(scope)) ?? []
      return missing.length > 0 && this.#ask()
    }
    this.#replacing ??= this.#replace(refused, challenge).finally(() => {
      this.#replacing = undefined
    })
    return (await this.#replacing) ?? this.#ask()
  }

  /** Without the user, where that is possible; undefined where the user has to consent again. */
  async #replace(refused: string, challenge: Challenge): Promise<boolean | undefined> {
    if (await this.#isStillTheirs(challenge)) {
      if (this.#options.ports.clock.monotonic() - this.#grantedAt < youngMs) return false
      if (this.#grant?.tokens.refreshToken !== undefined)
        return this.#keeper.replace(refused, challenge).catch((error: unknown) => {
          if (error instanceof Refusal && error.code === 'CREDENTIAL_NEEDED') return undefined
          throw error
        })
    }
    await this.#drop()
    return undefined
  }

  /** The URL at which the user consents. Throws a Refusal. */
  async begin(): Promise<string> {
    const { server, url, config, principal, ports, authorizations } = this.#options
    await this.#load()
    try {
      const challenge = this.#challenge
      const published = await protectedResource(ports.fetch, url, challenge?.resourceMetadata)
      const at = await authorizationServer(ports.fetch, issuerOf(published, config, url))
      const registration = await registered(server, config, at, ports.consent, ports)
      const before = this.#grant?.at.issuer === at.issuer ? this.#grant.requested : []
      const scope = scopeOf(challenge, published, at, config, before)
      return authorizations.begin({
        server,
        url,
        principal,
        at,
        registration,
        resource: published?.resource ?? canonical(url),
        scope,
      })
    } catch (error) {
      throw this.#told(error)
    }
  }

  /** The user has consented. Throws a Refusal. */
  async complete({ url: begunFor, code, verifier, at, registration, resource, scope }: Answered): Promise<void> {
    const { url, config, ports } = this.#options
    if (begunFor !== url) throw new Refusal('CONNECT_REFUSED', { detail: 'the server has another address now' })
    try {
      const form = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: registration.redirectUri,
        code_verifier: verifier,
        resource,
      }
      const prove = proofOf(registration, config, at, ports)
      const tokens = await requestTokens(ports, { endpoint: at.tokenEndpoint, form, prove })
      await this.#keep({ version: 1, url, at, resource, requested: scope, registration, tokens })
      this.#grantedAt = ports.clock.monotonic()
      this.#keeper.take(tokens)
    } catch (error) {
      throw this.#told(error)
    }
  }

  /** Opens the browser where we can, else says what the user has to open. */
  async #ask(): Promise<boolean> {
    const { meet } = this.#options.ports.consent
    if (meet === undefined) throw this.#needed()
    this.#meeting ??= this.#meet(meet).finally(() => {
      this.#meeting = undefined
    })
    await this.#meeting
    return true
  }

  async #meet(meet: (authorizationUrl: string) => Promise<URLSearchParams>): Promise<void> {
    const { authorizations, principal } = this.#options
    const answer = await meet(await this.begin())
    await this.complete(authorizations.complete(answer, principal))
  }

  /** As the caller may read it; the operator reads more. */
  #told(error: unknown): Refusal {
    const { server, ports } = this.#options
    const refusal = explained(server, error)
    if (refusal.code === 'CREDENTIAL_UNAVAILABLE') ports.log(server, `cannot be connected to: ${loggable(error)}`)
    return refusal
  }

  #needed(): Refusal {
    const { server, principal, ports } = this.#options
    return new Refusal('CREDENTIAL_NEEDED', { detail: server, connect: ports.consent.connectUrl(server, principal) })
  }

  async #refresh(last: Tokens | undefined): Promise<Tokens> {
    const grant = this.#grant
    const { refreshToken } = last ?? {}
    if (grant === undefined || refreshToken === undefined) {
      await this.#drop()
      throw this.#needed()
    }
    const { config, ports } = this.#options
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken, resource: grant.resource }
    const prove = proofOf(grant.registration, config, grant.at, ports)
    try {
      const fresh = await requestTokens(ports, { endpoint: grant.at.tokenEndpoint, form, prove })
      const tokens = { ...fresh, refreshToken: fresh.refreshToken ?? refreshToken }
      await this.#keep({ ...grant, tokens })
      return tokens
    } catch (error) {
      if (!(error instanceof TokenRefused) || !['invalid_grant', 'interaction_required'].includes(error.error)) throw error
      const spent = { ...(last as Tokens), refreshToken: undefined } // what is left is used to its end
      await this.#keep({ ...grant, tokens: spent })
      this.#keeper.take(spent)
      throw this.#needed()
    }
  }

  /** The server may have moved to another authorization server; then what the old one gave is nothing to show any more. */
  async #isStillTheirs({ resourceMetadata }: Challenge): Promise<boolean> {
    const { url, config, ports } = this.#options
    try {
      return issuerOf(await protectedResource(ports.fetch, url, resourceMetadata), config, url) === this.#grant?.at.issuer
    } catch (error) {
      throw this.#told(error)
    }
  }

  #load(): Promise<void> {
    this.#loading ??= this.#read().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  async #read(): Promise<void> {
    const { url, config, ports } = this.#options
    const text = await ports.store.get(this.#key)
    const grant = grantIn(text)
    if (grant?.version !== 1 || grant.url !== url || !isOurs(grant.registration, config)) return
    this.#grant = grant
    this.#keeper.take(grant.tokens)
  }

  async #keep(grant: Grant): Promise<void> {
    await this.#options.ports.store.put(this.#key, JSON.stringify(grant))
    this.#grant = grant
  }

  async #drop(): Promise<void> {
    this.#grant = undefined
    this.#keeper.forget()
    await this.#options.ports.store.delete(this.#key)
  }
}

/** Ours, and sealed since; only an older version of ourselves could have written something else. */
function grantIn(text: string | undefined): Grant | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Grant)
  } catch {
    return undefined
  }
}

/** Another client id in the configuration is another client: what the old one was granted is not its. */
const isOurs = ({ kind, clientId, issuer }: Registration, config: UserOauth): boolean =>
  config.clientId === undefined ? kind !== 'configured' : config.clientId === clientId && config.issuer === issuer

/** RFC 8707 section 2: without a fragment, and without a slash where there is no path. */
export const canonical = (url: string): string => {
  const { origin, pathname, search } = new URL(url)
  return pathname === '/' && search === '' ? origin : `${origin}${pathname}${search}`
}

/** The one that the server names; without metadata the server's own origin, as in 2025-03-26. */
function issuerOf(published: ProtectedResource | undefined, { issuer }: UserOauth, url: string): string {
  const named = published?.authorizationServers
  if (issuer !== undefined) {
    if (named !== undefined && !named.includes(issuer))
      throw new TokenRefused('other_issuer', 'the server does not name the configured "issuer" as its authorization server')
    return issuer
  }
  if (published === undefined) return new URL(url).origin
  const [first] = named ?? []
  if (first === undefined)
    throw new TokenRefused('no_authorization_server', 'the metadata of the server names no authorization server')
  return first
}

/** MCP 2026-07-28, Scope Selection Strategy, Step-Up Authorization Flow, and Refresh Tokens. */
function scopeOf(
  challenge: Challenge | undefined,
  published: ProtectedResource | undefined,
  at: AuthorizationServer,
  config: UserOauth,
  before: readonly string[],
): readonly string[] {
  const wanted = challenge?.scope ?? (config.scope === undefined ? published?.scopesSupported : undefined) ?? []
  const all = new Set([...before, ...(config.scope?.split(' ') ?? []), ...wanted])
  if (all.size > 0 && at.scopesSupported.includes('offline_access')) all.add('offline_access')
  return [...all]
}
