/**
 * The leg to the identity provider: we are its confidential client, with PKCE, a nonce and a state of our own for each
 * login (OpenID Connect Core 1.0, 3.1; RFC 9700, 2.1). Its tokens stay here. No `resource` is sent: Entra refuses it, and
 * what we ask for is a login and not access to anything.
 */
import * as client from 'openid-client'
import { FetchRefused } from '../../lib/fetch-refused.ts'
import { isLoopback } from '../../lib/loopback.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import { Graph } from '../graph.ts'
import type { ProviderConfig } from '../schema.ts'
import { hasOverage, isElsewhere, namesIn } from '../tokens/names.ts'
import { issuerTag } from '../tokens/openid.ts'
import { numberIn, stringIn, stringsIn } from '../tokens/parse.ts'
import type { Account } from './accounts.ts'

/** What has to be remembered from the way there to the way back. */
export interface LoginAttempt {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export interface LoggedIn {
  readonly account: Account
  readonly refreshToken: string | undefined
  readonly accessToken: string
}

/** A reason that the person can be told; the provider's own words stay in the log. */
export class LoginFailed extends Error {
  override readonly name = 'LoginFailed'
  readonly reason: 'denied' | 'unavailable' | 'refused'
  constructor(reason: LoginFailed['reason'], cause?: unknown) {
    super(`the login at the identity provider failed: ${reason}`, { cause })
    this.reason = reason
  }
}

export interface LoginOptions {
  readonly provider: ProviderConfig
  readonly redirectUri: string
  readonly fetch: client.CustomFetch
  now(): number
}

export class Login {
  readonly #options: LoginOptions
  readonly #graph: Graph | undefined
  #discovered: Promise<client.Configuration> | undefined

  constructor(options: LoginOptions) {
    this.#options = options
    const { provider, fetch, now } = options
    if (provider.kind === 'entra')
      this.#graph = new Graph({
        ...provider,
        clientId: provider.clientId,
        clientSecret: provider.clientSecret,
        send: fetch as never,
        now,
      })
  }

  newAttempt(): LoginAttempt {
    return { state: client.randomState(), nonce: client.randomNonce(), verifier: client.randomPKCECodeVerifier() }
  }

  /** Where the browser goes. Rejects with {@link LoginFailed} when the provider cannot be reached. */
  async urlFor({ state, nonce, verifier }: LoginAttempt, wishes: Readonly<Record<string, string>>): Promise<URL> {
    const { provider, redirectUri } = this.#options
    return client.buildAuthorizationUrl(await this.#configuration(), {
      redirect_uri: redirectUri,
      scope: scopesOf(provider).join(' '),
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...(provider.kind === 'entra' ? inEntrasWords(wishes) : wishes),
    })
  }

  /** Who came back. `url` is where the browser came back to, whole. */
  async complete(url: URL, { state, nonce, verifier }: LoginAttempt): Promise<LoggedIn> {
    const configuration = await this.#configuration()
    try {
      const tokens = await client.authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      return await this.#loggedIn(tokens)
    } catch (error) {
      throw asLoginFailed(error)
    }
  }

  /**
   * The person as the provider describes them now, which it need not do (OpenID Connect Core 1.0, 12.2): then as before.
   * Rejects with `denied` when it does not vouch for them any more.
   */
  async again(refreshToken: string, known: Account): Promise<LoggedIn> {
    const configuration = await this.#configuration()
    try {
      const tokens = await client.refreshTokenGrant(configuration, refreshToken, {
        scope: scopesOf(this.#options.provider).join(' '),
      })
      if (tokens.claims() !== undefined) return await this.#loggedIn(tokens)
      const account = { ...known, checkedAt: Math.floor(this.#options.now() / 1000) }
      return { account, refreshToken: tokens.refresh_token, accessToken: tokens.access_token }
    } catch (error) {
      throw asLoginFailed(error)
    }
  }

  /** A token for ourselves, such as the provider wants to see when it is to be exchanged for another. */
  async tokenForUs(refreshToken: string): Promise<{ accessToken: string; refreshToken: string | undefined; lifetimeS: number }> {
    const configuration = await this.#configuration()
    const { provider } = this.#options
    const scope = provider.kind === 'entra' ? `${provider.clientId}/.default` : scopesOf(provider).join(' ')
    try {
      const tokens = await client.refreshTokenGrant(configuration, refreshToken, { scope })
      return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token, lifetimeS: tokens.expires_in ?? 300 }
    } catch (error) {
      throw asLoginFailed(error)
    }
  }

  async #loggedIn(tokens: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers): Promise<LoggedIn> {
    const claims = tokens.claims()
    if (claims === undefined) throw new LoginFailed('refused', new Error('no ID token came'))
    const known = accountOf(this.#options.provider, claims as unknown as JsonObject, this.#options.now())
    const account = { ...known, groups: await this.#groupsOf(known, claims as unknown as JsonObject) }
    return { account, refreshToken: tokens.refresh_token, accessToken: tokens.access_token }
  }

  /** An ID token has no more room for groups than an access token has. */
  async #groupsOf({ id, tenant, groups }: Account, claims: JsonObject): Promise<readonly string[]> {
    if (this.#graph === undefined || tenant === undefined || !hasOverage(claims)) return groups
    try {
      return await this.#graph.groupsOf({ kind: 'user', tenant, oid: id.slice(tenant.length + 1) })
    } catch (error) {
      throw new LoginFailed('unavailable', error)
    }
  }

  /** Asked for again after a failure, and once for all who wait. */
  #configuration(): Promise<client.Configuration> {
    this.#discovered ??= discover(this.#options).catch((error: unknown) => {
      this.#discovered = undefined
      throw new LoginFailed('unavailable', error)
    })
    return this.#discovered
  }
}

