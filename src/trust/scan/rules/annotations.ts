/**
 * What a tool says of itself against what its name and its description say. Annotations are hints of a stranger (MCP
 * 2026-07-28, server/tools); a client that skips a confirmation because of a false one was lied to.
 */
import { isObject } from '../../../protocol/json-rpc.ts'
import type { Family, Mark, Read } from '../finding.ts'
import { markAt } from '../finding.ts'
import type { Leaf } from '../leaves.ts'

const verbs = {
  read: `get list read search find fetch query show view describe check lookup browse inspect count compare preview analyze
    explain summarize calculate convert translate validate status info`,
  destroy: `delete remove drop destroy erase wipe purge kill terminate truncate uninstall revoke unlink shred rm clear reset
    discard format overwrite deprovision expunge nuke`,
  act: `create send post write update insert upload publish execute exec install push commit merge move rename transfer pay buy
    purchase order deploy edit modify patch put submit approve grant invite share email book cancel schedule withdraw sell trade`,
  keep: 'archive hide disable close pause deactivate unsubscribe mute',
} as const
type Doing = keyof typeof verbs
const doing: ReadonlyMap<string, Doing> = new Map(
  Object.entries(verbs).flatMap(([kind, words]) => words.split(/\s+/).map((word) => [word, kind as Doing] as const)),
)

/** Harmless by its object: a query is read, a cache is there to be cleared. */
const harmless =
  /^(?:query|queries|search|cache|filter|filters|selection|screen|console|sql|select|draft|date|currency|text|json|code)$/

/** The first word of a name that is a verb, with what it is done to. */
function doneBy(name: string): { readonly kind: Doing; readonly verb: string; readonly to: string } | undefined {
  const words = wordsOf(name)
  const at = words.findIndex((word) => doing.has(word))
  if (at === -1) return undefined
  const verb = words[at] as string
  return { kind: doing.get(verb) as Doing, verb, to: words[at + 1] ?? '' }
}

const wordsMax = 12
const wordsOf = (name: string): readonly string[] =>
  name
    .slice(0, 200)
    .normalize('NFKC')
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]{1,200}/)
    .filter((word) => word !== '')
    .slice(0, wordsMax)

/** What a tool does, it says at the beginning. */
const saidChars = 400

/** `Deletes the file`, `Permanently remove a user`: what the first sentence says is done. */
const destroys =
  /^\s?(?:this (?:tool |function |method )?(?:will )?|use this to |used to |can |will |tool to |tool for )?(?:\w{1,14}ly )?(delet(?:es?|ing)|remov(?:es?|ing)|drops?|dropping|destroy(?:s|ing)?|eras(?:es?|ing)|wip(?:es?|ing)|purg(?:es?|ing)|terminat(?:es?|ing)|truncat(?:es?|ing)|uninstalls?|shreds?)\b(?! (?:duplicates?|whitespace|noise|html|outliers|formatting|background|stop ?words|null|missing|empty|special|extra))/
/** Said anywhere of what is otherwise described as harmless. */
const destroysToo =
  /\b(?:permanently|irreversibly|irrevocably) (?:delet|remov|destroy|eras|wip|purg|overwrit)|\b(?:and|then|also|afterwards) (?:silently |permanently )?(?:deletes?|wipes?|erases?|destroys?|purges?)\b/

function* ofDefinition({ definition, leaves }: Read): Generator<Mark> {
  if (definition.kind !== 'tool') return
  const { annotations } = definition.body
  const done = doneBy(definition.name)
  const leaf = leaves.find(({ path }) => path === '/description')
  const said = leaf?.reading.lower.slice(0, saidChars) ?? ''
  const first = destroys.exec(said)
  if (leaf !== undefined) yield* unlikeItsName(done?.kind, leaf, first ?? destroysToo.exec(said))
  if (!isObject(annotations)) return
  const { readOnlyHint, destructiveHint } = annotations
  const isDestroying = (done?.kind === 'destroy' && !harmless.test(done.to)) || first !== null
  if (readOnlyHint === true) {
    const at = '/annotations/readOnlyHint'
    if (isDestroying) yield markAt('trust/lying-annotation', at, 'it says that it only reads, and destroys')
    else if (destructiveHint === true) yield markAt('trust/contradicting-annotations', at)
    else if (done?.kind === 'act' && !harmless.test(done.to))
      yield markAt('trust/doubtful-annotation', at, 'it says that it only reads, and is named after an action')
  } else if (destructiveHint === false && isDestroying)
    yield markAt('trust/lying-annotation', '/annotations/destructiveHint', 'it says that it destroys nothing, and destroys')
}

/** A reader that deletes, an archive that does not keep (OWASP MCP03, schema poisoning). */
function* unlikeItsName(kind: Doing | undefined, leaf: Leaf, said: RegExpExecArray | null): Generator<Mark> {
  if (said === null || (kind !== 'read' && kind !== 'keep')) return
  yield { rule: 'trust/unlike-its-name', leaf, ...leaf.reading.span(said.index, said.index + said[0].length) }
}

export const annotations: Family = {
  rows: {
    'trust/lying-annotation': {
      severity: 'high',
      says: 'has an annotation that its name or description gives the lie to',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/unlike-its-name': {
      severity: 'high',
      says: 'is named after reading or keeping, and destroys',
      owasp: 'MCP03',
      requirement: 'K-35',
    },
    'trust/doubtful-annotation': {
      severity: 'medium',
      says: 'has an annotation that does not go with its name',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/contradicting-annotations': {
      severity: 'medium',
      says: 'says both that it only reads and that it is destructive',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
  },
  ofDefinition,
}
