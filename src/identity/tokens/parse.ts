/**
 * The words of a signed token (RFC 7519 in JWS compact form, RFC 7515), read in one way only and within bounds. Nothing
 * has been verified at this point: what is read here only says which key to try.
 */
import { type JsonObject, type JsonValue, parseStrict } from '../../lib/strict-json.ts'
import { TokenRefused } from './fault.ts'

export interface UnverifiedToken {
  readonly text: string
  readonly header: JsonObject
  readonly payload: JsonObject
}

/** Entra tokens with 200 groups have 10 KB. */
const charsMax = 16_384
const depthMax = 16
const form = /^([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{2,})$/
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Throws {@link TokenRefused} for anything that two readers could read differently. */
export function parseToken(text: string): UnverifiedToken {
  if (text.length > charsMax) throw new TokenRefused('size')
  const [, header, payload] = form.exec(text) ?? []
  if (header === undefined || payload === undefined) throw new TokenRefused('malformed')
  return { text, header: part(header), payload: part(payload) }
}

function part(encoded: string): JsonObject {
  const bytes = Buffer.from(encoded, 'base64url')
  let value: JsonValue
  try {
    if (bytes.toString('base64url') !== encoded) throw new RangeError('spare bits')
    value = parseStrict(decoder.decode(bytes), depthMax)
  } catch {
    throw new TokenRefused('malformed')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TokenRefused('malformed')
  return value as JsonObject
}

export const stringIn = (object: JsonObject, name: string): string | undefined => {
  const value = object[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

export const numberIn = (object: JsonObject, name: string): number | undefined => {
  const value = object[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** A list of texts; anything else, and every other entry, is left out. */
export const stringsIn = (object: JsonObject, name: string): readonly string[] => {
  const value = object[name]
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []
}
