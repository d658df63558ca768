/**
 * Schemas that hurt whoever works with them (JSON Schema 2020-12): references that are fetched, never end or multiply, patterns
 * that take for ever, and lists longer than a model's memory. Nothing is resolved but pointers within the schema.
 */
import { isRawNumber, type JsonObject } from '../../../lib/strict-json.ts'
import { isObject } from '../../../protocol/json-rpc.ts'
import { backtracks } from '../backtracks.ts'
import type { Family, Mark, Read } from '../finding.ts'
import { markAt } from '../finding.ts'
import { depthMax } from '../leaves.ts'
import { referencesOf } from '../references.ts'

const enumMax = 500
const propertiesMax = 300
const patternChars = 1000
const expandedMax = 100_000
const nodesMax = 100_000

function* ofDefinition({ definition }: Read): Generator<Mark> {
  for (const key of ['inputSchema', 'outputSchema'] as const) {
    const schema = definition.body[key]
    if (!isObject(schema)) continue
    yield* shapes(schema, `/${key}`)
    yield* references(schema, `/${key}`)
  }
}

interface Place {
  readonly value: unknown
  readonly path: string
  readonly depth: number
  /** The keys here are names of parameters and not words of JSON Schema. */
  readonly isNames: boolean
}

function* shapes(root: JsonObject, path: string): Generator<Mark> {
  const stack: Place[] = [{ value: root, path, depth: 0, isNames: false }]
  for (let nodes = 0, place = stack.pop(); place !== undefined && nodes < nodesMax; nodes++, place = stack.pop()) {
    const { value } = place
    if (typeof value !== 'object' || value === null || isRawNumber(value) || place.depth > depthMax) continue
    if (!Array.isArray(value) && !place.isNames) yield* keywords(value as JsonObject, place.path)
    for (const [key, member] of Object.entries(value)) {
      if (!place.isNames && (key === 'enum' || key === 'const' || key === 'default' || key === 'examples')) continue
      const below = `${place.path}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`
      stack.push({ value: member, path: below, depth: place.depth + 1, isNames: !place.isNames && naming.has(key) })
    }
  }
}
const naming = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])

function* keywords(schema: JsonObject, path: string): Generator<Mark> {
  const { enum: choices, properties, pattern, patternProperties, $ref, $dynamicRef, required, additionalProperties } = schema
  if (Array.isArray(choices) && choices.length > enumMax)
    yield markAt('trust/long-list', `${path}/enum`, `${choices.length} choices`)
  if (isObject(properties) && Object.keys(properties).length > propertiesMax)
    yield markAt('trust/long-list', `${path}/properties`, `${Object.keys(properties).length} parameters`)
  const patterns = [pattern, ...(isObject(patternProperties) ? Object.keys(patternProperties) : [])]
  for (const one of patterns) {
    if (typeof one !== 'string') continue
    if (one.length > patternChars || backtracks(one)) yield markAt('trust/slow-pattern', path)
  }
  if (typeof $ref === 'string' && !$ref.startsWith('#')) yield markAt('trust/remote-reference', `${path}/$ref`)
  if (typeof $dynamicRef === 'string' && !$dynamicRef.startsWith('#'))
    yield markAt('trust/remote-reference', `${path}/$dynamicRef`)
  if (additionalProperties === true && Array.isArray(required) && isObject(properties)) {
    const smuggled = required.filter((name) => typeof name === 'string' && !Object.hasOwn(properties, name))
    if (smuggled.length > 0) yield markAt('trust/undeclared-parameter', `${path}/required`, `${smuggled.length} of them`)
  }
}

function* references(schema: JsonObject, path: string): Generator<Mark> {
  const { loops, dangling, recursive, expanded } = referencesOf(schema)
  for (const place of loops.slice(0, 3)) yield markAt('trust/endless-reference', path + place)
  for (const place of dangling.slice(0, 3)) yield markAt('trust/dangling-reference', path + place)
  if (expanded > expandedMax)
    yield markAt(
      'trust/schema-bomb',
      path,
      `${expanded === Number.MAX_SAFE_INTEGER ? 'more than anybody can count' : expanded} parts when written out`,
    )
  else if (recursive.length > 0) yield markAt('trust/recursive-schema', path + recursive[0])
}

const row = (severity: 'high' | 'medium' | 'low' | 'info', says: string) =>
  ({ severity, says, owasp: 'MCP03', requirement: 'INJ-C7' }) as const

export const schemas: Family = {
  rows: {
    'trust/remote-reference': row(
      'high',
      'has a schema that refers to another document, which can change or be fetched from inside',
    ),
    'trust/endless-reference': row('high', 'has references in its schema that lead back to themselves'),
    'trust/schema-bomb': row('high', 'has a schema that grows beyond measure when its references are followed'),
    'trust/slow-pattern': row('medium', 'has a pattern that can take for ever'),
    'trust/long-list': row('medium', 'has a list in its schema that is longer than anybody reads'),
    'trust/undeclared-parameter': row('medium', 'requires a parameter that it does not describe'),
    'trust/dangling-reference': row('low', 'has a reference in its schema that leads nowhere'),
    'trust/recursive-schema': row('info', 'has a schema that contains itself'),
  },
  ofDefinition,
}
