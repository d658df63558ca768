/**
 * Whom the identity rooms talk to. The provider is the operator's own choice and may stand anywhere; whatever a client
 * names is a stranger's choice, and gets no further than the public internet (2026-07-28, Security Best Practices, SSRF).
 */
import { readFileSync } from 'node:fs'
import { type SafeFetch, type SafeFetchOptions, safeFetch } from '../lib/safe-fetch.ts'
import type { ProviderConfig, RegistrationConfig } from './schema.ts'

/** The groups of somebody who is in all of them that Graph gives. */
const bytesMax = 1_048_576

type Proxy = SafeFetchOptions['proxy']

/** To the provider: its metadata, keys, tokens and, of Entra, Graph. */
export function reachProvider(provider: ProviderConfig, proxy: Proxy): SafeFetch {
  const urls = provider.kind === 'entra' ? [provider.authority, provider.graph] : [provider.issuer]
  const trustedOrigins = urls.map((url) => new URL(url).origin)
  return safeFetch({
    trustedOrigins,
    proxy,
    bytesMax,
    ...(provider.ca !== undefined && { ca: readFileSync(provider.ca, 'utf8') }),
  })
}

/** To documents in which clients describe themselves. A host that the operator names may be one of the operator's own. */
export function reachStrangers({ metadataDocuments }: RegistrationConfig, proxy: Proxy, ca: string | undefined): SafeFetch {
  const named = typeof metadataDocuments === 'string' ? [] : metadataDocuments.filter((host) => !host.includes('*'))
  return safeFetch({
    trustedOrigins: named.map((host) => new URL(`https://${host}`).origin),
    proxy,
    bytesMax: 65_536,
    redirectsMax: 0,
    ...(ca !== undefined && { ca: readFileSync(ca, 'utf8') }),
  })
}
