/** The per-request `_meta` fields of 2026-07-28 (basic, General fields). */
import type { JsonObject } from '../../../lib/strict-json.ts'
import { isObject } from '../../json-rpc.ts'

const prefix = 'io.modelcontextprotocol/'
export const metaKeys = {
  protocolVersion: `${prefix}protocolVersion`,
  clientInfo: `${prefix}clientInfo`,
  clientCapabilities: `${prefix}clientCapabilities`,
  logLevel: `${prefix}logLevel`,
  subscriptionId: `${prefix}subscriptionId`,
  serverInfo: `${prefix}serverInfo`,
} as const

/** RFC 5424 severities, least severe first (2026-07-28, Logging). */
const logLevels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']
export const isLogLevel = (level: unknown): level is string => typeof level === 'string' && logLevels.includes(level)
/** True when a message of `level` may be sent to someone who asked for `asked` and above. */
export const isLoud = (level: unknown, asked: string): boolean =>
  typeof level === 'string' && logLevels.indexOf(level) >= logLevels.indexOf(asked)

export const metaOf = (params: JsonObject): JsonObject => (isObject(params['_meta']) ? params['_meta'] : {})

/** `params` without the fields that only a modern request has; `_meta` goes too when nothing is left in it. */
export function withoutEnvelope(params: JsonObject): JsonObject {
  const { _meta, ...rest } = params
  if (!isObject(_meta)) return params
  const kept = Object.fromEntries(Object.entries(_meta).filter(([key]) => !envelopeFields.has(key)))
  return Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept }
}
const envelopeFields: ReadonlySet<string> = new Set([
  metaKeys.protocolVersion,
  metaKeys.clientInfo,
  metaKeys.clientCapabilities,
  metaKeys.logLevel,
])

export const withMeta = (holder: JsonObject, fields: JsonObject): JsonObject => ({
  ...holder,
  _meta: { ...metaOf(holder), ...fields },
})
