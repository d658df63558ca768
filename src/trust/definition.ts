/**
 * What a server says of itself to a model: each tool, prompt, resource and template, its instructions, and what it can do.
 * A definition is pinned by the SHA-256 of its canonical JSON (RFC 8785), so that an order of keys is no change and anything
 * else is one.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/canonical-json.ts'
import { isRawNumber, type JsonObject } from '../lib/strict-json.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import { entriesOf, entryName } from '../pipeline/parcel.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { nameFrom } from '../protocol/methods.ts'

export const definitionKinds = [
  'tool',
  'prompt',
  'resource',
  'template',
  'skill',
  'instructions',
  'capabilities',
  'about',
] as const
export type DefinitionKind = (typeof definitionKinds)[number]
/** The kinds that come in lists. The others come with the first answer of a server. */
export type ListedKind = Exclude<DefinitionKind, 'instructions' | 'capabilities' | 'about'>

export interface Definition {
  readonly kind: DefinitionKind
  /** As the server calls it; empty for what it has one of. */
  readonly name: string
  readonly body: JsonObject
}

/** Where the definitions of a kind are listed, and by which member of the result. */
export const lists: Readonly<Record<ListedKind, { readonly method: string; readonly items: string; readonly key: string }>> = {
  tool: { method: 'tools/list', items: 'tools', key: 'name' },
  prompt: { method: 'prompts/list', items: 'prompts', key: 'name' },
  resource: { method: 'resources/list', items: 'resources', key: 'uri' },
  template: { method: 'resources/templates/list', items: 'resourceTemplates', key: 'uriTemplate' },
  skill: { method: 'skills/list', items: 'skills', key: 'uri' },
}
/** What a server says that it has, where it has lists of a kind (2026-07-28, ServerCapabilities). */
export const capabilityOf: Readonly<Record<ListedKind, string>> = {
  tool: 'tools',
  prompt: 'prompts',
  resource: 'resources',
  template: 'resources',
  skill: 'extensions',
}
const kindOfMethod = new Map([
  ...Object.entries(lists).map(([kind, { method }]) => [method, kind as ListedKind] as const),
  ['resources/directory/read', 'resource'] as const,
])

/** The kind that a catalog lists, or undefined for one that is not a list of definitions. */
export const listedBy = (method: string): ListedKind | undefined => kindOfMethod.get(method)

/** What a server would say of a list that is another one now. */
export const changedNotice = (kind: ListedKind) =>
  `notifications/${kind === 'tool' ? 'tools' : kind === 'prompt' ? 'prompts' : 'resources'}/list_changed` as const

/** The SHA-256 of what is pinned, in base64url. */
export const digestOf = (definition: Definition): string =>
  createHash('sha256')
    .update(canonicalJson(pinned(definition)))
    .digest('base64url')

/** The size of a resource and when it was last written are facts about its content, and not about what it is. */
export function pinned({ kind, body }: Definition): JsonObject {
  if (kind !== 'resource') return body
  const { size: _, annotations, ...rest } = body
  if (!isObject(annotations) || annotations['lastModified'] === undefined)
    return annotations === undefined ? rest : { ...rest, annotations }
  const { lastModified: __, ...others } = annotations
  return { ...rest, annotations: others }
}

/** The definitions in one page of a list. */
export function listedIn(parcel: Parcel, kind: ListedKind): readonly Definition[] {
  return entriesOf(parcel).flatMap((body) => {
    const name = entryName(parcel, body)
    return name === undefined ? [] : [{ kind, name, body }]
  })
}

/** Those entries of a list that have a name to be decided about; the others reach nobody (policy/guard.ts). */
export const nameable = (kind: ListedKind, entries: readonly JsonObject[]): readonly JsonObject[] =>
  entries.filter((body) => nameFrom(body[lists[kind].key]) !== undefined)

/** Whether two values are the same JSON: what an equal digest says, without making one. Asked of every list that passes. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false
    for (let at = 0; at < one.length; at++) if (!isSameJson(one[at], other[at])) return false
    return true
  }
  if (Array.isArray(other)) return false
  const keys = Object.keys(one)
  if (keys.length !== Object.keys(other).length) return false
  for (const key of keys) {
    if (!Object.hasOwn(other, key) || !isSameJson((one as JsonObject)[key], (other as JsonObject)[key])) return false
  }
  // A raw number looks like an object that has its text.
  return keys[0] !== 'rawJSON' || isRawNumber(one) === isRawNumber(other)
}
