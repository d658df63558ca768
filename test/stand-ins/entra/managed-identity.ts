/**
 * Tokens for what runs in Azure: the instance metadata service (IMDS) and the endpoint of App Service. Plain http, because
 * there it is an address of the machine itself. Numbers in the answers are strings.
 */
import type { Got, Reply } from '../listener.ts'
import { json } from '../listener.ts'
import { identifiersOf, type ManagedIdentity } from './directory.ts'
import { Refused } from './refusals.ts'
import { issueAccess, type World } from './world.ts'

export type ManagedIdentitySource = 'imds' | 'app-service'

const lifetimeSeconds = 86_400
const imdsError = (description: string, status = 400): Reply =>
  json({ error: 'invalid_request', error_description: description }, status)
const appServiceError = (message: string, status = 400): Reply => json({ statusCode: status, message }, status)

/** `GET /metadata/identity/oauth2/token`. The header, and the ban on forwarded requests, are its defence against SSRF. */
export function imds(world: World, identities: readonly ManagedIdentity[], { headers, query, method }: Got): Reply {
  if (headers['metadata']?.toLowerCase() !== 'true') return imdsError('Required metadata header not specified')
  if (headers['x-forwarded-for'] !== undefined) return imdsError('Forwarded requests are not served')
  if (method !== 'GET') return imdsError('Only GET is served', 405)
  if (query.get('api-version') === null) return imdsError('Required query variable api-version is missing')
  const identity = identityFor(identities, query)
  if (identity === undefined) return imdsError('Identity not found')
  return answer(world, identity, query, imdsError)
}

/** `GET {IDENTITY_ENDPOINT}`, with the secret of the process in `X-IDENTITY-HEADER`. */
export function appService(world: World, identities: readonly ManagedIdentity[], secret: string, { headers, query }: Got): Reply {
  if (headers['x-identity-header'] !== secret) return appServiceError('The X-IDENTITY-HEADER is missing or wrong', 401)
  if (query.get('api-version') !== '2019-08-01') return appServiceError('The api-version is not supported')
  const identity = identityFor(identities, query)
  if (identity === undefined) return appServiceError('No managed identity was found for the specified client ID')
  return answer(world, identity, query, appServiceError)
}

function identityFor(identities: readonly ManagedIdentity[], query: URLSearchParams): ManagedIdentity | undefined {
  const clientId = query.get('client_id')
  return identities.find((one) => (clientId === null ? one.kind === 'system' : one.clientId === clientId))
}

function answer(world: World, identity: ManagedIdentity, query: URLSearchParams, refusal: (text: string) => Reply): Reply {
  const asked = query.get('resource')
  if (asked === null || asked === '') return refusal('Required query variable resource is missing')
  try {
    const tenant = world.directory.tenant(identity.tenant)
    const resource = world.directory.resource(asked, tenant)
    const identifier = identifiersOf(resource).find((uri) => uri === asked.replace(/\/$/, '')) ?? asked
    const about = { tenant, client: { ...identity, name: 'managed identity' }, proof: '2', resource, identifier } as const
    const { token } = issueAccess(world, { ...about, capabilities: [], lifetimeSeconds })
    const now = Math.floor(world.clock.now() / 1000)
    return json({
      access_token: token,
      client_id: identity.clientId,
      expires_in: String(lifetimeSeconds - 1),
      expires_on: String(now + lifetimeSeconds),
      ext_expires_in: String(lifetimeSeconds - 1),
      not_before: String(now - 300),
      resource: asked,
      token_type: 'Bearer',
    })
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return refusal(error.message)
  }
}
