/** How this gateway knows its callers, as the configuration has it. A new configuration is a new identity. */
import type { Clock } from '../lib/clock.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Principal } from '../pipeline/parcel.ts'
import { byToken } from './bearer.ts'
import { byApiKey, everyone, type Identify, identifyOnce } from './identifier.ts'
import { resourceMetadata } from './resources.ts'
import type { IdentityConfig, ResourceServerConfig } from './schema.ts'
import { AccessTokens } from './tokens/access-tokens.ts'
import { Proofs } from './tokens/dpop.ts'
import { entraIssuer } from './tokens/entra.ts'
import type { TokenIssuer } from './tokens/issuer.ts'
import { openIdIssuer } from './tokens/openid.ts'
import { jsonGetter } from './tokens/signing-keys.ts'
import type { Expectations } from './tokens/verify.ts'

export interface Identity {
  readonly identify: Identify
  /** The credential of a principal that was here before is no longer one. */
  isGone(principal: Principal): boolean
  /** The document at a well-known path, or undefined where there is none. */
  metadata(path: string): JsonObject | undefined
}

export interface IdentityOptions {
  readonly config: IdentityConfig
  readonly clock: Clock
  /** Our hardened fetch. */
  get(url: string): Promise<Response>
  /** Scheme, host and port under which clients reach us. */
  base(): string
  isRevoked(principal: Principal): boolean
  failed(error: unknown): void
}

export function identityOf(options: IdentityOptions): Identity {
  const { config } = options
  const nothing = { metadata: () => undefined }
  switch (config.mode) {
    case 'anonymous':
      return { ...nothing, identify: everyone, isGone: ({ kind }) => kind !== 'anonymous' }
    case 'api-keys': {
      const { identify, isKnown } = byApiKey(config.keys)
      return { ...nothing, identify: identifyOnce(identify), isGone: (principal) => !isKnown(principal) }
    }
    case 'resource-server':
      return resourceServer(config, options)
  }
}

function resourceServer(config: ResourceServerConfig, options: IdentityOptions): Identity {
  const { clock, base, isRevoked, failed } = options
  const { provider, scopes, dpop } = config
  const tokens = new AccessTokens({
    issuer: issuerOf(config, options),
    clock,
    expectations: (resource) => expected(config, resource),
  })
  const isDpopRequired = dpop === 'require'
  const leastScopes = scopes.read === undefined ? [] : [scopes.read]
  const identify = byToken({ tokens, proofs: new Proofs(clock), isDpopRequired, base, isRevoked, leastScopes, failed })
  return {
    identify: identifyOnce(identify),
    isGone: ({ kind }) => kind !== 'user' && kind !== 'application',
    metadata: (path) =>
      resourceMetadata(path, {
        base: base(),
        authorizationServers: authorizationServersOf(provider),
        scopes: Object.values(scopes),
        isDpopRequired,
        isCertificateBound: false,
      }),
  }
}

function issuerOf({ provider }: ResourceServerConfig, { clock, get }: IdentityOptions): TokenIssuer {
  const getJson = jsonGetter(get)
  return provider.kind === 'entra' ? entraIssuer({ ...provider, getJson, clock }) : openIdIssuer({ ...provider, getJson, clock })
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
