/**
 * The token endpoint, `POST /{tenant}/oauth2/v2.0/token`. Unknown members of the form are ignored, as MSAL sends a dozen;
 * a known one that comes twice is refused.
 */
import { type Got, json, type Reply } from '../listener.ts'
import { clientIdOf, type ProofRule, proofOf } from './client-proof.ts'
import { readClaims, stepUp } from './conditions.ts'
import { scopesFor } from './consent.ts'
import { type App, isShared, type Tenant } from './directory.ts'
import { fromAppCredentials, fromAssertion, fromCode, fromRefreshToken } from './exchanges.ts'
import { type Grant, secretText } from './grants.ts'
import { Refused, refusalReply, refuse } from './refusals.ts'
import { checkResourceParameter, onlyResource, readScopes, spelled } from './scopes.ts'
import { type ClientProof, idToken } from './tokens.ts'
import { clientIn, issueAccess, signed, type World } from './world.ts'

/** One request, as far as it is understood. */
export interface Exchange {
  readonly world: World
  readonly got: Got
  /** Undefined for `common` and `organizations`. */
  readonly tenant: Tenant | undefined
  readonly client: App
  /** Throws when the client does not prove itself as the rule has it. */
  proof(rule: ProofRule): Promise<ClientProof>
}
/** What an exchange comes to: a grant of a person, or the app itself. */
export interface Outcome {
  readonly proof: ClientProof
  readonly scope: string
  readonly grant: Grant | undefined
  /** Whether a refresh token and an ID token may go with it. */
  readonly withRefresh: boolean
  /** From the authorize request, in case the token request has none. */
  readonly claims?: string | null
}

const exchanges: Readonly<Record<string, (exchange: Exchange) => Promise<Outcome>>> = {
  authorization_code: fromCode,
  refresh_token: fromRefreshToken,
  client_credentials: fromAppCredentials,
  'urn:ietf:params:oauth:grant-type:jwt-bearer': fromAssertion,
}

export async function token(world: World, segment: string, got: Got): Promise<Reply> {
  const correlation = got.headers['client-request-id'] ?? got.query.get('client-request-id') ?? undefined
  const cors = got.headers['origin'] === undefined ? {} : { 'access-control-allow-origin': '*' }
  try {
    const body = await exchanged(world, segment, got)
    return json(body, 200, cors)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const reply = refusalReply(error, world.clock.now(), correlation)
    return { ...reply, headers: { ...reply.headers, ...cors } }
  }
}

async function exchanged(world: World, segment: string, got: Got): Promise<Record<string, unknown>> {
  const { form, method } = got
  if (method !== 'POST') refuse(900561, method)
  for (const name of new Set(form.keys())) if (name !== 'resource' && form.getAll(name).length > 1) refuse(9000411, name)
  const grantType = form.get('grant_type') ?? refuse(900144, 'grant_type')
  const exchange = exchanges[grantType] ?? refuse(70003, grantType)
  const tenant = isShared(segment) ? undefined : world.directory.tenant(segment)
  const client = clientIn(world.directory, tenant, clientIdOf(got))
  const audiences = ['oauth2/v2.0/token', 'v2.0'].map((path) => `${world.url}/${segment}/${path}`)
  const proof = (rule: ProofRule) => proofOf(got, client, rule, audiences, world.clock.now())
  return answerFor({ world, got, tenant, client, proof }, await exchange({ world, got, tenant, client, proof }))
}

function answerFor({ world, got, tenant, client }: Exchange, outcome: Outcome): Record<string, unknown> {
  const { grant, scope, proof } = outcome
  const home = tenant ?? (grant ? world.directory.tenant(grant.user.tenant) : refuse(50059))
  const scopes = readScopes(scope, client, world.directory, home)
  const asked = onlyResource(scopes, scope)
  checkResourceParameter(got.form.getAll('resource'), [asked], world.resourceParameter)
  const { acrs, capabilities } = readClaims(got.form.get('claims') ?? outcome.claims ?? null)
  const about = { tenant: home, client, proof, resource: asked.resource, identifier: asked.identifier, capabilities }
  if (grant === undefined) {
    const { token: access, expiresInSeconds } = issueAccess(world, about)
    return { token_type: 'Bearer', expires_in: expiresInSeconds, ext_expires_in: expiresInSeconds, access_token: access }
  }
  const { user, signIn, nonce } = grant
  const situation = { user: user.oid, client: client.clientId, resources: [asked.resource.clientId] }
  const missing = world.conditions.missing(situation, signIn.acrs, acrs)
  if (missing.length > 0) throw stepUp(asked.resource.clientId, missing)
  const granted = scopesFor(world.grants, user, client, asked)
  const { token: access, expiresInSeconds } = issueAccess(world, { ...about, person: { user, signIn, scopes: granted } })
  const id = { tenant: home, client, user, signIn, scopes: scopes.openid, nonce }
  return {
    token_type: 'Bearer',
    scope: spelled(asked, granted),
    expires_in: expiresInSeconds,
    ext_expires_in: expiresInSeconds,
    access_token: access,
    ...(outcome.withRefresh && scopes.openid.has('offline_access') ? { refresh_token: renewed(world, { ...grant, scope }) } : {}),
    ...(scopes.openid.has('openid') ? { id_token: signed(world, idToken(world.minting, id)) } : {}),
    ...(got.form.get('client_info') === '1' ? { client_info: clientInfo(grant) } : {}),
  }
}

/** Each use gives a new one. The one that was used stays good (Entra does not revoke it), so a replay is not noticed here. */
function renewed(world: World, grant: Grant): string {
  const text = secretText('1.', 400)
  const issuedAtMs = grant.kind === 'spa' ? grant.issuedAtMs : world.clock.now()
  world.grants.refreshes.set(text, { ...grant, issuedAtMs, nonce: undefined })
  return text
}

/** MSAL's name for an account. */
export const clientInfo = ({ user }: Pick<Grant, 'user'>): string =>
  Buffer.from(JSON.stringify({ uid: user.oid, utid: user.tenant })).toString('base64url')
