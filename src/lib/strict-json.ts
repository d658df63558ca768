/**
 * JSON that can be read in one way only (RFC 8259 with the ambiguities refused; I-JSON, RFC 7493, in spirit).
 *
 * A gateway that reads `{"name":"a","name":"b"}` differently from the server behind it judges one call and sends
 * another (GHSA-4gph-2hhr-5mwg). So duplicate keys and `__proto__` are refused anywhere, depth is bounded, and a number
 * whose text JavaScript would change (`1.0`, `12345678901234567890`) is kept as `JSON.rawJSON`.
 *
 * Cost: `JSON.parse`, one linear scan of the text and one walk of the tree. Duplicates are found by counting: a key
 * that overwrites another is in the text but not in the tree.
 */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined
}

export type JsonFault = 'syntax' | 'duplicate-key' | 'depth' | 'forbidden-key' | 'encoding'

export class JsonRefused extends Error {
  override readonly name = 'JsonRefused'
  readonly fault: JsonFault
  constructor(fault: JsonFault, message: string) {
    super(message)
    this.fault = fault
  }
}

interface RawJson {
  readonly rawJSON: string
}
const json = JSON as unknown as {
  rawJSON(text: string): JsonValue
  isRawJSON(value: unknown): boolean
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): JsonValue
}

/** True for a number kept as its source text because a JavaScript number would not give that text back. */
export const isRawNumber = (value: unknown): value is RawJson =>
  typeof value === 'object' && value !== null && json.isRawJSON(value)

/** Parses `text`, at most `depthMax` levels deep. Throws {@link JsonRefused}. */
export function parseStrict(text: string, depthMax = 64): JsonValue {
  const { keys, inexact } = scan(text, depthMax)
  let value: JsonValue
  try {
    value = inexact ? json.parse(text, keepSource) : JSON.parse(text)
  } catch (error) {
    throw new JsonRefused('syntax', error instanceof Error ? error.message : 'not JSON')
  }
  if (countKeys(value) !== keys) throw new JsonRefused('duplicate-key', 'an object has the same key twice')
  return value
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

function scan(text: string, depthMax: number): { keys: number; inexact: boolean } {
  let depth = 0
  let keys = 0
  let inexact = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === 0x3a) keys++
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > depthMax) throw new JsonRefused('depth', `nested more than ${depthMax} levels deep`)
    } else if (code === 0x7d || code === 0x5d) depth--
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const start = at
      while (isNumberCode(text.charCodeAt(at + 1))) at++
      inexact ||= !survives(text, start, at + 1)
    }
  }
  return { keys, inexact }
}

function endOfString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1)
  while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1)
  return close === -1 ? text.length : close
}

function isEscaped(text: string, quote: number): boolean {
  let at = quote
  while (text.charCodeAt(at - 1) === BACKSLASH) at--
  return (quote - at) % 2 === 1
}

const isNumberCode = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2b || code === 0x2d || code === 0x45 || code === 0x65

function survives(text: string, start: number, end: number): boolean {
  const token = text.slice(start, end)
  return String(Number(token)) === token
}

const keepSource = (_key: string, value: unknown, context: { source?: string }): unknown =>
  typeof value === 'number' && context.source !== undefined && String(value) !== context.source
    ? json.rawJSON(context.source)
    : value

function countKeys(value: JsonValue): number {
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countKeys(item)
    return count
  }
  for (const key in value as JsonObject) {
    if (key === '__proto__') throw new JsonRefused('forbidden-key', 'the key "__proto__" is never accepted')
    if (!key.isWellFormed())
      throw new JsonRefused('encoding', 'a key has half a surrogate pair, which readers replace each in their own way')
    count++
    const member = (value as JsonObject)[key]
    if (typeof member === 'object') count += countKeys(member as JsonValue)
  }
  return count
}
