/**
 * What is different between two versions of a definition, in words for the person who decides: not lines of JSON, but
 * "parameter `sidenote` added, free text". Each difference has a grade, so that a full stop does not look like an attack; one that
 * no words are known for is told too, and is never the least. Linear in the size of both.
 */
import { canonicalJson } from '../lib/canonical-json.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { isObject, printable } from '../protocol/json-rpc.ts'
import { isCosmetic } from './cosmetic.ts'
import { isSameJson } from './definition.ts'
import { textAdded, textChange } from './diff-text.ts'

/** `cosmetic`: nothing that a model reads says anything else than before. */
export const grades = ['cosmetic', 'low', 'medium', 'high'] as const
export type Grade = (typeof grades)[number]

export interface Change {
  readonly grade: Grade
  /** JSON Pointer (RFC 6901) into the definition. */
  readonly path: string
  /** Our own words, fit for whoever is refused. */
  readonly says: string
  /** Of a text: the part that is different, as it was and as it is. A stranger's words, for the eyes of whoever decides. */
  readonly was?: string
  readonly now?: string
}

/** Of what is shown. The worst of it is the worst of all. */
const changesMax = 200

/** The worst first. Empty for the same definition. */
export function changesBetween(before: JsonObject, after: JsonObject): readonly Change[] {
  const changes: Change[] = []
  for (const key of keysOf(before, after)) {
    const [old, now] = [member(before, key), member(after, key)]
    if (isSameJson(old, now)) continue
    const at = { path: `/${escaped(key)}`, name: spoken.has(key) ? key : quotedName(key) }
    const compare = members.get(key) ?? compareAnything
    const known = changes.length
    compare(at, old, now, changes)
    const isTold = changes.slice(known).some(({ grade }) => grade !== 'cosmetic')
    if (!isTold && !isCosmetic({ [key]: old }, { [key]: now }))
      changes.push({ grade: 'medium', path: at.path, says: `something else of ${at.name} has changed` })
  }
  return changes.sort((a, b) => grades.indexOf(b.grade) - grades.indexOf(a.grade)).slice(0, changesMax)
}

/** Of two that have different digests: where no change was found, there is one that the comparison does not see. */
export const worstOf = (changes: readonly Change[]): Grade => changes[0]?.grade ?? 'medium'

/** Members that have a name in plain words. */
const spoken: ReadonlySet<string> = new Set(['description', 'instructions', 'title', 'icons', 'annotations'])

interface Place {
  readonly path: string
  /** As a person would call it. */
  readonly name: string
}
type Compare = (at: Place, before: JsonMember, after: JsonMember, changes: Change[]) => void
type JsonMember = JsonObject[string]

const members: ReadonlyMap<string, Compare> = new Map<string, Compare>([
  ['description', compareText],
  ['instructions', compareText],
  ['title', (at, before, after, changes) => compareText(at, before, after, changes, 'low')],
  ['icons', (at, before, after, changes) => compareValue(at, before, after, changes, 'low')],
  ['inputSchema', compareSchema],
  ['outputSchema', (at, before, after, changes) => compareValue(at, before, after, changes, 'low')],
  ['annotations', compareHints],
  ['arguments', compareArguments],
  ['capabilities', compareNames],
])

function compareAnything(at: Place, before: JsonMember, after: JsonMember, changes: Change[]): void {
  compareValue(at, before, after, changes, 'medium')
}

function compareValue({ path, name }: Place, before: JsonMember, after: JsonMember, changes: Change[], grade: Grade): void {
  if (isSameJson(before, after)) return
  const what = before === undefined ? 'was added' : after === undefined ? 'was removed' : 'is another one'
  const now = isSimple(after) ? `: ${quoted(after)}` : ''
  changes.push({ grade, path, says: `${name} ${what}${now}` })
}

function compareText(at: Place, before: JsonMember, after: JsonMember, changes: Change[], grade: Grade = 'medium'): void {
  if (before === after) return
  const isText = typeof after === 'string' && (before === undefined || typeof before === 'string')
  if (!isText) return compareValue(at, before, after, changes, grade)
  const { kind, ...told } = before === undefined ? textAdded(at.name, after) : textChange(at.name, before, after)
  changes.push({ grade: kind === 'hidden' ? 'high' : kind === 'cosmetic' ? kind : grade, path: at.path, ...told })
}

function compareSchema(at: Place, before: JsonMember, after: JsonMember, changes: Change[]): void {
  if (!isObject(before) || !isObject(after)) return compareValue(at, before, after, changes, 'medium')
  for (const key of keysOf(before, after)) {
    const place = { path: `${at.path}/${escaped(key)}`, name: `${shortName(key)} of the input` }
    const [old, now] = [member(before, key), member(after, key)]
    if (key === 'properties' && isRecordOrNothing(old) && isRecordOrNothing(now)) compareProperties(place, before, after, changes)
    else if (key === 'required' && isListOrNothing(old) && isListOrNothing(now)) compareRequired(place, before, after, changes)
    else compareValue(place, old, now, changes, 'medium')
  }
}

