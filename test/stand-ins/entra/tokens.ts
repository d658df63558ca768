/**
 * What stands in a token. The format of an access token is chosen by the API's registration: v1 and v2 differ in issuer,
 * audience and in the names of half the claims (learn.microsoft.com, "Access token claims reference").
 */
import { createHmac, randomBytes } from 'node:crypto'
import { type App, servicePrincipalOf, type Tenant, type User } from './directory.ts'
import { graph } from './first-party.ts'
import { type Issuers, issuerFor } from './metadata.ts'

/** How the client proved itself: `appidacr` and `azpacr`. */
export type ClientProof = '0' | '1' | '2'
/** How a person signed in. */
export interface SignIn {
  readonly authTimeMs: number
  /** Authentication contexts reached. */
  readonly acrs: readonly string[]
  readonly amr: readonly string[]
}
export interface Subject {
  readonly tenant: Tenant
  readonly client: Pick<App, 'clientId' | 'name' | 'permissions'>
  readonly proof: ClientProof
}
export interface AccessWanted extends Subject {
  readonly resource: App
  /** As it was asked for: the audience of a v1 token. */
  readonly identifier: string
  readonly person?: { readonly user: User; readonly signIn: SignIn; readonly scopes: readonly string[] }
  readonly capabilities: readonly string[]
  /** Instead of one by chance. */
  readonly lifetimeSeconds?: number
}
export interface IdWanted {
  readonly tenant: Tenant
  readonly client: App
  readonly user: User
  readonly signIn: SignIn
  readonly scopes: ReadonlySet<string>
  readonly nonce?: string | undefined
}
export interface Content {
  readonly header: Readonly<Record<string, string>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly lifetimeSeconds: number
}
export interface Minting {
  readonly issuers: Issuers
  now(): number
  /** From 0 to 1, for lifetimes. */
  random(): number
  /** Makes `sub` different for every app (pairwise). */
  readonly pairwiseSecret: string
}

const groupsMax = 200
/** `iat` and `nbf` lie this far back, so that clocks that are a little late agree. */
const backdatedSeconds = 300
const minutes = (count: number): number => 60 * count
const hours = (count: number): number => 3600 * count

export function accessToken(mint: Minting, wanted: AccessWanted): Content {
  const { tenant, client, resource, identifier, person, capabilities, proof } = wanted
  const version = resource.tokenVersion ?? 1
  const lasting = resource.continuousAccess === true && capabilities.includes('cp1')
  const lifetimeSeconds =
    wanted.lifetimeSeconds ?? between(mint, lasting ? hours(20) : minutes(60), lasting ? hours(28) : minutes(90))
  const principal = servicePrincipalOf(client, tenant.id)
  const assigned = client.permissions?.filter((one) => one.resource === resource.clientId && one.adminConsent === true)
  const roles = person ? (person.user.roles?.[resource.clientId] ?? []) : (assigned ?? []).flatMap((one) => one.roles ?? [])
  const says = resource.optionalClaims ?? []
  const claims = {
    aud: version === 2 ? resource.clientId : identifier,
    iss: issuerFor(mint.issuers, version, tenant.id),
    ...times(mint, lifetimeSeconds),
    ...(person?.signIn.acrs.length ? { acrs: person.signIn.acrs } : {}),
    aio: opaque(36),
    ...(version === 2 ? { azp: client.clientId, azpacr: proof } : { appid: client.clientId, appidacr: proof }),
    ...(person ? delegated(version, person) : {}),
    ...(person ? { scp: person.scopes.join(' ') } : {}),
    ...(says.includes('idtyp') ? { idtyp: person ? 'user' : 'app' } : {}),
    ...(version === 1 && !person ? { idp: issuerFor(mint.issuers, 1, tenant.id) } : {}),
    ...(resource.groupClaims && person ? groups(resource.groupClaims, person.user) : {}),
    ...(roles.length > 0 ? { roles } : {}),
    ...(person?.user.wids?.length ? { wids: person.user.wids } : {}),
    ...(person?.user.idp ? { idp: person.user.idp } : {}),
    ...(says.includes('xms_cc') && capabilities.length > 0 ? { xms_cc: capabilities } : {}),
    oid: person?.user.oid ?? principal,
    rh: `1.${opaque(20)}.`,
    sub: person ? pairwise(mint, person.user, resource) : principal,
    tid: tenant.id,
    uti: opaque(16),
    ver: `${version}.0`,
  }
  return { header: headerOf(version, resource), claims, lifetimeSeconds }
}

