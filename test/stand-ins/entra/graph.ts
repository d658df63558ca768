/**
 * The one call of Microsoft Graph that a gateway needs: whose groups are these, when there were too many for the token.
 * `POST /v1.0/users/{oid}/getMemberObjects`, and the same for `/servicePrincipals/{oid}` and `/me`.
 */
import { randomUUID } from 'node:crypto'
import { type Got, json, type Reply } from '../listener.ts'
import { asGraphReadsIt, type World } from './world.ts'

type Claims = Readonly<Record<string, unknown>>

/** Directory permissions, any of which lets an app read memberships. */
const mayReadOthers = ['GroupMember.Read.All', 'Directory.Read.All', 'User.Read.All']
const idsMax = 11_000
/** As an App ID URI, or as the client id that is the same in every cloud. */
const ownAudiences: readonly unknown[] = ['https://graph.microsoft.com', '00000003-0000-0000-c000-000000000000']

export const graphPath = /^\/v1\.0\/(?:(me)|(users|servicePrincipals)\/([^/]+))\/getMemberObjects$/

export const graphError = (status: number, code: string, message: string, headers: Reply['headers'] = {}): Reply => {
  const id = randomUUID()
  const date = new Date().toISOString().slice(0, 19)
  return json({ error: { code, message, innerError: { date, 'request-id': id, 'client-request-id': id } } }, status, headers)
}

export function memberObjects(world: World, got: Got, principals: ReadonlyMap<string, readonly string[]>): Reply {
  const [, me, kind, oid = ''] = graphPath.exec(got.path) ?? []
  const claims = bearer(world, got)
  if ('status' in claims) return claims.reply
  if (got.method !== 'POST')
    return graphError(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.')
  const permissions = [
    ...String(claims.claims['scp'] ?? '').split(' '),
    ...((claims.claims['roles'] as string[] | undefined) ?? []),
  ]
  const own = claims.claims['scp'] === undefined ? undefined : String(claims.claims['oid'])
  const target = me === undefined ? oid : own
  if (target === undefined) return graphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.')
  const isAllowed =
    permissions.some((one) => mayReadOthers.includes(one)) || (target === own && permissions.includes('User.Read'))
  if (!isAllowed) return graphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')
  if (!isWanted(got.body))
    return graphError(400, 'Request_BadRequest', "The parameter 'securityEnabledOnly' is missing or is no boolean.")
  const tenant = String(claims.claims['tid'])
  const user = world.directory.user(tenant, target)
  const groups = kind === 'servicePrincipals' ? principals.get(`${tenant}/${target}`) : user && (user.groups ?? [])
  if (groups === undefined)
    return graphError(
      404,
      'Request_ResourceNotFound',
      `Resource '${target}' does not exist or one of its queried reference-property objects are not present.`,
    )
  if (groups.length > idsMax)
    return graphError(400, 'Directory_ResultSizeLimitExceeded', 'The specified user has too many group memberships to return.')
  return json({ '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#Collection(Edm.String)', value: groups })
}

function isWanted(body: string): boolean {
  try {
    return typeof (JSON.parse(body) as Record<string, unknown>)['securityEnabledOnly'] === 'boolean'
  } catch {
    return false
  }
}

type Bearer = { readonly claims: Claims } | { readonly status: 'refused'; readonly reply: Reply }
const refused = (message: string, challenge = 'Bearer'): Bearer => ({
  status: 'refused',
  reply: graphError(401, 'InvalidAuthenticationToken', message, { 'www-authenticate': challenge }),
})

function bearer(world: World, { headers }: Got): Bearer {
  const [, token] = /^Bearer (\S+)$/i.exec(headers['authorization'] ?? '') ?? []
  if (token === undefined) return refused('Access token is empty.')
  const claims = readToken(world, token)
  if (claims === undefined) return refused('Access token validation failure. Invalid signature.')
  if (!ownAudiences.includes(claims['aud'])) return refused('Access token validation failure. Invalid audience.')
  if (Number(claims['exp']) * 1000 <= world.clock.now()) return refused('Lifetime validation failed, the token is expired.')
  const session = world.grants.issued.get(String(claims['uti']))
  const revokedAt = session === undefined ? undefined : world.grants.revokedAt(session.signIn)
  if (revokedAt === undefined) return { claims }
  return refused(
    'Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp',
    claimsChallenge(world.url, revokedAt),
  )
}

/** learn.microsoft.com, "Claims challenges, claims requests and client capabilities". */
function claimsChallenge(url: string, revokedAtMs: number): string {
  const nbf = { essential: true, value: String(Math.floor(revokedAtMs / 1000)) }
  const claims = Buffer.from(JSON.stringify({ access_token: { nbf } })).toString('base64')
  return `Bearer realm="", authorization_uri="${url}/common/oauth2/authorize", error="insufficient_claims", claims="${claims}"`
}

function readToken({ keys }: World, token: string): Claims | undefined {
  try {
    if (!keys.verifies(asGraphReadsIt(token)) && !keys.verifies(token)) return undefined
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Claims
  } catch {
    return undefined
  }
}
