/** YAML 1.2 with the place of every value. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, Scalar, type Node as YamlNode } from 'yaml'
import { depthMax, type Item, type Member, type Node, plain, type Tree, Unreadable } from './tree.ts'

export function readYaml(text: string): Tree {
  const [document, second] = parseAllDocuments(text, {
    keepSourceTokens: true,
    lineCounter: new LineCounter(),
    prettyErrors: false,
    uniqueKeys: false, // looks for each key among all; see nodeOf
  })
  if (document === undefined || !('contents' in document)) return { format: 'yaml', text, plain: null, root: scalar(0, 0, null) }
  const [error] = document.errors
  if (error !== undefined) throw new Unreadable(error.code.toLowerCase().replaceAll('_', ' '), error.pos[0])
  if (second !== undefined) throw new Unreadable('it holds more than one document', second.range[0])
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch {
    throw new Unreadable('its aliases cannot be followed', 0)
  }
  return { format: 'yaml', text, root: nodeOf(document.contents, 0, 0), plain: plain(value) }
}

const scalar = (start: number, end: number, value: unknown, rigid?: string): Node => ({
  kind: 'scalar',
  start,
  end,
  value,
  ...(rigid !== undefined && { rigid }),
})

function nodeOf(node: YamlNode | null, fallback: number, depth: number): Node {
  const [start, end] = node?.range ?? [fallback, fallback]
  if (depth > depthMax) throw new Unreadable(`it is nested more than ${depthMax} levels deep`, start)
  if (isAlias(node)) return scalar(start, end, null, 'an alias')
  const rigid = rigidity(node)
  if (isScalar(node)) return scalar(start, end, node.value, rigid)
  const kept = rigid === undefined ? {} : { rigid }
  if (isMap<YamlNode, YamlNode | null>(node)) {
    const seen = new Set<string>()
    const members = node.items.map(({ key, value }): Member => {
      const at = key.range?.[0] ?? start
      const name = isScalar(key) ? String(key.value) : key.toString()
      if (seen.size === seen.add(name).size) throw new Unreadable('duplicate key', at)
      return { key: name, start: at, prefix: '', value: nodeOf(value, key.range?.[1] ?? at, depth + 1) }
    })
    const block = node.flow !== true
    return { kind: 'map', block, start, end: block ? (members.at(-1)?.value.end ?? end) : end, members, ...kept }
  }
  if (isSeq<YamlNode | null>(node)) {
    const block = node.flow !== true
    const items = node.items.map((item, at): Item => {
      const read = nodeOf(item, start, depth + 1)
      return { lead: block ? (dashOf(node, at) ?? read.start) : read.start, node: read }
    })
    return { kind: 'list', block, start, end: block ? (items.at(-1)?.node.end ?? end) : end, items, ...kept }
  }
  return scalar(start, end, null, rigid)
}

function rigidity(node: YamlNode | null): string | undefined {
  if (node === null) return undefined
  if ('anchor' in node && node.anchor !== undefined) return 'an anchor'
  if ('tag' in node && node.tag !== undefined) return 'a tag'
  if (isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED))
    return 'a text over several lines'
  return undefined
}

/** Where the dash of an item stands; only the tokens of the source know. */
function dashOf({ srcToken }: YamlNode, at: number): number | undefined {
  if (srcToken?.type !== 'block-seq') return undefined
  return srcToken.items[at]?.start.find(({ type }) => type === 'seq-item-ind')?.offset
}
