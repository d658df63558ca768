/** Where the references of a JSON Schema lead (2020-12, section 8.2), and how large it is when each is written out. */
import { isRawNumber, type JsonObject } from '../../lib/strict-json.ts'
import { isObject } from '../../protocol/json-rpc.ts'

export interface References {
  /** Pointers from the root of the schema. A loop has nothing but references in it: it cannot even be read. */
  readonly loops: readonly string[]
  /** A part that contains itself, as a tree does. */
  readonly recursive: readonly string[]
  readonly dangling: readonly string[]
  /** Values in the schema with every reference replaced by what it means; at most the largest safe integer. */
  readonly expanded: number
}

const nodesMax = 100_000
/** Of a pointer. */
const partsMax = 64
const beyond = Number.MAX_SAFE_INTEGER

interface Frame {
  readonly node: object
  readonly path: string
  /** Steps from the root that went into a value; references and the like stay at it. */
  readonly inward: number
  readonly next: readonly Step[]
  at: number
  size: number
}
interface Step {
  readonly node: object
  readonly path: string
  /** The last part of the path. */
  readonly key: string
  /** By a reference, or by a keyword that applies to the same value. */
  readonly isSame: boolean
}

/** These apply their schemas to the very value; all others go into it. */
const inPlace = new Set(['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else'])

/** Depth first without recursion. Sizes of finished parts are kept, so that a part is walked once. */
export function referencesOf(root: JsonObject): References {
  const loops: string[] = []
  const recursive: string[] = []
  const dangling: string[] = []
  const sizes = new Map<object, number>()
  const open = new Map<object, number>()
  const frames: Frame[] = []
  let nodes = 0
  const anchors = anchorsOf(root)

  const inwardBy = ({ isSame }: Step): number => (frames.at(-1)?.inward ?? 0) + (isSame ? 0 : 1)
  const enter = (step: Step): void => {
    const { node, path } = step
    open.set(node, frames.length)
    const next = nodes++ < nodesMax ? stepsFrom((reference) => pointed(root, anchors, reference), step, dangling) : []
    frames.push({ node, path, inward: inwardBy(step), next, at: 0, size: 1 })
  }
  enter({ node: root, path: '', key: '', isSame: true })
  while (frames.length > 0) {
    const frame = frames.at(-1) as Frame
    const step = frame.next[frame.at++]
    if (step === undefined) {
      frames.pop()
      open.delete(frame.node)
      sizes.set(frame.node, frame.size)
      const parent = frames.at(-1)
      if (parent !== undefined) parent.size = sum(parent.size, frame.size)
      continue
    }
    const known = sizes.get(step.node)
    const above = open.get(step.node)
    if (known !== undefined) frame.size = sum(frame.size, known)
    else if (above === undefined) enter(step)
    else {
      const isLoop = inwardBy(step) === (frames[above] as Frame).inward
      ;(isLoop ? loops : recursive).push(step.path)
    }
  }
  return { loops, recursive, dangling, expanded: sizes.get(root) ?? 1 }
}

const sum = (one: number, other: number): number => Math.min(beyond, one + other)

type Lookup = (reference: string) => object | undefined

function stepsFrom(lookup: Lookup, from: Step, dangling: string[]): readonly Step[] {
  const { node, path } = from
  // An item of `allOf` is a step within the list, which is one within the keyword.
  const isListInPlace = Array.isArray(node) && inPlace.has(from.key)
  const steps: Step[] = []
  for (const [key, member] of Object.entries(node)) {
    const below = `${path}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`
    if (key === '$ref' && typeof member === 'string' && member.startsWith('#')) {
      const target = lookup(member)
      if (target === undefined) dangling.push(below)
      else steps.push({ node: target, path: below, key, isSame: true })
    } else if (typeof member === 'object' && member !== null && !isRawNumber(member))
      steps.push({ node: member, path: below, key, isSame: isListInPlace || inPlace.has(key) })
  }
  return steps
}

/** What `#/a/b` means (RFC 6901, section 6); an anchor is looked for at the usual places. */
function pointed(root: JsonObject, anchors: ReadonlyMap<string, object>, reference: string): object | undefined {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return anchors.get(reference.slice(1))
  let value: unknown = root
  for (const part of reference.slice(2).split('/', partsMax)) {
    if (typeof value !== 'object' || value === null) return undefined
    const key = decoded(part).replace(/~1/g, '/').replace(/~0/g, '~')
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
  }
  return typeof value === 'object' && value !== null ? value : undefined
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function anchorsOf(root: JsonObject): ReadonlyMap<string, object> {
  const anchors = new Map<string, object>()
  for (const key of ['$defs', 'definitions']) {
    for (const one of Object.values(root[key] ?? {})) {
      if (!isObject(one)) continue
      const name = one['$anchor'] ?? one['$dynamicAnchor']
      if (typeof name === 'string') anchors.set(name, one)
    }
  }
  return anchors
}
