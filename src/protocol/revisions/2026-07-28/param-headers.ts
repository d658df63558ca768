/** `x-mcp-header` in a tool's input schema (2026-07-28, Custom Headers from Tool Parameters). */
import type { JsonObject, JsonValue } from '../../../lib/strict-json.ts'
import { isObject } from '../../json-rpc.ts'

export interface Declaration {
  /** The part after `Mcp-Param-`, as declared. */
  readonly header: string
  /** Keys from the arguments' root to the value. */
  readonly path: readonly string[]
  readonly integer: boolean
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const primitives = ['string', 'integer', 'boolean']
const depthMax = 32

/** The declarations of a tool's `inputSchema`, or a sentence that says why the tool must be left out of the list. */
export function paramHeaders(inputSchema: JsonValue | undefined): readonly Declaration[] | string {
  const found: Declaration[] = []
  const fault = isObject(inputSchema) ? walk(inputSchema, [], true, found) : undefined
  if (fault !== undefined) return fault
  const names = new Set(found.map(({ header }) => header.toLowerCase()))
  return names.size === found.length ? found : 'two parameters claim the same x-mcp-header'
}

function walk(schema: JsonObject, path: readonly string[], reachable: boolean, found: Declaration[]): string | undefined {
  if (path.length > depthMax) return 'the schema is nested too deeply'
  if (Object.hasOwn(schema, 'x-mcp-header')) {
    const fault = declare(schema, path, reachable, found)
    if (fault !== undefined) return fault
  }
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'x-mcp-header' || key === 'default' || key === 'const' || key === 'enum' || key === 'examples') continue
    const fault =
      key === 'properties' && isObject(value) ? walkProperties(value, path, reachable, found) : walkOther(value, path, found)
    if (fault !== undefined) return fault
  }
  return undefined
}

function walkProperties(
  properties: JsonObject,
  path: readonly string[],
  reachable: boolean,
  found: Declaration[],
): string | undefined {
  for (const [name, schema] of Object.entries(properties)) {
    const fault = isObject(schema) ? walk(schema, [...path, name], reachable, found) : undefined
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Anything that is not `properties` breaks the chain: a declaration below it is invalid wherever it stands. */
function walkOther(value: JsonValue | undefined, path: readonly string[], found: Declaration[]): string | undefined {
  const children = Array.isArray(value) ? value : [value]
  for (const child of children) {
    const fault = isObject(child) ? walk(child, [...path, '*'], false, found) : undefined
    if (fault !== undefined) return fault
  }
  return undefined
}

function declare(schema: JsonObject, path: readonly string[], reachable: boolean, found: Declaration[]): string | undefined {
  const header = schema['x-mcp-header']
  const type = schema['type']
  if (!reachable || path.length === 0) return 'x-mcp-header stands where no chain of "properties" leads'
  if (typeof header !== 'string' || !token.test(header)) return 'x-mcp-header is not an HTTP token'
  if (typeof type !== 'string' || !primitives.includes(type))
    return 'x-mcp-header stands on a parameter that is not a string, integer or boolean'
  found.push({ header, path, integer: type === 'integer' })
  return undefined
}
