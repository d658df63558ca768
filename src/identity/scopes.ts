/**
 * Scopes are the classes of tools: reading, writing, and what cannot be undone. Entra has two spellings of each: in `scp` it
 * writes `mcp.read`, but a client has to ask for `api://…/mcp.read`, for a bare name is one of Graph's (AADSTS650053).
 */
import { type Class, classes } from '../protocol/methods.ts'
import type { IdentityConfig } from './schema.ts'

/** The scope that a token needs for a class of tool, as tokens have it; undefined where none is asked for. */
export function scopeForClass(identity: IdentityConfig, toolClass: Class): string | undefined {
  if (identity.mode === 'authorization-server') return `mcp:${toolClass}`
  if (identity.mode !== 'resource-server') return undefined
  const scope = identity.scopes[toolClass]
  return scope !== undefined && identity.provider.kind === 'entra' ? nameIn(scope) : scope
}

/** The same as clients have to ask for it. */
export function scopeInFull(identity: IdentityConfig, scope: string): string {
  if (identity.mode !== 'resource-server' || identity.provider.kind !== 'entra') return scope
  const written = Object.values(identity.scopes).find((one) => one.includes('/') && nameIn(one) === scope)
  const api = identity.audience.find((one) => one !== 'resource') ?? identity.provider.clientId
  if (written !== undefined || api === undefined) return written ?? scope
  return `${api.includes('://') ? api.replace(/\/$/, '') : `api://${api}`}/${scope}`
}

/** All that clients may ask for. */
export const scopesInFull = (identity: IdentityConfig): readonly string[] => [
  ...new Set(classes.flatMap((one) => scopeForClass(identity, one) ?? []).map((scope) => scopeInFull(identity, scope))),
]

const nameIn = (scope: string): string => scope.slice(scope.lastIndexOf('/') + 1)
