/**
 * What an administrator would have set up: tenants, app registrations, people. All of it is handed in; nothing is added
 * but Microsoft's own resources, which every tenant has.
 */
import { createHash } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import { firstParty } from './first-party.ts'
import { refuse } from './refusals.ts'

export interface Tenant {
  /** GUID. */
  readonly id: string
  readonly name: string
  /** May stand in an authority instead of the GUID. */
  readonly domain?: string
}
export type RedirectKind = 'web' | 'spa' | 'native'
/** A permission in the manifest (`requiredResourceAccess`). */
export interface Permission {
  /** The client id of the API. */
  readonly resource: string
  readonly scopes?: readonly string[]
  readonly roles?: readonly string[]
  /** Without it people are asked for scopes, and roles are not given. */
  readonly adminConsent?: boolean
}
/** A federated credential: whoever shows a token of this issuer and subject is the app. */
export interface Federation {
  readonly issuer: string
  readonly subject: string
  readonly audience?: string
  readonly keys: JSONWebKeySet
}
export interface App {
  readonly clientId: string
  /** The home tenant. */
  readonly tenant: string
  readonly name: string
  readonly multiTenant?: boolean
  readonly redirectUris?: Readonly<Partial<Record<RedirectKind, readonly string[]>>>
  readonly secrets?: readonly string[]
  /** PEM. */
  readonly certificates?: readonly string[]
  readonly federations?: readonly Federation[]
  readonly permissions?: readonly Permission[]

  /** App ID URIs; `api://{clientId}` unless said otherwise. */
  readonly identifierUris?: readonly string[]
  /** `api.requestedAccessTokenVersion`; the format is chosen by the API, not by the endpoint. Null in a manifest means 1. */
  readonly tokenVersion?: 1 | 2
  readonly scopes?: readonly string[]
  readonly preauthorized?: readonly { readonly clientId: string; readonly scopes: readonly string[] }[]
  /** `groupMembershipClaims`: whether its tokens name groups, and how they say that there are too many. */
  readonly groupClaims?: 'sources' | 'hasgroups'
  readonly optionalClaims?: readonly ('idtyp' | 'xms_cc' | 'auth_time')[]
  /** Apps without a role get no token (they do otherwise, without `roles`). */
  readonly assignmentRequired?: boolean
  /** Takes part in continuous access evaluation: tokens for clients that declare `cp1` live 20 to 28 hours. */
  readonly continuousAccess?: boolean
}
export interface User {
  readonly tenant: string
  /** GUID. */
  readonly oid: string
  readonly name: string
  /** The user principal name. */
  readonly username: string
  readonly groups?: readonly string[]
  /** App roles by the client id of the API. */
  readonly roles?: Readonly<Record<string, readonly string[]>>
  /** Directory roles (template ids). */
  readonly wids?: readonly string[]
  /** A guest: the issuer of the home identity. */
  readonly idp?: string
}
export interface ManagedIdentity extends Pick<App, 'clientId' | 'tenant' | 'permissions'> {
  /** A system-assigned one is meant where no client id is given. */
  readonly kind: 'system' | 'user'
}

export interface Directory {
  readonly users: readonly User[]
  /** By GUID or domain; `common` and `organizations` are none. Throws AADSTS90002. */
  tenant(name: string): Tenant
  /** Throws AADSTS700016 where it is not known, or not at home in the tenant. */
  app(clientId: string, tenant?: Tenant): App
  /** Throws AADSTS500011. */
  resource(identifier: string, tenant?: Tenant): App
  user(tenant: string, oid: string): User | undefined
  named(username: string, tenant?: Tenant): User | undefined
}

export const isShared = (tenant: string): boolean => tenant === 'common' || tenant === 'organizations'

export function directory(tenants: readonly Tenant[], apps: readonly App[], users: readonly User[]): Directory {
  const resources = [...apps, ...firstParty]
  const isAtHome = (app: App, tenant?: Tenant): boolean => !tenant || app.multiTenant === true || app.tenant === tenant.id
  const has = (app: App, identifier: string): boolean =>
    app.clientId === identifier || identifiersOf(app).some((uri) => bare(uri) === bare(identifier))
  return {
    users,
    tenant: (name) => tenants.find(({ id, domain }) => id === name.toLowerCase() || domain === name) ?? refuse(90002, name),
    app: (clientId, tenant) =>
      apps.find((app) => app.clientId === clientId && isAtHome(app, tenant)) ??
      refuse(700016, clientId, tenant?.name ?? 'common'),
    resource: (identifier, tenant) =>
      resources.find((app) => has(app, identifier) && isAtHome(app, tenant)) ??
      refuse(500011, identifier, tenant?.name ?? 'common'),
    user: (tenant, oid) => users.find((user) => user.tenant === tenant && user.oid === oid),
    named: (username, tenant) =>
      users.find(
        (user) => user.username.toLowerCase() === username.trim().toLowerCase() && (!tenant || user.tenant === tenant.id),
      ),
  }
}

export const identifiersOf = ({ identifierUris, clientId }: App): readonly string[] => identifierUris ?? [`api://${clientId}`]
const bare = (uri: string): string => uri.replace(/\/$/, '')

/** The service principal of an app in a tenant has an object id of its own. */
export function servicePrincipalOf({ clientId }: Pick<App, 'clientId'>, tenant: string): string {
  const hex = createHash('sha256').update(`${tenant}/${clientId}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A registered address, where the port of a loopback one does not count (RFC 8252, 7.3); everything else is compared as text. */
export function redirectKindOf({ redirectUris = {} }: App, given: string): RedirectKind | undefined {
  const plain = withoutLoopbackPort(given)
  for (const kind of ['web', 'spa', 'native'] as const)
    if (redirectUris[kind]?.some((one) => one === given || (plain !== undefined && withoutLoopbackPort(one) === plain)))
      return kind
  return undefined
}

function withoutLoopbackPort(uri: string): string | undefined {
  const [, before, after = ''] =
    /^(http:\/\/(?:localhost|127\.0\.0\.1)|https:\/\/localhost)(?::\d+)?((?:\/[^?#]*)?)$/.exec(uri) ?? []
  return before === undefined ? undefined : before + (after === '/' ? '' : after)
}
