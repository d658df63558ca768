/** JSON with comments and trailing commas, as editors write their settings (RFC 8259 otherwise), with the place of every value. */
import { type Node as JsonNode, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import { depthMax, type Node, plainOf, type Tree, Unreadable } from './tree.ts'

export function readJsonc(text: string): Tree {
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error !== undefined || tree === undefined) {
    const what =
      error === undefined ? 'it is empty' : printParseErrorCode(error.error).replace(/(?<=.)[A-Z]/g, (sign) => ` ${sign}`)
    throw new Unreadable(what.toLowerCase(), error?.offset ?? 0)
  }
  const root = nodeOf(tree, 0)
  return { format: 'json', text, root, plain: plainOf(root) }
}

function nodeOf({ type, offset: start, length, value, children = [] }: JsonNode, depth: number): Node {
  if (depth > depthMax) throw new Unreadable(`it is nested more than ${depthMax} levels deep`, start)
  const end = start + length
  if (type === 'array')
    return {
      kind: 'list',
      block: false,
      start,
      end,
      items: children.map((item) => ({ lead: item.offset, node: nodeOf(item, depth + 1) })),
    }
  if (type !== 'object') return { kind: 'scalar', start, end, value: value as unknown }
  // Every property of a tree without errors has a key and a value.
  const members = children.map(({ children: [key, member] = [] }) => ({
    key: String(key?.value),
    start: key?.offset ?? start,
    prefix: '',
    value: nodeOf(member as JsonNode, depth + 1),
  }))
  return { kind: 'map', block: false, start, end, members }
}
