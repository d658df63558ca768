/** Scopes are the classes of tools: reading, writing, and what cannot be undone. */
import type { Class } from '../protocol/methods.ts'
import type { IdentityConfig } from './schema.ts'

/** The scope that a token needs for a class of tool; undefined where none is asked for. */
export function scopeForClass(identity: IdentityConfig, toolClass: Class): string | undefined {
  if (identity.mode === 'authorization-server') return `mcp:${toolClass}`
  return identity.mode === 'resource-server' ? identity.scopes[toolClass] : undefined
}