function compareProperties(at: Place, before: JsonObject, after: JsonObject, changes: Change[]): void {
  const [old, now] = [propertiesOf(before), propertiesOf(after)]
  const needed = new Set(listOf(after['required']))
  for (const name of keysOf(old, now)) {
    const place = { path: `${at.path}/${escaped(name)}`, name: `parameter ${quotedName(name)}` }
    if (!Object.hasOwn(old, name)) changes.push(added(place, now[name], needed.has(name)))
    else if (!Object.hasOwn(now, name)) changes.push({ grade: 'low', path: place.path, says: `${place.name} removed` })
    else compareParameter(place, old[name], now[name], changes)
  }
}

/** A name in it of no parameter is nothing but text. */
function compareRequired(at: Place, before: JsonObject, after: JsonObject, changes: Change[]): void {
  const { more, fewer } = compareLists(at, listOf(before['required']), listOf(after['required']), changes)
  const [old, now] = [propertiesOf(before), propertiesOf(after)]
  const isKnown = (one: JsonMember): one is string => typeof one === 'string' && Object.hasOwn(now, one)
  for (const [grade, names, what] of [
    ['medium', more, 'is now required'],
    ['low', fewer, 'is no longer required'],
  ] as const)
    for (const name of names.filter(isKnown))
      if (Object.hasOwn(old, name))
        changes.push({
          grade,
          path: `${at.path.replace(/required$/, 'properties')}/${escaped(name)}`,
          says: `parameter ${quotedName(name)} ${what}`,
        })
  const others = more.filter((one) => !isKnown(one))
  if (others.length > 0)
    changes.push({ grade: 'medium', path: at.path, says: `${at.name} names what is no parameter: ${listed(others)}` })
  const gone = fewer.filter((one) => !(typeof one === 'string' && (Object.hasOwn(now, one) || Object.hasOwn(old, one))))
  if (gone.length > 0)
    changes.push({ grade: 'low', path: at.path, says: `${at.name} no longer names what was no parameter: ${listed(gone)}` })
}

const added = ({ path, name }: Place, schema: unknown, isNeeded: boolean): Change => ({
  grade: isFreeText(schema) ? 'high' : 'medium',
  path,
  says: `${name} added, ${isFreeText(schema) ? 'free text' : shapeOf(schema)}${isNeeded ? ', required' : ''}`,
})

function compareParameter(at: Place, before: JsonMember, after: JsonMember, changes: Change[]): void {
  if (!isObject(before) || !isObject(after)) return compareValue(at, before, after, changes, 'medium')
  const isFreed = isFreeText(after) && !isFreeText(before)
  if (isFreed) changes.push({ grade: 'high', path: at.path, says: `${at.name} takes free text now; it was ${shapeOf(before)}` })
  for (const key of keysOf(before, after)) {
    const place = { path: `${at.path}/${escaped(key)}`, name: `${shortName(key)} of ${at.name}` }
    const [old, now] = [member(before, key), member(after, key)]
    if (key === 'description' || key === 'title') compareText(place, old, now, changes)
    else if (isFreed && shaping.has(key)) continue
    else if (key === 'enum') compareChoices(place, old, now, changes)
    else compareValue(place, old, now, changes, 'medium')
  }
}

function compareChoices(at: Place, before: JsonMember, after: JsonMember, changes: Change[]): void {
  if (!Array.isArray(before) || !Array.isArray(after))
    return compareValue(at, before, after, changes, after === undefined ? 'high' : 'low')
  const { more, fewer } = compareLists(at, before, after, changes)
  if (more.length > 0) changes.push({ grade: 'medium', path: at.path, says: `${at.name} has new choices: ${listed(more)}` })
  if (fewer.length > 0)
    changes.push({ grade: 'low', path: at.path, says: `${at.name} has fewer choices: without ${listed(fewer)}` })
}

interface Lists {
  readonly more: readonly JsonMember[]
  readonly fewer: readonly JsonMember[]
}

/** What one has and the other has not; says itself where that is nothing, and they still are not the same. */
function compareLists(at: Place, before: readonly JsonMember[], after: readonly JsonMember[], changes: Change[]): Lists {
  const keyed = (values: readonly JsonMember[]) => new Map(values.map((one) => [canonicalJson(one), one]))
  const [old, now] = [keyed(before), keyed(after)]
  const without = (some: ReadonlyMap<string, JsonMember>, others: ReadonlyMap<string, JsonMember>) =>
    [...some].flatMap(([key, one]) => (others.has(key) ? [] : [one]))
  const [more, fewer] = [without(now, old), without(old, now)]
  if (more.length + fewer.length === 0 && !isSameJson(before, after))
    changes.push({ grade: 'low', path: at.path, says: `${at.name} has the same in another order, or more than once` })
  return { more, fewer }
}

