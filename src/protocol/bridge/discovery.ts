/** `initialize` and `server/discover` say the same things: each as the other (architecture: bridging between the eras). */
import type { JsonObject } from '../../lib/strict-json.ts'
import { isObject } from '../json-rpc.ts'
import { metaKeys, metaOf } from '../revisions/2026-07-28/meta.ts'

/** Capabilities of which no half may be advertised: the legacy vocabulary of tasks is not the modern one (SEP-2663). */
function acrossEras(capabilities: JsonObject): JsonObject {
  const { tasks: _tasks, ...rest } = capabilities
  return rest
}

/** A DiscoverResult from a legacy server's InitializeResult. */
export function discoverFromInitialize(initialized: JsonObject, supportedVersions: readonly string[]): JsonObject {
  const { capabilities, serverInfo, instructions } = initialized
  return {
    resultType: 'complete',
    supportedVersions: [...supportedVersions],
    capabilities: acrossEras(isObject(capabilities) ? capabilities : {}),
    ...(typeof instructions === 'string' && { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    ...(isObject(serverInfo) && { _meta: { [metaKeys.serverInfo]: serverInfo } }),
  }
}

/** An InitializeResult from a modern server's DiscoverResult. */
export function initializeFromDiscover(discovered: JsonObject, protocolVersion: string): JsonObject {
  const { capabilities, instructions } = discovered
  const serverInfo = metaOf(discovered)[metaKeys.serverInfo]
  const { extensions: _extensions, ...legacy } = isObject(capabilities) ? capabilities : {}
  return {
    protocolVersion,
    capabilities: { ...legacy, logging: {} },
    serverInfo: isObject(serverInfo) ? serverInfo : { name: 'unnamed', version: '0' },
    ...(typeof instructions === 'string' && { instructions }),
  }
}
