import { isRawNumber } from './strict-json.ts'

/**
 * JSON Canonicalization Scheme (RFC 8785): sorted keys, no white space, one spelling for every value.
 * Deviation: a raw number (see strict-json.ts) is written as its source text, so that two different
 * numbers never share a digest. Members that are `undefined` are left out.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (isRawNumber(value)) return value.rawJSON
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.map(canonicalJson).join(',')}]`
  const members = value as Record<string, unknown>
  let text = ''
  for (const key of sortedKeys(members)) {
    const member = members[key]
    if (member === undefined) continue
    text += text === '' ? quoted(key) : `,${quoted(key)}`
    text += canonicalJson(member)
  }
  return `{${text}}`
}

/** By UTF-16 code units, as RFC 8785 wants and `<` compares. */
function sortedKeys(members: Record<string, unknown>): readonly string[] {
  const keys = Object.keys(members)
  for (let at = 1; at < keys.length; at++) if ((keys[at - 1] as string) > (keys[at] as string)) return keys.sort()
  return keys
}

/** Keys recur from message to message; a few are kept with their quotes and colon. */
const known = new Map<string, string>()
const knownMax = 2000

function quoted(key: string): string {
  let text = known.get(key)
  if (text === undefined) {
    text = `${JSON.stringify(key)}:`
    if (known.size < knownMax && key.length < 64) known.set(key, text)
  }
  return text
}