/** Hints promise less harm than there might be; a promise that is taken back is told as such. */
function compareHints(at: Place, before: JsonMember, after: JsonMember, changes: Change[]): void {
  const [old, now] = [isObject(before) ? before : {}, isObject(after) ? after : {}]
  for (const key of keysOf(old, now)) {
    const place = { path: `${at.path}/${escaped(key)}`, name: quotedName(key) }
    const [was, is] = [member(old, key), member(now, key)]
    if (key === 'title') compareText({ ...place, name: 'title' }, was, is, changes, 'low')
    else if (key === 'readOnlyHint' && was === true && is !== true)
      changes.push({ grade: 'high', path: place.path, says: 'it no longer says that it only reads' })
    else if (key === 'destructiveHint' && was === false && is !== false)
      changes.push({ grade: 'high', path: place.path, says: 'it no longer says that it destroys nothing' })
    else compareValue(place, was, is, changes, 'medium')
  }
  if (!isRecordOrNothing(before) || !isRecordOrNothing(after)) compareValue(at, before, after, changes, 'medium')
}

/** Of a prompt: a list of arguments, each by a name of its own. */
function compareArguments(at: Place, before: JsonMember, after: JsonMember, changes: Change[]): void {
  const [old, now] = [before, after].map((list) => argumentsByName(list)) as [Named, Named]
  if (old === undefined || now === undefined) return compareValue(at, before, after, changes, 'medium')
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const place = { path: `${at.path}/${escaped(name)}`, name: `argument ${quotedName(name)}` }
    const [was, is] = [old.get(name), now.get(name)]
    if (was === undefined) changes.push({ grade: 'medium', path: place.path, says: `${place.name} added` })
    else if (is === undefined) changes.push({ grade: 'low', path: place.path, says: `${place.name} removed` })
    else compareParameter(place, was, is, changes)
  }
  const [names, others] = [[...old.keys()], [...now.keys()]].map((keys) => keys.sort()) as [string[], string[]]
  if (isSameJson(names, others) && !isSameJson([...old.keys()], [...now.keys()]))
    changes.push({ grade: 'low', path: at.path, says: `${at.name} are in another order` })
}

type Named = ReadonlyMap<string, JsonObject> | undefined
/** Undefined for a list in which one has no name, or the name of another. */
function argumentsByName(list: JsonMember): Named {
  if (!isListOrNothing(list)) return undefined
  const named = new Map(
    listOf(list).flatMap((one) => (isObject(one) && typeof one['name'] === 'string' ? [[one['name'], one] as const] : [])),
  )
  return named.size === listOf(list).length ? named : undefined
}

function compareNames(at: Place, before: JsonMember, after: JsonMember, changes: Change[]): void {
  if (!isListOrNothing(before) || !isListOrNothing(after)) return compareValue(at, before, after, changes, 'medium')
  const { more, fewer } = compareLists(at, listOf(before), listOf(after), changes)
  for (const one of more) changes.push({ grade: 'low', path: at.path, says: `it can now also do ${quoted(one)}` })
  for (const one of fewer) changes.push({ grade: 'low', path: at.path, says: `it can no longer do ${quoted(one)}` })
}

/** Of an object's own: a stranger may call a member `constructor`. */
const member = (object: JsonObject, key: string): JsonMember => (Object.hasOwn(object, key) ? object[key] : undefined)
const isRecordOrNothing = (value: JsonMember): boolean => value === undefined || isObject(value)
const isListOrNothing = (value: JsonMember): boolean => value === undefined || Array.isArray(value)
const propertiesOf = ({ properties }: JsonObject): JsonObject => (isObject(properties) ? properties : {})
const listOf = (value: JsonMember): readonly JsonMember[] => (Array.isArray(value) ? value : [])

/** What keeps a value from being just any text. */
const bounds = ['enum', 'const', 'format', 'pattern', '$ref', 'anyOf', 'oneOf', 'allOf', 'properties', 'items'] as const
const shaping: ReadonlySet<string> = new Set(['type', ...bounds])

/** Anything may be written into it: the shape that data leaves by. */
const isFreeText = (schema: unknown): boolean =>
  !isObject(schema) ||
  ((schema['type'] === undefined || [schema['type']].flat().includes('string')) &&
    !bounds.some((key) => schema[key] !== undefined))
const shapeOf = (schema: unknown): string => {
  if (!isObject(schema)) return 'anything'
  if (Array.isArray(schema['enum'])) return `one of ${schema['enum'].length} values`
  const { type, format } = schema
  return [type ?? 'anything', format]
    .flat()
    .filter((one) => typeof one === 'string')
    .map((one) => printable(one))
    .join(' ')
}

const isSimple = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value)
const keysOf = (one: JsonObject, other: JsonObject): readonly string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()
/** Of a key too long to be read, the beginning. */
const escaped = (key: string): string => key.slice(0, 200).replaceAll('~', '~0').replaceAll('/', '~1')
const quotedCharsMax = 60
const quoted = (value: unknown): string => {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value)
  const text = typeof value === 'string' ? printable(value) : printable(JSON.stringify(value) ?? 'nothing')
  return `"${text.length > quotedCharsMax ? `${text.slice(0, quotedCharsMax)}…` : text}"`
}
const shownMax = 5
const listed = (values: readonly unknown[]): string => values.slice(0, shownMax).map(quoted).join(', ')
const shortName = (name: string): string => printable(name).slice(0, quotedCharsMax)
const quotedName = (name: string): string => `\`${shortName(name)}\``
