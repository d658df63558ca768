/** The grant types: what each has to be shown, and what it refuses. */
import { createHash } from 'node:crypto'
import { type App, identifiersOf } from './directory.ts'
import { type Code, codeLifetimeMs, type Grant, refreshLifetimeMs, type Session } from './grants.ts'
import { refuse } from './refusals.ts'
import { onlyResource, readScopes } from './scopes.ts'
import type { Exchange, Outcome } from './token.ts'

/** RFC 6749, 4.1.3, with PKCE (RFC 7636, 4.6). */
export async function fromCode({ world, got, client, proof }: Exchange): Promise<Outcome> {
  const { form, headers } = got
  const code = world.grants.codes.get(form.get('code') ?? refuse(900144, 'code')) ?? refuse(70000, 'code')
  const redirectUri = form.get('redirect_uri') ?? refuse(900144, 'redirect_uri')
  if (code.client.clientId !== client.clientId) refuse(70000, 'code')
  const clientProof = await proof(code.kind === 'web' ? 'required' : 'forbidden')
  checkOrigin(code.kind, headers['origin'])
  if (code.redeemed) refuse(54005)
  if (world.clock.now() - code.issuedAtMs > codeLifetimeMs) refuse(70008)
  if (redirectUri !== code.redirectUri) refuse(500112, redirectUri, code.redirectUri)
  checkVerifier(code, form.get('code_verifier'))
  code.redeemed = true
  checkPerson(world, code)
  return { proof: clientProof, grant: code, scope: form.get('scope') ?? code.scope, withRefresh: true, claims: code.claims }
}

/** Tokens of a single-page app are for browsers, those of the others are not. */
function checkOrigin(kind: Grant['kind'], origin: string | undefined): void {
  if (kind === 'spa' && origin === undefined) refuse(9002327)
  if (kind !== 'spa' && origin !== undefined) refuse(9002326, origin)
}

function checkVerifier({ challenge, kind }: Code, verifier: string | null): void {
  if (challenge === undefined) {
    if (kind === 'spa') refuse(9002325)
    return
  }
  if (verifier === null) return refuse(501481)
  const seen = challenge.method === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url')
  if (seen !== challenge.value) refuse(501481)
}

function checkPerson({ grants }: Exchange['world'], { user, signIn }: Session): void {
  const revokedAt = grants.revokedAt(signIn)
  if (grants.isDisabled(user)) refuse(50057)
  if (revokedAt !== undefined) refuse(50173, iso(signIn.authTimeMs), iso(revokedAt))
}

/** RFC 6749, 6. The scope may name another resource than before: what counts is what was agreed to. */
export async function fromRefreshToken({ world, got, client, proof }: Exchange): Promise<Outcome> {
  const { form, headers } = got
  const grant =
    world.grants.refreshes.get(form.get('refresh_token') ?? refuse(900144, 'refresh_token')) ?? refuse(70000, 'refresh_token')
  if (grant.client.clientId !== client.clientId) refuse(70000, 'refresh_token')
  const isOnServer = grant.kind === 'web' || grant.kind === 'none'
  const clientProof = await proof(isOnServer ? 'required' : 'forbidden')
  checkOrigin(grant.kind, headers['origin'])
  const expired = world.clock.now() - grant.issuedAtMs > refreshLifetimeMs(grant.kind)
  if (expired && grant.kind === 'spa') refuse(700084, iso(grant.issuedAtMs))
  if (expired) refuse(700082, iso(grant.issuedAtMs), '90.00:00:00')
  checkPerson(world, grant)
  return { proof: clientProof, grant, scope: form.get('scope') ?? grant.scope, withRefresh: true }
}

/** RFC 6749, 4.4. Only `.default`: what an app may do was agreed to before. */
export async function fromAppCredentials({ world, got, client, tenant, proof }: Exchange): Promise<Outcome> {
  const clientProof = await proof('required')
  const scope = got.form.get('scope') ?? refuse(900144, 'scope')
  if (tenant === undefined) return refuse(50059)
  if (!scope.endsWith('/.default')) refuse(1002012, scope)
  const { resource } = onlyResource(readScopes(scope, client, world.directory, tenant), scope)
  const isAssigned = client.permissions?.some(
    (one) => one.resource === resource.clientId && one.adminConsent && one.roles?.length,
  )
  if (resource.assignmentRequired && !isAssigned) refuse(501051, client.clientId, client.name, resource.clientId, resource.name)
  return { proof: clientProof, grant: undefined, scope, withRefresh: false }
}

/** On-behalf-of: RFC 7523, 2.1, with a token that was made for the app that shows it. */
export async function fromAssertion({ world, got, client, tenant, proof }: Exchange): Promise<Outcome> {
  const { form } = got
  const clientProof = await proof('required')
  const assertion = form.get('assertion') ?? refuse(900144, 'assertion')
  const scope = form.get('scope') ?? refuse(900144, 'scope')
  if (form.get('requested_token_use') !== 'on_behalf_of') refuse(900144, 'requested_token_use')
  const claims = readAssertion(world, assertion)
  const audiences: readonly unknown[] = [client.clientId, ...identifiersOf(client)]
  if (!audiences.includes(claims['aud'])) refuse(500131, String(claims['aud']), identifiersOf(client)[0] ?? client.clientId)
  const presenter = claims['azp'] ?? claims['appid']
  if (presenter === undefined) refuse(240002)
  if (Number(claims['exp']) * 1000 <= world.clock.now()) refuse(500133)
  if (claims['scp'] === undefined) refuse(7000114, String(presenter))
  if (tenant !== undefined && claims['tid'] !== tenant.id) refuse(50013, 'the token was issued by another tenant')
  const session = sessionOf(world, claims)
  checkPerson(world, session)
  const grant = grantFrom(session, client, scope, world.clock.now())
  return { proof: clientProof, grant, scope, withRefresh: true }
}

function readAssertion({ keys }: Exchange['world'], assertion: string): Record<string, unknown> {
  try {
    if (!keys.verifies(assertion)) return refuse(50013, 'The key was not found, or the signature is wrong')
    return JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
  } catch {
    return refuse(50013, 'The provided signature value did not match the expected signature value')
  }
}

/** The sign-in that the token came from; one that was made by hand stands for a sign-in of its own. */
function sessionOf({ grants, directory }: Exchange['world'], claims: Record<string, unknown>): Session {
  const known = grants.issued.get(String(claims['uti']))
  if (known) return known
  const user =
    directory.user(String(claims['tid']), String(claims['oid'])) ?? refuse(50034, String(claims['oid']), String(claims['tid']))
  const signIn = { authTimeMs: Number(claims['iat']) * 1000, acrs: [claims['acrs'] ?? []].flat() as string[], amr: ['pwd'] }
  return { user, signIn }
}

const grantFrom = ({ user, signIn }: Session, client: App, scope: string, issuedAtMs: number): Grant => ({
  ...{ user, signIn, client, scope, issuedAtMs },
  kind: 'none',
  nonce: undefined,
})

const iso = (ms: number): string => new Date(ms).toISOString()
