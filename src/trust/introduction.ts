/** What a server says of itself in its first answer (`initialize`, `server/discover`), as definitions, and without its words. */
import type { JsonObject } from '../lib/strict-json.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { metaKeys, metaOf } from '../protocol/revisions/2026-07-28/meta.ts'
import type { Definition } from './definition.ts'

export function introducedIn(body: JsonObject): readonly Definition[] {
  const { instructions, capabilities } = body
  const said: Definition[] = []
  if (typeof instructions === 'string' && instructions !== '')
    said.push({ kind: 'instructions', name: '', body: { instructions } })
  if (isObject(capabilities)) said.push({ kind: 'capabilities', name: '', body: { capabilities: capabilityNames(capabilities) } })
  const about = aboutItself(body)
  if (about !== undefined) said.push({ kind: 'about', name: '', body: about })
  return said
}

/** `tools`, `tools.listChanged`: what is on, whichever way a revision writes it. */
const capabilityNames = (capabilities: JsonObject): readonly string[] =>
  Object.entries(capabilities)
    .flatMap(([name, value]) => [
      name,
      ...(isObject(value) ? Object.entries(value).flatMap(([detail, on]) => (on === true ? [`${name}.${detail}`] : [])) : []),
    ])
    .sort()

/** A name as programs have them. Its version may change with every release, and is a word too. */
const isPlain = (value: unknown): boolean =>
  value === undefined || (typeof value === 'string' && /^[\w .@/+-]{0,64}$/.test(value))

/** Whatever else it says in words: titles, descriptions, addresses, and texts in its capabilities. Undefined where there is nothing. */
function aboutItself(body: JsonObject): JsonObject | undefined {
  const info = infoIn(body)
  const { name, version, ...rest } = info
  const odd = { ...(!isPlain(name) && { name }), ...(!isPlain(version) && { version }) }
  const capabilities = onlyTexts(body['capabilities'])
  const about = { ...rest, ...odd, ...(capabilities !== undefined && { capabilities }) }
  return Object.keys(about).length === 0 ? undefined : (about as JsonObject)
}

const infoIn = (body: JsonObject): JsonObject => {
  const info = body['serverInfo'] ?? metaOf(body)[metaKeys.serverInfo]
  return isObject(info) ? info : {}
}

/** What is left of a value when everything but its texts is taken away. */
function onlyTexts(value: unknown): unknown {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) {
    const texts = value.map(onlyTexts).filter((one) => one !== undefined)
    return texts.length === 0 ? undefined : texts
  }
  if (!isObject(value)) return undefined
  const texts = Object.entries(value).flatMap(([key, one]) => {
    const text = onlyTexts(one)
    return text === undefined ? [] : [[key, text] as const]
  })
  return texts.length === 0 ? undefined : Object.fromEntries(texts)
}

/** The first answer with nothing in it that a program does not need. */
export function withoutWords(body: JsonObject, what: { readonly instructions: boolean; readonly about: boolean }): JsonObject {
  const { instructions, ...silent } = body
  const rest = what.instructions ? silent : body
  if (!what.about) return rest
  const meta = metaOf(rest)
  const named = (info: unknown): JsonObject => {
    const { name, version } = isObject(info) ? info : {}
    return {
      name: isPlain(name) ? (name ?? 'unnamed') : 'unnamed',
      version: isPlain(version) ? (version ?? '0') : '0',
    } as JsonObject
  }
  return {
    ...rest,
    ...(rest['serverInfo'] !== undefined && { serverInfo: named(rest['serverInfo']) }),
    ...(meta[metaKeys.serverInfo] !== undefined && {
      _meta: { ...meta, [metaKeys.serverInfo]: named(meta[metaKeys.serverInfo]) },
    }),
    ...(rest['capabilities'] !== undefined && { capabilities: withoutTexts(rest['capabilities']) as JsonObject }),
  }
}

function withoutTexts(value: unknown): unknown {
  if (typeof value === 'string') return undefined
  if (Array.isArray(value)) return value.map(withoutTexts).filter((one) => one !== undefined)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => {
      const rest = withoutTexts(one)
      return rest === undefined ? [] : [[key, rest] as const]
    }),
  )
}
