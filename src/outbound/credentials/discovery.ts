/**
 * Where an authorization server is, and what it can do: protected resource metadata (RFC 9728) and authorization server
 * metadata (RFC 8414, OpenID Connect Discovery 1.0), in the order that MCP 2026-07-28 prescribes. Both documents come from
 * outside and are believed only where they name what they were fetched for.
 */
import { isLoopback } from '../../lib/loopback.ts'
import type { OutsideFetch } from './credential.ts'
import { TokenRefused, unreachable } from './failure.ts'
import { answerCharsMax, answerMsMax, isSafeEndpoint } from './token-endpoint.ts'

export interface ProtectedResource {
  /** Exactly as published: it is sent like this (RFC 8707 section 2). */
  readonly resource: string
  readonly authorizationServers: readonly string[]
  readonly scopesSupported: readonly string[] | undefined
}

export interface AuthorizationServer {
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly authorizationEndpoint: string | undefined
  readonly registrationEndpoint: string | undefined
  readonly methods: readonly string[] | undefined
  readonly scopesSupported: readonly string[]
  readonly hasS256: boolean
  readonly sendsIssuer: boolean
  readonly takesMetadataDocuments: boolean
}

const listMax = 1000
const issuerCharsMax = 1024
const serversMax = 10
type Document = Readonly<Record<string, unknown>>

/**
 * The metadata of an MCP server: where its challenge says, else at the well-known URIs, path first, root second. Undefined
 * where it has none. Throws {@link TokenRefused} for a document that speaks of another resource.
 */
export async function protectedResource(
  fetch: OutsideFetch,
  server: string,
  challenged: string | undefined,
): Promise<ProtectedResource | undefined> {
  const { origin, pathname, search } = new URL(server)
  const path = pathname === '/' ? '' : pathname
  const places = [`${path}${search}`, ''].map((rest) => `${origin}/.well-known/oauth-protected-resource${rest}`)
  if (challenged !== undefined && !isSafeFor(challenged, server))
    throw new TokenRefused('unsafe_metadata', 'the server names a metadata document that is not https')
  for (const place of challenged === undefined ? new Set(places) : [challenged]) {
    const document = await documentAt(fetch, place)
    if (document === undefined) continue
    const { resource } = document
    if (typeof resource !== 'string' || !covers(resource, server))
      throw new TokenRefused('resource_mismatch', 'the metadata of the server speaks of another resource')
    const servers = textsIn(document['authorization_servers'])?.slice(0, serversMax) ?? []
    return { resource, authorizationServers: servers, scopesSupported: textsIn(document['scopes_supported']) }
  }
  return undefined
}

/** The server itself, or what contains its path: a published identifier may be less specific than the endpoint (RFC 9728 section 3.3). */
function covers(resource: string, server: string): boolean {
  if (!URL.canParse(resource) || resource.includes('#')) return false
  const wide = new URL(resource)
  const narrow = new URL(server)
  const path = wide.pathname.replace(/\/$/, '')
  const isInside = narrow.pathname === wide.pathname || narrow.pathname.startsWith(`${path}/`) || narrow.pathname === path
  return wide.origin === narrow.origin && (wide.search === '' || wide.search === narrow.search) && isInside
}

/** The metadata of an authorization server. Throws {@link TokenRefused} where there is none that could be used. */
export async function authorizationServer(fetch: OutsideFetch, issuer: string): Promise<AuthorizationServer> {
  if (issuer.length > issuerCharsMax || !isSafeEndpoint(issuer) || new URL(issuer).search !== '')
    throw new TokenRefused('unsafe_issuer', 'the issuer is not an https URL without query and fragment')
  for (const place of wellKnown(issuer)) {
    const document = await documentAt(fetch, place)
    if (document !== undefined) return read(document, issuer)
  }
  throw new TokenRefused('no_metadata', 'the authorization server publishes no metadata', { isPassing: true })
}

/** In the order of MCP 2026-07-28, Authorization Server Metadata Discovery. */
export function wellKnown(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const inserted = ['oauth-authorization-server', 'openid-configuration'].map((name) => `${origin}/.well-known/${name}${path}`)
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`]
}

function read(document: Document, issuer: string): AuthorizationServer {
  // Simple comparison, nothing normalised (RFC 8414 section 3.3).
  if (document['issuer'] !== issuer)
    throw new TokenRefused('issuer_mismatch', 'the metadata names another issuer than it was asked for')
  const endpoint = (name: string): string | undefined => {
    const value = document[name]
    if (value === undefined) return undefined
    if (typeof value !== 'string' || !isSafeFor(value, issuer))
      throw new TokenRefused('unsafe_endpoint', `the "${name}" of the authorization server is not an https URL`)
    return value
  }
  const tokenEndpoint = endpoint('token_endpoint')
  if (tokenEndpoint === undefined) throw new TokenRefused('no_token_endpoint', 'the authorization server has no token endpoint')
  return {
    issuer,
    tokenEndpoint,
    authorizationEndpoint: endpoint('authorization_endpoint'),
    registrationEndpoint: endpoint('registration_endpoint'),
    methods: textsIn(document['token_endpoint_auth_methods_supported']),
    scopesSupported: textsIn(document['scopes_supported']) ?? [],
    hasS256: textsIn(document['code_challenge_methods_supported'])?.includes('S256') ?? false,
    sendsIssuer: document['authorization_response_iss_parameter_supported'] === true,
    takesMetadataDocuments: document['client_id_metadata_document_supported'] === true,
  }
}

/** https; http only where whoever names it is on this machine too. */
const isSafeFor = (value: string, base: string): boolean =>
  isSafeEndpoint(value) && (value.startsWith('https:') || isLoopback(new URL(base).hostname))

const textsIn = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string').slice(0, listMax) : undefined

/** Undefined where there is none (4xx). A server in trouble is not the same as a document that is not there. */
async function documentAt(fetch: OutsideFetch, place: string): Promise<Document | undefined> {
  const options = {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(answerMsMax),
  } as const
  const response = await fetch(place, options).catch(unreachable('the metadata of the authorization server cannot be fetched'))
  const text = await response.text().catch(() => '')
  if (response.status >= 500)
    throw new TokenRefused('unreachable', `metadata was answered with HTTP ${response.status}`, { isPassing: true })
  if (response.status !== 200 || text.length > answerCharsMax) return undefined
  try {
    const document: unknown = JSON.parse(text)
    return typeof document === 'object' && document !== null && !Array.isArray(document) ? (document as Document) : undefined
  } catch {
    return undefined
  }
}
