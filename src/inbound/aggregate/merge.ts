/** What several servers answered, as the answer of one. Entries keep the order of the configuration, then the server's own. */

import type { JsonObject, JsonValue } from '../../lib/strict-json.ts'
import { implementation } from '../../lib/version.ts'
import { isObject } from '../../protocol/json-rpc.ts'
import { metaKeys } from '../../protocol/revisions/2026-07-28/meta.ts'
import type { Names } from './names.ts'
import { entryPlaces, type List } from './places.ts'
import { prefixed } from './rename.ts'
import { allSaid } from './voices.ts'

export interface Part {
  readonly server: string
  readonly body: JsonObject
}

export function mergedList(names: Names, list: List, parts: readonly Part[], modern: boolean): JsonObject {
  const entries = parts.flatMap(({ server, body }) => {
    const items = prefixed(names, server, body, entryPlaces(list))[list.items]
    return Array.isArray(items) ? items : []
  })
  return { ...(modern && { resultType: 'complete', ttlMs: leastTtl(parts), cacheScope: 'private' }), [list.items]: entries }
}

/** `server/discover` and `initialize`: what any server can do, and who says which instructions. */
export function mergedHandshake(parts: readonly Part[], protocolVersion: string, modern: boolean): JsonObject {
  const capabilities = parts
    .map(({ body }) => body['capabilities'])
    .filter(isObject)
    .reduce<JsonObject>(united, {})
  const instructions = allSaid(
    parts.flatMap(({ server, body: { instructions: words } }) => (typeof words === 'string' ? [{ server, words }] : [])),
  )
  const said = instructions === '' ? {} : { instructions }
  if (!modern) return { protocolVersion, capabilities, serverInfo: implementation, ...said }
  const supportedVersions = [protocolVersion]
  return {
    resultType: 'complete',
    supportedVersions,
    capabilities,
    ...said,
    ttlMs: leastTtl(parts),
    cacheScope: 'private',
    _meta: { [metaKeys.serverInfo]: implementation },
  }
}

/** What one server has (a capability, a subscription), the whole has. */
export function united(left: JsonObject, right: JsonObject): JsonObject {
  const all: Record<string, JsonValue | undefined> = { ...left }
  for (const [key, value] of Object.entries(right)) {
    const present = all[key]
    if (isObject(present) && isObject(value)) all[key] = united(present, value)
    else if (Array.isArray(present) && Array.isArray(value)) all[key] = [...present, ...value]
    else if (present !== true) all[key] = value
  }
  return all
}

function leastTtl(parts: readonly Part[]): number {
  const ttls = parts.map(({ body }) => body['ttlMs']).filter((ttl): ttl is number => typeof ttl === 'number' && ttl >= 0)
  return ttls.length === parts.length && ttls.length > 0 ? Math.min(...ttls) : 0
}
