/**
 * Which scopes a client has for a person: agreed to by an administrator, pre-authorised by the API, or by the person. What
 * was agreed to once is not asked again; that silence is what a confused deputy is made of.
 */
import type { App, User } from './directory.ts'
import { graph } from './first-party.ts'
import type { Grants } from './grants.ts'
import { Refused } from './refusals.ts'
import { type Asked, openidScopes, type Scopes } from './scopes.ts'

/** What is not agreed to yet, for each resource. */
export interface Missing {
  readonly resource: App
  readonly names: readonly string[]
}

/** All scopes the client has on the resource. A token carries all of them, also when fewer were asked for. */
export function grantedScopes(grants: Grants, user: User, client: App, resource: App): ReadonlySet<string> {
  const permissions = client.permissions?.filter((one) => one.resource === resource.clientId && one.adminConsent === true) ?? []
  return new Set([
    ...permissions.flatMap(({ scopes = [] }) => scopes),
    ...(resource.preauthorized?.find(({ clientId }) => clientId === client.clientId)?.scopes ?? []),
    ...grants.consented(user, client, resource),
  ])
}

/** `.default` asks for what the manifest lists. */
const wantedOf = ({ asked, client }: { asked: Asked; client: App }): readonly string[] =>
  asked.isDefault
    ? (client.permissions ?? []).filter((one) => one.resource === asked.resource.clientId).flatMap(({ scopes = [] }) => scopes)
    : asked.names

export function missingConsent(grants: Grants, user: User, client: App, { openid, asked }: Scopes): readonly Missing[] {
  // Whom an administrator or the API trusts need not ask for "sign you in" on top.
  const isTrusted = client.permissions?.some((one) => one.adminConsent === true && one.scopes?.length) === true
  const isKnown = asked.some(({ resource }) => resource.preauthorized?.some(({ clientId }) => clientId === client.clientId))
  const wanted = new Map<App, readonly string[]>([[graph, isTrusted || isKnown ? [] : [...openid]]])
  for (const one of asked) {
    const names = wantedOf({ asked: one, client }).filter((name) => !openidScopes.has(name))
    wanted.set(one.resource, [...(wanted.get(one.resource) ?? []), ...names])
  }
  return [...wanted]
    .map(([resource, names]) => {
      const granted = grantedScopes(grants, user, client, resource)
      return { resource, names: names.filter((name) => !granted.has(name)) }
    })
    .filter(({ names }) => names.length > 0)
}

/** For a token endpoint, where nobody can be asked. Throws AADSTS65001. */
export function scopesFor(grants: Grants, user: User, client: App, asked: Asked): readonly string[] {
  const granted = grantedScopes(grants, user, client, asked.resource)
  const wanted = wantedOf({ asked, client })
  const isMissing = wanted.some((name) => !granted.has(name) && !openidScopes.has(name))
  if (isMissing || granted.size + wanted.length === 0) throw new Refused(65001, [client.clientId, client.name])
  return [...new Set([...granted, ...wanted])]
}
