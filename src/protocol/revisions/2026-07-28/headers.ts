/**
 * The header codec of 2026-07-28 (Streamable HTTP, Request Metadata; SEP-2243): what an HTTP header says of the body, and
 * how a value is written so that it survives a header. Pure functions; a mismatch is a sentence, or undefined.
 */
import { isRawNumber, type JsonObject, type JsonValue } from '../../../lib/strict-json.ts'
import { type Method, subjectOf } from '../../methods.ts'
import type { Declaration } from './param-headers.ts'

const open = '=?base64?'
const close = '?='
const looksEncoded = (text: string): boolean =>
  text.startsWith(open) && text.endsWith(close) && text.length >= open.length + close.length
const isPlain = (text: string): boolean => /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/.test(text)

/** A header value for `text`: itself where it is plain visible ASCII, else the Base64 sentinel form. */
export function encodeHeader(text: string): string {
  return isPlain(text) && !looksEncoded(text) ? text : `${open}${Buffer.from(text, 'utf8').toString('base64')}${close}`
}

/** What surrounds a value belongs to the header (RFC 9110, 5.6.3): spaces and tabs, and no other white space. */
export const withoutPadding = (value: string): string => value.replace(/^[ \t]+/, '').replace(/(?<![ \t])[ \t]+$/, '')

/** The text that a header value stands for, or undefined for invalid characters, bad Base64 or bad UTF-8. */
export function decodeHeader(value: string): string | undefined {
  const trimmed = withoutPadding(value)
  if (trimmed !== '' && !isPlain(trimmed)) return undefined
  if (!looksEncoded(trimmed)) return trimmed
  const payload = trimmed.slice(open.length, -close.length)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(payload) || payload.length % 4 !== 0) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(payload, 'base64'))
  } catch {
    return undefined
  }
}

/** Lower-case names; a header that came twice is joined with ', ' as node:http and Fetch do. */
export type Headers = Readonly<Record<string, string | undefined>>

/** The header that stands for a parameter's value; undefined where none is to be sent (absent, null, not a primitive). */
export function headerText(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return String(value)
  return isRawNumber(value) ? value.rawJSON : undefined
}

/** Compares `Mcp-Method` and `Mcp-Name` with the body. Returns what is wrong, or undefined. */
export function standardMismatch(
  headers: Headers,
  methodName: string,
  method: Method | undefined,
  params: JsonObject,
): string | undefined {
  const named = headers['mcp-method']
  if (named === undefined) return 'the Mcp-Method header is missing'
  if (withoutPadding(named) !== methodName) return 'the Mcp-Method header is not the method in the body'
  if (method?.nameHeader === undefined) return undefined
  const subject = subjectOf(method, params)
  if (subject === undefined) return undefined // the parameters themselves are refused later, with a better sentence
  const header = headers['mcp-name']
  if (header === undefined) return 'the Mcp-Name header is missing'
  const name = decodeHeader(header)
  if (name === undefined) return 'the Mcp-Name header has invalid characters or invalid Base64'
  return name === subject ? undefined : `the Mcp-Name header is not "${method.nameHeader}" in the body`
}

/** Compares the declared `Mcp-Param-*` headers with the arguments. Returns what is wrong, or undefined. */
export function paramMismatch(headers: Headers, declared: readonly Declaration[], args: JsonObject): string | undefined {
  for (const { header, path, integer } of declared) {
    const wanted = headerText(valueAt(args, path))
    const given = headers[`mcp-param-${header.toLowerCase()}`]
    if (given === undefined && wanted === undefined) continue
    if (given === undefined) return `the Mcp-Param-${header} header is missing`
    const value = decodeHeader(given)
    if (value === undefined) return `the Mcp-Param-${header} header has invalid characters or invalid Base64`
    const equal = wanted !== undefined && (value === wanted || (integer && sameNumber(value, wanted)))
    if (!equal) return `the Mcp-Param-${header} header is not "${path.join('.')}" in the arguments`
  }
  return undefined
}

/** `42.0` is 42 (Server Validation); without rounding, so that two large numbers are not taken for one. */
function sameNumber(one: string, two: string): boolean {
  const number = normalForm(one)
  return number !== undefined && number === normalForm(two)
}

const numberCharsMax = 400

/** A JSON number as sign, digits without zeros at either end, and a power of ten. Undefined for what is none, or very long. */
function normalForm(text: string): string | undefined {
  const [, sign = '', whole, fraction = '', exponent = '0'] = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  if (whole === undefined || text.length > numberCharsMax || Math.abs(Number(exponent)) > 999) return undefined
  const digits = whole + fraction
  const kept = digits.replace(/0+$/, '')
  const bare = kept.replace(/^0+/, '')
  return bare === '' ? '0' : `${sign}${bare}e${Number(exponent) - fraction.length + digits.length - kept.length}`
}

/** The value at a declared parameter's exact path, own properties only. */
function valueAt(args: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return undefined
    value = (value as JsonObject)[key]
  }
  return value
}

/** The headers of an outgoing request, all derived from the message that was judged. */
export function requestHeaders(
  version: string,
  methodName: string,
  method: Method | undefined,
  params: JsonObject,
  declared: readonly Declaration[],
): Record<string, string> {
  const headers: Record<string, string> = { 'mcp-protocol-version': version, 'mcp-method': methodName }
  const subject = method?.nameHeader === undefined ? undefined : subjectOf(method, params)
  if (subject !== undefined) headers['mcp-name'] = encodeHeader(subject)
  const args = params['arguments']
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return headers
  for (const { header, path } of declared) {
    const text = headerText(valueAt(args as JsonObject, path))
    if (text !== undefined) headers[`mcp-param-${header.toLowerCase()}`] = encodeHeader(text)
  }
  return headers
}
