/** Which era a request belongs to, decided for each request by itself, and what a modern one must bring (2026-07-28 basic, versioning). */

import { charsOf } from '../lib/chars.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Origin } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { isObject, type Notification, type Request } from '../protocol/json-rpc.ts'
import type { MethodTable } from '../protocol/methods.ts'
import { type Headers, standardMismatch, withoutPadding } from '../protocol/revisions/2026-07-28/headers.ts'
import { isLogLevel, metaKeys, metaOf } from '../protocol/revisions/2026-07-28/meta.ts'
import { assumedVersion, isModernVersion, modernVersions, revisionOf } from '../protocol/revisions/index.ts'

type Call = Request | Notification
export type Sender = Pick<Origin, 'era' | 'version' | 'client' | 'capabilities' | 'logLevel'>

export function isModern(message: Call, headers: Headers): boolean {
  if (metaOf(message.params)[metaKeys.protocolVersion] !== undefined) return true
  return message.method !== 'initialize' && isModernVersion(headers['mcp-protocol-version'] ?? '')
}

/** What a modern request says of its sender. Throws for anything missing, malformed or contradictory. */
export function readModern(message: Call): Sender {
  const meta = metaOf(message.params)
  const version = meta[metaKeys.protocolVersion]
  const capabilities = meta[metaKeys.clientCapabilities]
  const client = meta[metaKeys.clientInfo]
  const logLevel = meta[metaKeys.logLevel]
  if (typeof version !== 'string') throw invalid(`_meta["${metaKeys.protocolVersion}"] is missing`)
  if (!modernVersions.includes(version)) throw new Refusal('UNSUPPORTED_VERSION', { requested: version })
  if (!isObject(capabilities)) throw invalid(`_meta["${metaKeys.clientCapabilities}"] is missing`)
  if (client !== undefined && !isObject(client)) throw invalid(`_meta["${metaKeys.clientInfo}"] is not an object`)
  if (logLevel !== undefined && !isLogLevel(logLevel)) throw invalid(`_meta["${metaKeys.logLevel}"] is not a log level`)
  short(metaKeys.clientInfo, client)
  short(metaKeys.clientCapabilities, capabilities)
  return { era: 'modern', version, client, capabilities, logLevel }
}

/** The headers of a modern HTTP request against its body. Throws HEADER_MISMATCH. */
export function checkHeaders(message: Call, headers: Headers, methods: MethodTable): void {
  const version = metaOf(message.params)[metaKeys.protocolVersion]
  const named = headers['mcp-protocol-version']
  if (named === undefined) throw mismatch('the MCP-Protocol-Version header is missing')
  if (version !== undefined && withoutPadding(named) !== version)
    throw mismatch('the MCP-Protocol-Version header is not the version in the body')
  if (message.kind === 'notification') return // this revision defines no headers for them
  const row = methods(message.method)
  const fault = standardMismatch(headers, message.method, row?.era === 'legacy' ? undefined : row, message.params)
  if (fault !== undefined) throw mismatch(fault)
}

/** The version of a legacy HTTP request after `initialize`. Throws INVALID_REQUEST for one we do not serve (2025-06-18). */
export function legacyVersion(headers: Headers): string {
  const named = headers['mcp-protocol-version']
  if (named === undefined) return assumedVersion
  const version = withoutPadding(named)
  if (revisionOf(version)?.era !== 'legacy')
    throw new Refusal('INVALID_REQUEST', { detail: 'the MCP-Protocol-Version header names no version served here' })
  return version
}

/** What a client says of itself is kept for as long as it is here, so it has to be short. Throws INVALID_PARAMS. */
function short(what: string, value: JsonObject | undefined): void {
  if (value !== undefined && charsOf(value, selfCharsMax) > selfCharsMax)
    throw invalid(`"${what}" has more than ${selfCharsMax} characters`)
}
const selfCharsMax = 65_536

export function clientFacts({ clientInfo, capabilities = {} }: JsonObject): Pick<Origin, 'client' | 'capabilities'> {
  const client = isObject(clientInfo) ? clientInfo : undefined
  const declared = isObject(capabilities) ? capabilities : {}
  short('clientInfo', client)
  short('capabilities', declared)
  return { client, capabilities: declared }
}

const invalid = (detail: string): Refusal => new Refusal('INVALID_PARAMS', { detail })
const mismatch = (detail: string): Refusal => new Refusal('HEADER_MISMATCH', { detail })
