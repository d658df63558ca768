/** The configuration as JSON Schema: for editors, for the published reference, and to say which keys there are. */
import { z } from 'zod'
import type { Path } from './problem.ts'
import { configSchema } from './schema.ts'

interface Node {
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
  readonly items?: Node | boolean
  readonly oneOf?: readonly Node[]
  readonly anyOf?: readonly Node[]
}

let made: Node | undefined

/** JSON Schema 2020-12 of the document, as it is written (before defaults). */
export function configJsonSchema(): object {
  made ??= { title: 'sekisho.yaml', ...z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) } as Node
  return made
}

/** The keys that may stand at `path`. */
export function knownKeys(path: Path): readonly string[] {
  let nodes: Node[] = [configJsonSchema() as Node]
  for (const part of path) nodes = nodes.flatMap((node) => below(node, part)).flatMap(alternatives)
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))]
}

function below(node: Node, part: string | number): Node[] {
  const child = typeof part === 'number' ? node.items : (node.properties?.[part] ?? node.additionalProperties)
  return typeof child === 'object' ? [child] : []
}
const alternatives = (node: Node): Node[] => [node, ...(node.oneOf ?? []), ...(node.anyOf ?? [])]
