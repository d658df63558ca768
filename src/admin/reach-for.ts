import type { Config } from '../config/schema.ts'
import { reachProvider } from '../identity/reach.ts'
import type { ProviderConfig } from '../identity/schema.ts'
import type { SafeFetch } from '../lib/safe-fetch.ts'

/** The way to a provider that the gateway itself would take: with its certificate authority, and through the same proxy. */
export const reachFor =
  ({ proxy }: Pick<Config, 'proxy'>): ((provider: ProviderConfig) => SafeFetch) =>
  (provider) =>
    reachProvider(provider, proxy)
