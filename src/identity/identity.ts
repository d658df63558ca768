/** How this gateway knows its callers, as the configuration has it. A new configuration is a new identity. */
import type { Clock } from '../lib/clock.ts'
import type { SafeFetchOptions } from '../lib/safe-fetch.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Principal } from '../pipeline/parcel.ts'
import { byToken } from './bearer.ts'
import { Graph } from './graph.ts'
import type { Demands } from './guard.ts'
import { byApiKey, everyone, type Identify, identifyOnce } from './identifier.ts'
import { reachProvider } from './reach.ts'
import { resourceMetadata } from './resources.ts'
import type { AuthorizationServerConfig, IdentityConfig, ResourceServerConfig } from './schema.ts'
import { scopeForClass, scopeInFull, scopesInFull } from './scopes.ts'
import { AccessTokens, type AccessTokensOptions } from './tokens/access-tokens.ts'
import { Proofs } from './tokens/dpop.ts'
import { entraIssuer } from './tokens/entra.ts'
import type { TokenIssuer } from './tokens/issuer.ts'
import { openIdIssuer } from './tokens/openid.ts'
import { jsonGetter } from './tokens/signing-keys.ts'
import type { Expectations } from './tokens/verify.ts'

/** Structurally what outbound/credentials asks for. */
export interface SubjectToken {
  readonly token: string
  readonly type: 'access_token'
}

const noDemands: Demands = { scopeFor: () => undefined, inFull: (scope) => scope, stepUps: [], asksForClaims: false }
const demandsOf = (config: ResourceServerConfig | AuthorizationServerConfig, asksForClaims: boolean): Demands => ({
  scopeFor: (one) => scopeForClass(config, one),
  inFull: (scope) => scopeInFull(config, scope),
  stepUps: config.stepUp,
  asksForClaims,
})

export interface Identity {
  readonly identify: Identify
  /** The credential of a principal that was here before is no longer one. */
  isGone(principal: Principal): boolean
  readonly demands: Demands
  /** A token that names the caller at the identity provider, to be exchanged there and shown to nobody else. */
  subjectToken(principal: Principal): Promise<SubjectToken | undefined>
  /** The document at a well-known path, or undefined where there is none. */
  metadata(path: string): JsonObject | undefined
}

export interface IdentityOptions {
  readonly config: IdentityConfig
  readonly clock: Clock
  readonly proxy: SafeFetchOptions['proxy']
  /** Scheme, host and port under which clients reach us. */
  base(): string
  isRevoked(principal: Principal): boolean
  /**
   * Everybody who came with a token that counted under the same `identity`. Under another one whoever is here has to come
   * again: their issuer, client or audience may not be accepted any more.
   */
  readonly believed?: WeakSet<Principal> | undefined
  /** The tokens of our own authorization server, once it is open, and what the provider gave it for a user. */
  ownTokens(): TokenIssuer
  ownSubjectToken(account: string): Promise<string | undefined>
  failed(error: unknown): void
}

export function identityOf(options: IdentityOptions): Identity {
  const { config } = options
  const nothing = { metadata: () => undefined, demands: noDemands, subjectToken: async () => undefined }
  switch (config.mode) {
    case 'anonymous':
      return { ...nothing, identify: everyone, isGone: ({ kind }) => kind !== 'anonymous' }
    case 'api-keys': {
      const { identify, isKnown } = byApiKey(config.keys)
      return { ...nothing, identify: identifyOnce(identify), isGone: (principal) => !isKnown(principal) }
    }
    case 'resource-server':
      return resourceServer(config, options)
    case 'authorization-server':
      return ownServer(config, options)
  }
}

function resourceServer(config: ResourceServerConfig, options: IdentityOptions): Identity {
  const { provider, dpop } = config
  const least = scopeForClass(config, 'read')
  return byTokensOf({
    options,
    issuer: issuerOf(config, options),
    expectations: (resource) => expected(config, resource),
    authorizationServers: () => authorizationServersOf(provider),
    scopes: scopesInFull(config),
    leastScopes: least === undefined ? [] : [scopeInFull(config, least)],
    demands: demandsOf(config, provider.kind === 'entra'),
    isDpopRequired: dpop === 'require',
    groupsOf: groupsElsewhere(config, options),
  })
}

