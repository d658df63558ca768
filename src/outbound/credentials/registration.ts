/**
 * Who we are at an authorization server, for the credentials of users: pre-registered, else our client id metadata document,
 * else registered on the spot (MCP 2026-07-28, Client Registration). What an authorization server gave us is kept under its
 * issuer and never shown to another.
 */

import { isLoopback } from '../../lib/loopback.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import { clientProof, secretProof } from './client-proof.ts'
import type { BrokerPorts, Consent, TokenKey } from './credential.ts'
import type { AuthorizationServer } from './discovery.ts'
import { TokenRefused, unreachable } from './failure.ts'
import type { UserOauth } from './schema.ts'
import { answerCharsMax, answerMsMax, isSafeEndpoint, type ProveClient } from './token-endpoint.ts'

/** As it is kept. Pre-registered ones are kept without their secret, which stands in the configuration. */
export interface Registration {
  readonly issuer: string
  readonly clientId: string
  readonly kind: 'configured' | 'document' | 'dynamic'
  readonly clientSecret?: string | undefined
  readonly method?: string | undefined
  readonly redirectUri: string
  /** Milliseconds since 1970; undefined for never. */
  readonly expiresAt?: number | undefined
}

type Ports = Pick<BrokerPorts, 'fetch' | 'clock' | 'store'>

/** The document at `clientMetadataUrl`, for whoever serves it (draft-ietf-oauth-client-id-metadata-document, section 4.1). */
export const clientMetadata = ({ redirectUri, clientMetadataUrl }: Consent): JsonObject => ({
  client_id: clientMetadataUrl,
  ...aboutUs(redirectUri),
  token_endpoint_auth_method: 'none',
})

const aboutUs = (redirectUri: string) => ({
  client_name: 'Sekisho',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  // OpenID Connect Dynamic Client Registration section 2: left out it would mean web.
  application_type: isLoopback(new URL(redirectUri).hostname) ? 'native' : 'web',
})

/** Throws {@link TokenRefused} where there is no way to be known there. */
export async function registered(
  server: string,
  config: UserOauth,
  at: AuthorizationServer,
  consent: Consent,
  ports: Ports,
): Promise<Registration> {
  const { redirectUri, clientMetadataUrl } = consent
  const { issuer } = at
  if (config.clientId !== undefined) {
    if (config.issuer !== issuer)
      throw new TokenRefused(
        'other_issuer',
        'the server names another authorization server than the one that "clientId" belongs to',
      )
    return { issuer, clientId: config.clientId, kind: 'configured', redirectUri }
  }
  if (at.takesMetadataDocuments && clientMetadataUrl !== undefined)
    return { issuer, clientId: clientMetadataUrl, kind: 'document', redirectUri }
  if (at.registrationEndpoint === undefined)
    throw new TokenRefused('no_registration', 'the authorization server registers nobody by itself; set "clientId" and "issuer"')
  const key: TokenKey = { owner: 'gateway', server, kind: 'oauth-client', client: issuer }
  const kept = read(await ports.store?.get(key))
  const isGood = kept?.issuer === issuer && kept.redirectUri === redirectUri && (kept.expiresAt ?? Infinity) > ports.clock.now()
  if (isGood) return kept
  const fresh = await register(at, redirectUri, ports)
  await ports.store?.put(key, JSON.stringify(fresh))
  return fresh
}

/** What proves at the token endpoint that a registration is ours. */
export function proofOf(registration: Registration, config: UserOauth, at: AuthorizationServer, ports: Ports): ProveClient {
  const { clientId, clientSecret, kind, method, issuer } = registration
  if (kind === 'configured') return clientProof({ ...config, clientId }, { audience: issuer, methods: at.methods }, ports.clock)
  if (clientSecret === undefined || method === 'none') return (form) => form.set('client_id', clientId)
  return secretProof(clientId, clientSecret, method ?? 'client_secret_basic')
}

/** The strongest that both sides know; RFC 8414 section 2: basic, where the server does not say. */
function methodFor(methods: readonly string[] | undefined): string {
  return (
    ['client_secret_basic', 'client_secret_post', 'none'].find((method) =>
      (methods ?? ['client_secret_basic']).includes(method),
    ) ?? 'none'
  )
}

/** RFC 7591. */
async function register(at: AuthorizationServer, redirectUri: string, { fetch }: Ports): Promise<Registration> {
  const endpoint = at.registrationEndpoint as string
  if (!isSafeEndpoint(endpoint)) throw new TokenRefused('unsafe_endpoint', 'the registration endpoint is not https')
  const method = methodFor(at.methods)
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ ...aboutUs(redirectUri), token_endpoint_auth_method: method }),
    redirect: 'error',
    signal: AbortSignal.timeout(answerMsMax),
  }).catch(unreachable('the registration endpoint cannot be reached'))
  const text = await response.text().catch(() => '')
  const answer = parsed(text.length > answerCharsMax ? '' : text)
  const {
    client_id: clientId,
    client_secret: secret,
    token_endpoint_auth_method: given,
    error,
    client_secret_expires_at: expires,
  } = answer
  if (!response.ok || typeof clientId !== 'string' || clientId === '') {
    const code = typeof error === 'string' && /^[\w.-]{1,64}$/.test(error) ? error : `HTTP ${response.status}`
    throw new TokenRefused(
      'not_registered',
      `the authorization server did not register us (${code}); set "clientId" and "issuer"`,
    )
  }
  return {
    issuer: at.issuer,
    clientId,
    kind: 'dynamic',
    clientSecret: typeof secret === 'string' && secret !== '' ? secret : undefined,
    method: typeof given === 'string' ? given : method,
    redirectUri,
    expiresAt: typeof expires === 'number' && expires > 0 ? expires * 1000 : undefined,
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Ours, and encrypted since: a shape check only, against an older version of ourselves. */
function read(text: string | undefined): Registration | undefined {
  const value = parsed(text ?? '') as Partial<Registration>
  return typeof value.issuer === 'string' && typeof value.clientId === 'string' && typeof value.redirectUri === 'string'
    ? (value as Registration)
    : undefined
}