/** Always v2: the version of ID tokens follows the endpoint, and this is the v2 endpoint. */
export function idToken(mint: Minting, { tenant, client, user, signIn, scopes, nonce }: IdWanted): Content {
  const lifetimeSeconds = minutes(60)
  const claims = {
    aud: client.clientId,
    iss: issuerFor(mint.issuers, 2, tenant.id),
    ...times(mint, lifetimeSeconds),
    ...(signIn.acrs.length > 0 ? { acrs: signIn.acrs } : {}),
    aio: opaque(36),
    ...(client.optionalClaims?.includes('auth_time') ? { auth_time: Math.floor(signIn.authTimeMs / 1000) } : {}),
    ...(scopes.has('email') && user.username.includes('@') ? { email: user.username } : {}),
    ...(client.groupClaims ? groups(client.groupClaims, user) : {}),
    ...(user.idp ? { idp: user.idp } : {}),
    ...(nonce === undefined ? {} : { nonce }),
    oid: user.oid,
    ...(scopes.has('profile') ? { name: user.name, preferred_username: user.username } : {}),
    rh: `1.${opaque(20)}.`,
    ...(user.roles?.[client.clientId] ? { roles: user.roles[client.clientId] } : {}),
    sub: pairwise(mint, user, client),
    tid: tenant.id,
    uti: opaque(16),
    ver: '2.0',
  }
  return { header: { typ: 'JWT', alg: 'RS256' }, claims, lifetimeSeconds }
}

function delegated(version: 1 | 2, { user, signIn }: NonNullable<AccessWanted['person']>): Record<string, unknown> {
  const { name, username } = user
  if (version === 2) return { name, preferred_username: username }
  return { acr: '1', amr: signIn.amr, name, unique_name: username, ...(user.idp ? {} : { upn: username }) }
}

function groups(how: NonNullable<App['groupClaims']>, { groups: ids = [], oid, tenant }: User): Record<string, unknown> {
  if (ids.length === 0) return {}
  if (ids.length <= groupsMax) return { groups: ids }
  if (how === 'hasgroups') return { hasgroups: true }
  const endpoint = `https://graph.windows.net/${tenant}/users/${oid}/getMemberObjects`
  return { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } }
}

function headerOf(version: 1 | 2, resource: App): Record<string, string> {
  return {
    typ: 'JWT',
    ...(resource.clientId === graph.clientId ? { nonce: opaque(32) } : {}),
    alg: 'RS256',
    ...(version === 1 ? { x5t: '' } : {}),
  }
}

function times({ now }: Minting, lifetimeSeconds: number): Record<string, number> {
  const issuedAt = Math.floor(now() / 1000)
  const since = issuedAt - backdatedSeconds
  return { iat: since, nbf: since, exp: issuedAt + lifetimeSeconds + 1 }
}

const between = ({ random }: Minting, least: number, most: number): number => Math.floor(least + random() * (most - least)) - 1
const opaque = (bytes: number): string => randomBytes(bytes).toString('base64url')
const pairwise = ({ pairwiseSecret }: Minting, { oid, tenant }: User, { clientId }: App): string =>
  createHmac('sha256', pairwiseSecret).update(`${tenant}/${oid}/${clientId}`).digest('base64url')