/** Our own tokens: for one resource each, and short. */
function ownServer(config: AuthorizationServerConfig, options: IdentityOptions): Identity {
  const { dpop, askAtLogin, accessTokenMinutes } = config
  const scopes = askAtLogin.map((one) => scopeForClass(config, one) as string)
  const own = (): TokenIssuer => options.ownTokens()
  return byTokensOf({
    options,
    issuer: {
      keysFor: (token) => own().keysFor(token),
      get checks() {
        return own().checks
      },
      subjectOf: (token) => own().subjectOf(token),
    },
    expectations: (resource) => ({
      audiences: [resource],
      clients: undefined,
      required: {},
      skewS: 5,
      lifetimeSMax: accessTokenMinutes * 60 + 60,
    }),
    authorizationServers: () => [options.base()],
    scopes,
    leastScopes: scopes,
    demands: demandsOf(config, false),
    subjectToken: (account) => options.ownSubjectToken(account),
    isDpopRequired: dpop === 'require',
  })
}

interface ByTokens {
  readonly options: IdentityOptions
  readonly issuer: TokenIssuer
  readonly expectations: (resource: string) => Expectations
  readonly authorizationServers: () => readonly string[]
  readonly scopes: readonly string[]
  readonly leastScopes: readonly string[]
  readonly demands: Demands
  /** By our own server; undefined where the token that came is the provider's. */
  readonly subjectToken?: (account: string) => Promise<string | undefined>
  readonly isDpopRequired: boolean
  readonly groupsOf?: AccessTokensOptions['groupsOf']
}

function byTokensOf(by: ByTokens): Identity {
  const { options, issuer, expectations, authorizationServers, scopes, leastScopes, isDpopRequired } = by
  const { clock, base, isRevoked, failed, believed = new WeakSet() } = options
  const tokens = new AccessTokens({ issuer, clock, expectations, isRevoked, believed, groupsOf: by.groupsOf })
  const identify = byToken({ tokens, proofs: new Proofs(clock), isDpopRequired, base, isRevoked, leastScopes, failed })
  return {
    identify: identifyOnce(identify),
    isGone: (principal) => !believed.has(principal),
    demands: by.demands,
    async subjectToken(principal) {
      if (principal.kind !== 'user') return undefined
      const account = principal.id.slice('user:'.length)
      const token = by.subjectToken ? await by.subjectToken(account) : tokens.presentedBy(principal)
      return token === undefined ? undefined : { token, type: 'access_token' }
    },
    metadata: (path) =>
      resourceMetadata(path, {
        base: base(),
        authorizationServers: authorizationServers(),
        scopes,
        isDpopRequired,
        isCertificateBound: false,
      }),
  }
}

function issuerOf({ provider }: ResourceServerConfig, { clock, proxy }: IdentityOptions): TokenIssuer {
  const getJson = jsonGetter(reachProvider(provider, proxy))
  return provider.kind === 'entra' ? entraIssuer({ ...provider, getJson, clock }) : openIdIssuer({ ...provider, getJson, clock })
}

/** Only tokens of Entra leave groups out. A subject's name is `<tenant>.<oid>` there. */
function groupsElsewhere({ provider }: ResourceServerConfig, { clock, proxy }: IdentityOptions): AccessTokensOptions['groupsOf'] {
  if (provider.kind !== 'entra') return undefined
  const graph = new Graph({
    ...provider,
    clientId: provider.clientId,
    clientSecret: provider.clientSecret,
    send: reachProvider(provider, proxy),
    now: clock.now,
  })
  return ({ kind, name, claims: { tenant = '' } }) => graph.groupsOf({ kind, tenant, oid: name.slice(tenant.length + 1) })
}

const authorizationServersOf = (provider: ResourceServerConfig['provider']): readonly string[] =>
  provider.kind === 'entra' ? provider.tenants.map((tenant) => `${provider.authority}/${tenant}/v2.0`) : [provider.issuer]

const expected = (config: ResourceServerConfig, resource: string): Expectations => ({
  audiences: config.audience.map((audience) => (audience === 'resource' ? resource : audience)),
  clients: config.clients,
  required: config.requiredClaims,
  skewS: config.clockSkewS,
  lifetimeSMax: config.tokenHoursMax * 3600,
})

/** Somebody who sits before a browser, without a client that acts for them. */
export const personOf = (account: string): Principal =>
  Object.freeze({ kind: 'user', id: `user:${account}`, holder: `user:${account}` })
