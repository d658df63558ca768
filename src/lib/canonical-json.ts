import { isRawNumber } from './strict-json.ts'

/**
 * JSON Canonicalization Scheme (RFC 8785): sorted keys, no white space, one spelling for every value.
 * Deviation: a raw number (see strict-json.ts) is written as its source text, so that two different
 * numbers never share a digest. Members that are `undefined` are left out.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (isRawNumber(value)) return value.rawJSON
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = value as Record<string, unknown>
  let text = ''
  for (const key of Object.keys(members).sort()) {
    if (members[key] === undefined) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(members[key])}`
  }
  return `{${text}}`
}
