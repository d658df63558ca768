/**
 * What a `scope` asks for. A scope is `{resource}/{name}`; one without a resource means Microsoft Graph, which is where bare
 * names of other people's APIs end (AADSTS650053). The `resource` parameter of RFC 8707 is not how Entra wants it.
 */
import { type App, type Directory, identifiersOf, type Tenant } from './directory.ts'
import { graph } from './first-party.ts'
import { refuse } from './refusals.ts'

export interface Asked {
  readonly resource: App
  /** The resource as the caller wrote it: the audience of a v1 token. */
  readonly identifier: string
  /** Short names. */
  readonly names: readonly string[]
  /** `.default`: whatever was agreed before. */
  readonly isDefault: boolean
}
export interface Scopes {
  /** openid, profile, email, offline_access. */
  readonly openid: ReadonlySet<string>
  /** One for each resource, in order. */
  readonly asked: readonly Asked[]
}
/** How `resource` is answered: until 2025 it was refused (901002), since 2026 it has to match the scopes (9010010). */
export type ResourceParameter = 'unsupported' | 'must-match'

export const openidScopes: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'offline_access'])

/** Throws AADSTS500011, 650053 and 70011. */
export function readScopes(text: string, client: App, directory: Directory, tenant: Tenant | undefined): Scopes {
  const openid = new Set<string>()
  const byResource = new Map<string, { identifier: string; resource: App; names: string[] }>()
  for (const scope of text.split(' ').filter((one) => one !== '')) {
    if (openidScopes.has(scope)) {
      openid.add(scope)
      continue
    }
    const slash = scope.lastIndexOf('/')
    const [identifier, name] =
      slash <= 0 ? [identifiersOf(graph)[0] as string, scope] : [scope.slice(0, slash), scope.slice(slash + 1)]
    const resource = directory.resource(identifier, tenant)
    if (name !== '.default' && !resource.scopes?.includes(name)) refuse(650053, client.name, name, resource.clientId)
    const one = byResource.get(resource.clientId) ?? { identifier, resource, names: [] }
    one.names.push(name)
    byResource.set(resource.clientId, one)
  }
  const asked = [...byResource.values()].map(({ names, ...rest }) => {
    const isDefault = names.includes('.default')
    if (isDefault && names.length > 1) refuse(70011, `${text}: .default scope can't be combined with resource-specific scopes`)
    return { ...rest, isDefault, names: isDefault ? [] : names }
  })
  if (asked.length === 0)
    asked.push({ identifier: identifiersOf(graph)[0] as string, resource: graph, names: [...openid], isDefault: false })
  return { openid, asked }
}

/** Of a token endpoint: one access token is for one resource. Throws AADSTS28000. */
export function onlyResource({ asked }: Scopes, text: string): Asked {
  if (asked.length !== 1) refuse(28000, text)
  return asked[0] as Asked
}

/** Throws AADSTS901002 or 9010010. */
export function checkResourceParameter(values: readonly string[], asked: readonly Asked[], mode: ResourceParameter): void {
  if (values.length === 0) return
  if (mode === 'unsupported') refuse(901002)
  if (values.length > 1) refuse(9000411, 'resource')
  const fits = ({ resource, identifier }: Asked): boolean => values[0] === identifier || values[0] === resource.clientId
  if (!asked.every(fits)) refuse(9010010)
}

/** As the answer of a token endpoint lists them. */
export const spelled = (asked: Asked, granted: readonly string[]): string =>
  [
    ...granted.map((name) => (openidScopes.has(name) ? name : `${asked.identifier}/${name}`)),
    ...(asked.isDefault ? [`${asked.identifier}/.default`] : []),
  ].join(' ')
