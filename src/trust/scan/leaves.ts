/**
 * Every string of a definition, keys included, since a model reads them all. The walk is iterative and bounded; what it
 * did not read it says, because text that nobody read is where an attack would be.
 */
import { isRawNumber, type JsonObject } from '../../lib/strict-json.ts'
import type { DefinitionKind } from '../definition.ts'
import { type Reading, readingOf } from './reading.ts'

/** What a text is for. A sentence is at home in prose; in a name or a value it is out of place. */
export type Role = 'name' | 'key' | 'prose' | 'value' | 'pattern' | 'uri'

export interface Leaf {
  readonly path: string
  readonly text: string
  readonly role: Role
  /** The text as a model takes it in; made when first asked for. */
  readonly reading: Reading
}

export interface Leaves {
  readonly leaves: readonly Leaf[]
  /** Where the walk stopped, and why. */
  readonly unread: readonly { readonly path: string; readonly why: 'depth' | 'breadth' | 'length' }[]
  readonly depth: number
  readonly nodes: number
}

export const depthMax = 64
export const nodesMax = 100_000
/** Of all texts of one definition together. */
export const charsMax = 1_000_000

const prose = new Set(['description', 'title', 'instructions', '$comment', 'text', 'summary', 'markdownDescription'])
const uris = new Set(['uri', 'uriTemplate', 'src', 'websiteUrl', '$ref', '$id', '$schema', 'url', 'href'])
const values = new Set(['default', 'const', 'enum', 'example', 'examples', 'enumNames', 'required'])
/** Words of MCP and JSON Schema, which no server chose. */
const ownWords = new Set(
  `name title description inputSchema outputSchema annotations icons _meta execution taskSupport arguments required
  readOnlyHint destructiveHint idempotentHint openWorldHint uri uriTemplate mimeType size audience priority lastModified src
  sizes theme type properties items prefixItems additionalProperties patternProperties propertyNames enum const default
  example examples format pattern minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems
  uniqueItems minProperties maxProperties multipleOf anyOf oneOf allOf not if then else $ref $defs definitions $schema $id
  $comment $anchor contains minContains maxContains dependentRequired dependentSchemas unevaluatedProperties
  unevaluatedItems nullable deprecated readOnly writeOnly instructions contentEncoding contentMediaType enumNames`.split(/\s+/),
)
/** Under these, the keys are names that a server chose, also when they look like words of ours. */
const naming = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', '_meta'])

interface Visit {
  readonly value: unknown
  readonly path: string
  readonly key: string
  readonly depth: number
  /** Below a value everything is value. */
  readonly isValue: boolean
  /** The keys here are names that the server chose. */
  readonly isNaming: boolean
}

/** A tool or prompt is called by its name; a resource has an address, and a name for people to read. */
export function leavesOf(body: JsonObject, kind: DefinitionKind): Leaves {
  const nameRole = kind === 'tool' || kind === 'prompt' ? 'name' : 'prose'
  const leaves: Leaf[] = []
  const unread: { path: string; why: 'depth' | 'breadth' | 'length' }[] = []
  let [chars, nodes, deepest] = [0, 0, 0]
  const add = (path: string, text: string, role: Role): void => {
    if (text === '' || chars >= charsMax) return
    leaves.push(leaf(path, text.slice(0, charsMax - chars), role))
    chars += text.length
    if (chars > charsMax) unread.push({ path, why: 'length' })
  }
  const stack: Visit[] = [{ value: body, path: '', key: '', depth: 0, isValue: false, isNaming: false }]
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { value, path, key, depth } = visit
    if (chars > charsMax) break
    if (++nodes > nodesMax) {
      unread.push({ path, why: 'breadth' })
      break
    }
    deepest = Math.max(deepest, depth)
    if (typeof value === 'string')
      add(path, value, visit.isValue ? 'value' : key === 'name' && depth === 1 ? nameRole : roleOf(key))
    if (typeof value !== 'object' || value === null || isRawNumber(value)) continue
    if (depth >= depthMax) {
      if (unread.every(({ why }) => why !== 'depth')) unread.push({ path, why: 'depth' })
      continue
    }
    const isList = Array.isArray(value)
    const children: Visit[] = []
    let count = 0
    for (const [name, member] of Object.entries(value)) {
      if (++count > nodesMax) break
      const below = `${path}/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`
      if (!isList && (visit.isNaming || visit.isValue || !ownWords.has(name))) add(`${below}#`, name, 'key')
      const isValue = visit.isValue || (!visit.isNaming && values.has(name))
      const isNaming = !isList && !visit.isNaming && naming.has(name)
      const named = isList ? key : visit.isNaming ? '' : name
      children.push({ value: member, path: below, key: named, depth: depth + 1, isValue, isNaming })
    }
    for (let at = children.length - 1; at >= 0; at--) stack.push(children[at] as Visit)
  }
  return { leaves, unread, depth: deepest, nodes }
}

function roleOf(key: string): Role {
  if (key === 'name') return 'key'
  if (prose.has(key)) return 'prose'
  if (uris.has(key)) return 'uri'
  return key === 'pattern' ? 'pattern' : 'value'
}

/** A text found somewhere. */
export function leaf(path: string, text: string, role: Role): Leaf {
  let reading: Reading | undefined
  return {
    path,
    text,
    role,
    get reading() {
      reading ??= readingOf(text)
      return reading
    },
  }
}
