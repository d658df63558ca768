/**
 * Who has which role. A binding names one thing that was verified about a principal: its kind, its key, or what its token
 * says. Names and e-mail addresses are none of these: they change hands.
 */
import type { Principal } from '../pipeline/parcel.ts'
import type { Binding } from './schema.ts'

export interface Roles {
  readonly names: readonly string[]
  /** The same for the same roles. */
  readonly key: string
}

export const isBound = (binding: Binding, { kind, id, claims }: Principal): boolean => {
  if (binding.anonymous === true) return kind === 'anonymous' && id === 'anonymous'
  if (binding.apiKey !== undefined) return kind === 'api-key' && id === `key:${binding.apiKey}`
  if (claims === undefined) return false
  if (binding.user !== undefined) return id === binding.user
  if (binding.group !== undefined) return claims.groups.includes(binding.group)
  if (binding.appRole !== undefined) return claims.roles.includes(binding.appRole)
  if (binding.scope !== undefined) return claims.scopes.includes(binding.scope)
  if (binding.client !== undefined) return claims.client === binding.client
  return binding.tenant !== undefined && claims.tenant === binding.tenant
}

/** A verified principal is asked about many times, and its bindings are looked through once. */
export function roleFinder(bindings: readonly Binding[]): (principal: Principal) => Roles {
  const known = new WeakMap<Principal, Roles>()
  return (principal) => {
    let roles = known.get(principal)
    if (roles === undefined) {
      const names = [...new Set(bindings.filter((binding) => isBound(binding, principal)).map(({ role }) => role))]
      known.set(principal, (roles = Object.freeze({ names, key: names.join(' ') })))
    }
    return roles
  }
}
