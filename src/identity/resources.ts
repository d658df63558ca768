/**
 * The protected resources: every server, and the door to all of them, is one of its own with its own name, which is the
 * audience of its tokens (RFC 8707, 2; RFC 9728, 2; 2026-07-28 authorization, Canonical Server URI).
 */
import type { JsonObject } from '../lib/strict-json.ts'

export interface ResourcesOptions {
  /** Scheme, host and port under which clients reach us. */
  readonly base: string
  readonly authorizationServers: readonly string[]
  readonly scopes: readonly string[]
  readonly isDpopRequired: boolean
  readonly isCertificateBound: boolean
}

const wellKnown = '/.well-known/oauth-protected-resource'
const place = /^\/(?:([a-z][a-z0-9-]{0,23})\/)?mcp$/

/** The name of a resource; `server` undefined for the door to all servers. */
export const resourceOf = (base: string, server: string | undefined): string =>
  `${base}${server === undefined ? '' : `/${server}`}/mcp`

/** Where its metadata is: the well-known path goes before the path of the resource (RFC 9728, 3.1). */
export const metadataUrlOf = (base: string, server: string | undefined): string =>
  `${base}${wellKnown}${server === undefined ? '' : `/${server}`}/mcp`

/** The metadata document for a path, or undefined for a path that is not one of ours. */
export function resourceMetadata(path: string, options: ResourcesOptions): JsonObject | undefined {
  if (path !== wellKnown && !path.startsWith(`${wellKnown}/`)) return undefined
  const rest = path.slice(wellKnown.length)
  const found = place.exec(rest === '' ? '/mcp' : rest)
  const server = found?.[1]
  if (found === null) return undefined
  return {
    resource: resourceOf(options.base, server),
    resource_name: server === undefined ? 'Sekisho' : `Sekisho: ${server}`,
    authorization_servers: options.authorizationServers,
    bearer_methods_supported: ['header'],
    ...(options.scopes.length > 0 && { scopes_supported: options.scopes }),
    ...(options.isDpopRequired && { dpop_bound_access_tokens_required: true }),
    ...(options.isCertificateBound && { tls_client_certificate_bound_access_tokens: true }),
  }
}
