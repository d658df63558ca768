/**
 * Shadowing: a definition that stands in for one of another server, or tells the model how to use it. What a server says of its
 * own tools is its business; of others' it has nothing to say.
 */
import { type Definition, digestOf } from '../../definition.ts'
import { silhouette } from '../confusables.ts'
import type { Family, Mark, Neighbour, Read, ScanContext } from '../finding.ts'
import { markAt } from '../finding.ts'
import type { Leaf } from '../leaves.ts'
import { matches, phrases } from '../phrases.ts'

interface Neighbourhood {
  readonly byShape: ReadonlyMap<string, readonly Neighbour[]>
  /** Names that are no words of any language, in lower case. */
  readonly distinct: ReadonlyMap<string, Neighbour>
}
const known = new WeakMap<readonly Neighbour[], Neighbourhood>()

function neighbourhoodOf(others: readonly Neighbour[]): Neighbourhood {
  const before = known.get(others)
  if (before !== undefined) return before
  const byShape = new Map<string, Neighbour[]>()
  const distinct = new Map<string, Neighbour>()
  for (const other of others) {
    if (other.kind !== 'tool' && other.kind !== 'prompt') continue
    const shape = `${other.kind} ${silhouette(other.name)}`
    byShape.set(shape, [...(byShape.get(shape) ?? []).slice(0, 9), other])
    if (isDistinct(other.name)) distinct.set(other.name.toLowerCase(), other)
  }
  const neighbourhood = { byShape, distinct }
  known.set(others, neighbourhood)
  return neighbourhood
}

const charsMin = 5
const isDistinct = (name: string): boolean => name.length >= charsMin && /[A-Za-z\d][_.-][A-Za-z\d]|[a-z][A-Z]/.test(name)

function* ofDefinition({ definition, leaves }: Read, { others, server }: ScanContext): Generator<Mark> {
  if (others === undefined || (definition.kind !== 'tool' && definition.kind !== 'prompt')) return
  const near = neighbourhoodOf(others).byShape.get(`${definition.kind} ${silhouette(definition.name)}`) ?? []
  const leaf = leaves.find(({ path }) => path === '/name')
  const mark = (rule: string, other: Neighbour): Mark => ({
    ...(leaf === undefined ? markAt(rule, '/name') : { rule, leaf, start: 0, end: leaf.text.length }),
    note: `the server ${JSON.stringify(other.server.slice(0, 80))}`,
  })
  for (const other of near.filter((one) => one.server !== server)) {
    if (other.name !== definition.name) {
      const isPlain = flat(other.name) === flat(definition.name)
      yield mark(isPlain ? 'trust/same-name' : 'trust/shadow-look-alike', other)
    } else if (other.digest === undefined || other.digest !== digestOf(definition)) yield mark('trust/same-name', other)
  }
}
const flat = (name: string): string => name.toLowerCase().replace(/[\s_.-]/g, '')

const directing = phrases(
  String.raw`\b(?:before|after|prior to|when|whenever|every time|each time|if|instead of|rather than|in place of) (?:you )?(?:\w{1,12} )?(?:<call>|sending|send|with)?\b`,
  String.raw`\b(?:always|never|must|replaces?|supersedes?|overrides?|redirect|do not|don'?t|ensure|make sure|required)\b`,
)
const aroundChars = 80
const mention = /[A-Za-z][\w.-]{4,127}/g

/** Servers that have exactly this definition too: the same once more, under another id. What such a one has is what we have. */
function copiesOf(definition: Definition, others: readonly Neighbour[]): ReadonlySet<string> {
  const digest = digestOf(definition)
  const isSame = (one: Neighbour): boolean =>
    one.kind === definition.kind && one.name === definition.name && one.digest === digest
  return new Set(others.filter(isSame).map(({ server }) => server))
}

function* ofText(leaf: Leaf, definition: Definition, { others, server }: ScanContext): Generator<Mark> {
  if (others === undefined || leaf.role === 'name' || leaf.role === 'uri' || leaf.role === 'pattern') return
  const { distinct } = neighbourhoodOf(others)
  let copies: ReadonlySet<string> | undefined
  if (distinct.size === 0) return
  const { reading } = leaf
  for (const { index, 0: found } of reading.text.matchAll(mention)) {
    const name = found.replace(/[.-]{1,9}$/, '')
    const other = distinct.get(name.toLowerCase())
    if (other === undefined || other.server === server || flat(name) === flat(definition.name)) continue
    copies ??= copiesOf(definition, others)
    if (copies.has(other.server)) continue
    const from = Math.max(0, index - aroundChars)
    const isDirecting = directs(leaf, from, index + name.length + aroundChars)
    const rule = isDirecting ? 'trust/directs-other-tool' : 'trust/names-other-tool'
    yield {
      rule,
      leaf,
      ...reading.span(index, index + name.length),
      note: `a ${other.kind} of ${JSON.stringify(other.server.slice(0, 80))}`,
    }
  }
}

/** Whether a phrase that directs begins in that part of the text. */
const directs = ({ reading }: Leaf, from: number, to: number): boolean =>
  matches(reading, directing, { from, to, marksMax: 1 }).length > 0

export const neighbours: Family = {
  rows: {
    'trust/shadow-look-alike': {
      severity: 'high',
      says: 'has a name that looks like one of another server',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/same-name': {
      severity: 'medium',
      says: 'has the name of something else of another server',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/directs-other-tool': {
      severity: 'high',
      says: 'tells the model how to use a tool of another server',
      owasp: 'MCP06',
      requirement: 'INJ-R3',
    },
    'trust/names-other-tool': {
      severity: 'medium',
      says: 'names a tool of another server',
      owasp: 'MCP06',
      requirement: 'INJ-R3',
    },
  },
  ofDefinition,
  ofText,
}
