/** The configuration as JSON Schema: for editors, for the published reference, and to say which keys there are. */
import { z } from 'zod'
import type { Path } from './problem.ts'
import { configSchema } from './schema.ts'

interface Node {
  readonly properties?: Readonly<Record<string, Node>>
  readonly propertyNames?: { readonly enum?: readonly string[] }
  readonly additionalProperties?: Node | boolean
  readonly items?: Node | boolean
  readonly oneOf?: readonly Node[]
  readonly anyOf?: readonly Node[]
  readonly const?: unknown
  readonly description?: string
  readonly examples?: readonly unknown[]
}

let made: Node | undefined

/** JSON Schema 2020-12 of the document, as it is written (before defaults). */
export function configJsonSchema(): object {
  made ??= { title: 'sekisho.yaml', ...z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) } as Node
  return made
}

/** The keys that may stand at `path`; with the document, those that fit the alternative that was chosen there. */
export const knownKeys = (path: Path, root?: unknown): readonly string[] => [
  ...new Set(
    nodesAt(path, root).flatMap(({ properties = {}, propertyNames }) => [
      ...Object.keys(properties),
      ...(propertyNames?.enum ?? []),
    ]),
  ),
]

/** The alternatives at `path` that have `key`, by the word that chooses each: `mode: api-keys`. */
export function homesOf(path: Path, key: string): readonly string[] {
  const homes = nodesAt(path).flatMap(({ properties = {} }) => (Object.hasOwn(properties, key) ? Object.entries(properties) : []))
  return [...new Set(homes.flatMap(([name, { const: word }]) => (typeof word === 'string' ? [`${name}: ${word}`] : [])))]
}

/** What is meant to stand at `path`, where the schema says so. */
export function meaningAt(path: Path, root: unknown): { readonly description?: string; readonly example?: string } {
  const nodes = nodesAt(path, root)
  const description = nodes.find((node) => node.description !== undefined)?.description
  const example = nodes.flatMap(({ examples = [] }) => examples)[0]
  return { ...(description !== undefined && { description }), ...(typeof example === 'string' && { example }) }
}

/** With no document, every alternative. */
function nodesAt(path: Path, root?: unknown): Node[] {
  let value = root
  let nodes = alternatives(configJsonSchema() as Node, value)
  for (const part of path) {
    value = typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[part] : undefined
    nodes = nodes.flatMap((node) => below(node, part)).flatMap((node) => alternatives(node, value))
  }
  return nodes
}

function below(node: Node, part: string | number): Node[] {
  const child = typeof part === 'number' ? node.items : (node.properties?.[part] ?? node.additionalProperties)
  return typeof child === 'object' ? [child] : []
}
const alternatives = (node: Node, value: unknown): Node[] => [
  node,
  ...(node.oneOf ?? []).filter((one) => isChosen(one, value)),
  ...(node.anyOf ?? []),
]
/** Unless the value says that it is another one. */
const isChosen = ({ properties = {} }: Node, value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  Object.entries(properties).every(
    ([name, { const: word }]) => word === undefined || !(name in value) || (value as Record<string, unknown>)[name] === word,
  )
