import type { Config } from '../../config/schema.ts'
import type { ProviderConfig } from '../../identity/schema.ts'
import type { Clock } from '../../lib/clock.ts'
import type { SafeFetch } from '../../lib/safe-fetch.ts'
import { callbackOf } from '../callback.ts'
import { type Probed, probe } from '../provider-probe.ts'

export type { Probed } from '../provider-probe.ts'

export interface IssuerVerified {
  readonly issuer: string
  readonly probed: readonly Probed[]
}

export interface IdpVerification {
  /** `fail` where anything failed, else `unverifiable` where anything could not be seen. */
  readonly outcome: Probed['outcome']
  readonly issuers: readonly IssuerVerified[]
}

export interface IdpAtHand {
  readonly config: Config
  readonly clock: Clock
  /** The way to this provider. */
  reach(provider: ProviderConfig): SafeFetch
}

/** Looks at the live provider of the configuration without changing anything there. Rejects where none is configured. */
export async function idpVerify({ config, clock, reach }: IdpAtHand): Promise<IdpVerification> {
  const { identity } = config
  if (!('provider' in identity))
    throw Object.assign(new Error(`with identity mode "${identity.mode}" there is no identity provider`), {
      fix: 'see what to register and to configure with: sekisho idp add',
    })
  const { provider, mode } = identity
  const redirectUri = mode === 'authorization-server' ? callbackOf(config) : undefined
  const issuers: IssuerVerified[] = []
  for (const issuer of issuersOf(provider))
    issuers.push({ issuer, probed: await probe({ provider, issuer, redirectUri, reach: reach(provider), clock }) })
  const outcomes = issuers.flatMap(({ probed }) => probed.map(({ outcome }) => outcome))
  const worst = (['fail', 'unverifiable'] as const).find((one) => outcomes.includes(one))
  return { outcome: worst ?? 'pass', issuers }
}

const issuersOf = (provider: ProviderConfig): readonly string[] =>
  provider.kind === 'entra' ? provider.tenants.map((tenant) => `${provider.authority}/${tenant}/v2.0`) : [provider.issuer]
