/**
 * The authorization server that MCP clients talk to (2026-07-28 authorization; OAuth 2.1), which is oidc-provider with the
 * doors closed that we do not need. How people log in and agree is in interaction.ts; who may register, in clients.ts.
 */
import Provider, { type Configuration, errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import type { Clock } from '../../lib/clock.ts'
import type { SafeFetch } from '../../lib/safe-fetch.ts'
import { resourceOf } from '../resources.ts'
import type { Issued } from '../revocations.ts'
import type { AuthorizationServerConfig } from '../schema.ts'
import { holderOf } from '../tokens/access-tokens.ts'
import { type Account, type Proof, tokenClaimsOf } from './accounts.ts'
import { adapterOf } from './adapter.ts'
import { clientMetadata, isDocumentAllowed, knownClients } from './clients.ts'
import { originClaim } from './own-tokens.ts'
import type { Records } from './records.ts'
import type { SigningPair } from './signing.ts'
import type { Waiting } from './waiting.ts'

export const ownScopes = ['mcp:read', 'mcp:write', 'mcp:destructive'] as const
/** Everything below it is the authorization server's, or a page of it. */
export const root = '/oauth'
/** For so long a request for access waits for its person. */
export const waitingS = 600
/** The library's own, which is never let in: front.ts takes it away. */
export const sessionCookie = 'sekisho_session'

export interface AuthorizationServerOptions {
  readonly config: AuthorizationServerConfig
  readonly base: string
  isServer(id: string): boolean
  readonly records: Records
  readonly clock: Clock
  readonly pairs: readonly SigningPair[]
  readonly cookieKey: string
  readonly waiting: Waiting
  mayRegister(): boolean
  /** For what clients say of themselves. */
  readonly fetch: SafeFetch
  /** The account, when the provider still vouches for it; `isRefresh` asks the provider again where that is due. */
  account(id: string, isRefresh: boolean): Promise<Account | undefined>
  /** Whether the login of a finished interaction was in the browser that now goes on with it. */
  isBack(uid: string, result: Readonly<Record<string, unknown>>, cookies: string | undefined): boolean
  /** A grant is over, by a code or refresh token that was used twice or by the client's own wish. */
  ended(grantId: string): Promise<void>
  /** Whether a code or a refresh token has been taken back. */
  isRevoked(issued: Issued): boolean
  /** How the person logged in for a grant. */
  proof(grantId: string): Promise<Proof>
  /** What a browser sees when there is nowhere to send it back to. */
  errorPage(acceptLanguage: string | undefined): { readonly headers: Readonly<Record<string, string>>; readonly html: string }
}

export function authorizationServer(options: AuthorizationServerOptions): Provider {
  const { base, config } = options
  const isSecure = base.startsWith('https:')
  const provider = new Provider(base, configuration(options, isSecure))
  // What a request says of its own address is not asked: front.ts has put our own in its place.
  provider.proxy = true
  provider.on('server_error', (_ctx, error) => void error)
  provider.use(describe)
  provider.use(noIdleSecret)
  if (config.dpop === 'require') provider.use(dpopIsRequired)
  return provider
}

function configuration(options: AuthorizationServerOptions, isSecure: boolean): Configuration {
  const { config, pairs, cookieKey, base } = options
  const { registration, accessTokenMinutes, refreshDays } = config
  const refreshS = refreshDays * 86_400
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true, secure: isSecure } as const
  const prefix = (kind: '__Host-' | '__Secure-'): string => (isSecure ? kind : '')
  return {
    adapter: adapterOf({ ...options, unusedDays: registration.unusedDays }),
    clients: knownClients(registration),
    jwks: { keys: pairs.map(({ privateJwk }) => privateJwk) as never },
    routes: {
      authorization: `${root}/authorize`,
      token: `${root}/token`,
      registration: `${root}/register`,
      revocation: `${root}/revoke`,
      jwks: `${root}/jwks`,
      userinfo: `${root}/userinfo`,
      end_session: `${root}/end`,
    },
    cookies: {
      keys: [cookieKey],
      names: {
        session: `${prefix('__Host-')}${sessionCookie}`,
        interaction: `${prefix('__Secure-')}sekisho_interaction`,
        resume: `${prefix('__Secure-')}sekisho_resume`,
      },
      long: cookie,
      short: cookie,
    },
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub'] },
    responseTypes: ['code'],
    pkce: { required: () => true },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientDefaults: {
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'], dPoPSigningAlgValues: ['ES256', 'EdDSA', 'PS256', 'RS256'] } as never,
    extraClientMetadata: clientMetadata(registration),
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      revocation: { enabled: true },
      dPoP: { enabled: true },
      registration: {
        enabled: registration.dynamic,
        initialAccessToken: registration.initialAccessToken?.reveal() ?? false,
        issueRegistrationAccessToken: false,
      },
      clientIdMetadataDocument: {
        enabled: registration.metadataDocuments !== 'none',
        ack: 'draft-02',
        allowFetch: async (_ctx: unknown, id: string) => isDocumentAllowed(id, registration),
        allowClient: async () => true,
        cacheDuration: { min: 60, max: 3600 },
      } as never,
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_ctx, _client, oneOf) => oneOf?.[0] ?? resourceOf(base, undefined),
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, indicator) => ({
          scope: ownScopes.join(' '),
          audience: canonical(indicator, options),
          accessTokenTTL: accessTokenMinutes * 60,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    fetch: options.fetch,
    findAccount: async (ctx, id, token) => {
      const given = token as Given | undefined
      const isRevoked = (): boolean => given?.clientId !== undefined && options.isRevoked(issuedOf(ctx, id, given))
      if (isRevoked()) return undefined
      const account = await options.account(id, given?.kind === 'RefreshToken')
      // Once more: the provider takes its time, and somebody may have been shown out meanwhile.
      return account && !isRevoked() ? { accountId: id, claims: async () => ({ sub: id }) } : undefined
    },
    extraTokenClaims: async (ctx, token) => {
      const { accountId: id, grantId } = token as { readonly accountId?: string; readonly grantId?: string }
      const account = id === undefined ? undefined : await options.account(id, false)
      if (account === undefined) return undefined
      return { ...tokenClaimsOf(account, await options.proof(grantId ?? '')), [originClaim]: originOf(ctx) } as never
    },
    interactions: { policy: onePrompt(options), url: async (_ctx, { uid }) => `${root}/interaction/${uid}` },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    // A login in the same browser for another server, or by another person, does not end what was given before.
    expiresWithSession: async () => false,
    renderError: async (ctx) => {
      const { headers, html } = options.errorPage(ctx.get('accept-language'))
      ctx.set(headers)
      ctx.body = html
    },
    ttl: {
      AccessToken: accessTokenMinutes * 60,
      AuthorizationCode: 60,
      IdToken: 300,
      Interaction: waitingS,
      Session: 3600,
      Grant: refreshS,
      // Of a rotated token only what is left: however often it is renewed, the day comes.
      RefreshToken: (ctx: KoaContextWithOIDC) => ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? refreshS,
    } as never,
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: () => true, // the door has refused every origin that is not allowed,
  } as Configuration
}

/** A code or a refresh token, as far as it counts here. */
interface Given {
  readonly kind: string
  readonly clientId?: string
}

/**
 * When the person logged in for this: the code, every refresh token of the row and every access token go back to one grant,
 * and none of them is younger than it.
 */
const originOf = ({ oidc }: KoaContextWithOIDC): number => oidc.entities.Grant?.iat ?? 0

const issuedOf = (ctx: KoaContextWithOIDC, id: string, { clientId }: Given): Issued => ({
  user: `user:${id}`,
  client: clientId,
  holder: holderOf(`user:${id}`, clientId),
  tokenId: undefined,
  issuedAt: originOf(ctx),
})

/**
 * One question for every authorization, asked of every browser: has this person agreed to this client, and logged in, just
 * now? Whether anything has to be shown for it is decided in interaction.ts, never by a cookie of this library.
 */
function onePrompt({ isBack }: AuthorizationServerOptions): interactionPolicy.DefaultPolicy {
  const { Prompt, Check } = interactionPolicy
  const isDone = ({ oidc, headers }: KoaContextWithOIDC): boolean => {
    const { result, entities } = oidc
    const uid = entities.Interaction?.uid
    return result?.login !== undefined && result.consent !== undefined && uid !== undefined && isBack(uid, result, headers.cookie)
  }
  const fresh = new Check('fresh', 'a login and a consent are needed', (ctx: KoaContextWithOIDC) => !isDone(ctx))
  const never = (): boolean => false
  return [
    new Prompt({ name: 'login', requestable: true }, () => ({}), fresh),
    new Prompt({ name: 'consent', requestable: true }, () => ({}), new Check('never', 'covered by the first', never)),
  ] as never
}

/** The resource as we call it. Throws invalid_target for one that is not ours (RFC 8707, 2). */
function canonical(indicator: string, { base, isServer }: Pick<AuthorizationServerOptions, 'base' | 'isServer'>): string {
  const url = URL.canParse(indicator) ? new URL(indicator) : undefined
  const path = url?.pathname.replace(/\/$/, '') ?? ''
  const server = /^\/(?:([a-z][a-z0-9-]{0,23})\/)?mcp$/.exec(path)
  const isPlain = url?.origin === base && url.search === '' && url.hash === '' && url.username === ''
  if (server === null || !isPlain) throw new errors.InvalidTarget('the resource is not one of this gateway')
  if (server[1] !== undefined && !isServer(server[1])) throw new errors.InvalidTarget(`there is no server "${server[1]}" here`)
  return resourceOf(base, server[1])
}

/** The scopes of resources are not in the library's own document, and more modes than are served (RFC 8414, 2). */
async function describe(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next()
  if (ctx.path.startsWith('/.well-known/') && typeof ctx.body === 'object' && ctx.body !== null && 'issuer' in ctx.body)
    ctx.body = { ...ctx.body, scopes_supported: [...ownScopes, 'offline_access'], response_modes_supported: ['query'] }
}

/** A client that did not ask for a secret is a public one here; the library makes one for it all the same (RFC 7591, 3.2.1). */
async function noIdleSecret(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next()
  const body = ctx.body as Readonly<Record<string, unknown>> | undefined
  if (ctx.path !== `${root}/register` || ctx.status !== 201 || body?.['token_endpoint_auth_method'] !== 'none') return
  const { client_secret: _, client_secret_expires_at: __, ...rest } = body
  ctx.body = rest
}

/** RFC 9449, 5: where it is required, no token is issued without a proof. */
async function dpopIsRequired(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  if (ctx.path === `${root}/token` && ctx.get('dpop') === '') {
    ctx.status = 400
    ctx.body = { error: 'invalid_dpop_proof', error_description: 'a DPoP proof is required here' }
    return
  }
  await next()
}