async function discover({ provider, fetch }: LoginOptions): Promise<client.Configuration> {
  const issuer = new URL(issuerOf(provider))
  const secret = provider.clientSecret?.reveal()
  const authentication = secret === undefined ? client.None() : client.ClientSecretPost(secret)
  const isLocal = issuer.protocol === 'http:' && isLoopback(issuer.hostname)
  const options = { [client.customFetch]: fetch, ...(isLocal && { execute: [client.allowInsecureRequests] }) }
  return client.discovery(issuer, provider.clientId as string, undefined, authentication, options)
}

const issuerOf = (provider: ProviderConfig): string =>
  provider.kind === 'entra' ? `${provider.authority}/${provider.tenants[0]}/v2.0` : provider.issuer

/** Entra takes scopes only when they are whole, and gives a refresh token only when it is asked for one. */
const scopesOf = (provider: ProviderConfig): readonly string[] =>
  provider.kind === 'entra' ? ['openid', 'profile', 'offline_access'] : provider.loginScopes

/**
 * Entra knows neither `acr_values` nor `max_age`. A context is asked for as a claim of the ID token, a recent login by having
 * the person log in; that they did is believed when the token says when (`auth_time`, an optional claim of the registration).
 */
function inEntrasWords({
  acr_values: contexts,
  max_age: maxAge,
  prompt,
}: Readonly<Record<string, string>>): Record<string, string> {
  const [value] = contexts?.split(' ') ?? []
  return {
    ...(value && { claims: JSON.stringify({ id_token: { acrs: { essential: true, value } } }) }),
    ...((maxAge !== undefined || prompt === 'login') && { prompt: 'login' }),
  }
}

/** OAuth errors of which the person, or their administrator, is the cause. */
const denials = ['access_denied', 'invalid_grant', 'interaction_required', 'login_required', 'consent_required']

function asLoginFailed(error: unknown): LoginFailed {
  if (error instanceof LoginFailed) return error
  if (isUnavailable(error)) return new LoginFailed('unavailable', error)
  const { error: code } = error as { readonly error?: unknown }
  return new LoginFailed(denials.includes(String(code)) ? 'denied' : 'refused', error)
}

/** The provider was not reached, or says itself that it is not well: that tells nothing about a person. */
function isUnavailable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { error: oauth, code, status, cause } = error as Readonly<Record<string, unknown>>
  return (
    error instanceof FetchRefused ||
    error instanceof TypeError ||
    code === 'OAUTH_TIMEOUT' ||
    code === 'OAUTH_ABORT' ||
    oauth === 'temporarily_unavailable' ||
    oauth === 'server_error' ||
    (typeof status === 'number' && (status === 429 || status >= 500)) ||
    isUnavailable(cause)
  )
}

function accountOf(provider: ProviderConfig, claims: JsonObject, now: number): Account {
  const common = {
    contexts: [...[stringIn(claims, 'acr')].filter((acr) => acr !== undefined), ...stringsIn(claims, 'acrs')],
    authenticatedAt: numberIn(claims, 'auth_time'),
    shownName: stringIn(claims, 'name') ?? stringIn(claims, 'preferred_username'),
    checkedAt: Math.floor(now / 1000),
  }
  if (provider.kind === 'entra') {
    const [tenant, oid] = [stringIn(claims, 'tid'), stringIn(claims, 'oid')]
    if (tenant === undefined || oid === undefined || !provider.tenants.includes(tenant))
      throw new LoginFailed('refused', new Error('the ID token is of a tenant that is not accepted, or names nobody'))
    return { id: `${tenant}.${oid}`, tenant, ...membership(claims, 'groups', 'roles'), ...common }
  }
  if (hasOverage(claims, provider.groupsClaim) || isElsewhere(claims, provider.rolesClaim))
    throw new LoginFailed(
      'unavailable',
      new Error('the ID token leaves out groups or roles: have the provider write them into it'),
    )
  const sub = stringIn(claims, 'sub')
  if (sub === undefined) throw new LoginFailed('refused', new Error('the ID token names nobody'))
  return {
    id: `${issuerTag(provider.issuer)}.${encodeURIComponent(sub.toWellFormed())}`,
    tenant: undefined,
    ...membership(claims, provider.groupsClaim, provider.rolesClaim),
    ...common,
  }
}

/** Throws where they cannot be read: somebody without their groups is not the person whom a rule denies something. */
function membership(claims: JsonObject, groupsClaim: string, rolesClaim: string): Pick<Account, 'groups' | 'roles'> {
  const [groups, roles] = [namesIn(claims, groupsClaim), namesIn(claims, rolesClaim)]
  if (groups === undefined || roles === undefined)
    throw new LoginFailed('refused', new Error('the groups or the roles of the ID token are not a list of texts'))
  return { groups, roles }
}
