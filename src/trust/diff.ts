/**
 * What is different between two versions of a definition, in words for the person who decides: not lines of JSON, but
 * "parameter `sidenote` added, free text". Each difference has a grade, so that a comma does not look like an attack.
 */
import type { JsonObject } from '../lib/strict-json.ts'
import { isObject, printable } from '../protocol/json-rpc.ts'

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

const changesMax = 200

/** The worst first. Empty for the same definition. */
export function changesBetween(before: JsonObject, after: JsonObject): readonly Change[] {
  const changes: Change[] = []
  for (const key of keysOf(before, after)) {
    const compare = members[key] ?? compareAnything
    compare({ path: `/${escaped(key)}`, name: spoken.has(key) ? key : quotedName(key) }, before[key], after[key], changes)
  }
  return changes.slice(0, changesMax).sort((a, b) => grades.indexOf(b.grade) - grades.indexOf(a.grade))
}

export const worstOf = (changes: readonly Change[]): Grade => changes[0]?.grade ?? 'cosmetic'

/** Members that have a name in plain words. */
const spoken: ReadonlySet<string> = new Set(['description', 'instructions', 'title', 'icons', 'annotations'])

interface Place {
  readonly path: string
  /** As a person would call it. */
  readonly name: string
}
type Compare = (at: Place, before: unknown, after: unknown, changes: Change[]) => void

const members: Readonly<Record<string, Compare>> = {
  description: compareText,
  instructions: compareText,
  title: (at, before, after, changes) => compareText(at, before, after, changes, 'low'),
  icons: (at, before, after, changes) => compareValue(at, before, after, changes, 'low'),
  inputSchema: compareSchema,
  outputSchema: (at, before, after, changes) => compareValue(at, before, after, changes, 'low'),
  annotations: compareHints,
  arguments: compareArguments,
  capabilities: compareNames,
}

function compareAnything(at: Place, before: unknown, after: unknown, changes: Change[]): void {
  compareValue(at, before, after, changes, 'medium')
}

function compareValue({ path, name }: Place, before: unknown, after: unknown, changes: Change[], grade: Grade): void {
  if (isSame(before, after)) return
  const what = before === undefined ? 'was added' : after === undefined ? 'was removed' : 'is another one'
  const now = isSimple(after) ? `: ${quoted(after)}` : ''
  changes.push({ grade, path, says: `${name} ${what}${now}` })
}

/** Text that a model reads. What grows, and what cannot be seen, is said in figures. */
function compareText(at: Place, before: unknown, after: unknown, changes: Change[], grade: Grade = 'medium'): void {
  if (before === after) return
  const [old, now] = [textOf(before), textOf(after)]
  if (old === undefined || now === undefined) {
    if (now !== undefined && after !== undefined && before === undefined)
      changes.push({
        grade: hiddenIn(now) > 0 ? 'high' : grade,
        path: at.path,
        says: `${at.name} was added, ${lengthOf(now)}`,
        now: cut(now),
      })
    else compareValue(at, before, after, changes, grade)
    return
  }
  const hidden = hiddenIn(now) - hiddenIn(old)
  if (hidden <= 0 && bare(old) === bare(now)) {
    changes.push({ grade: 'cosmetic', path: at.path, says: `${at.name} differs in spaces, capitals or punctuation alone` })
    return
  }
  const more = [...now].length - [...old].length
  const size =
    more === 0
      ? 'was rewritten, as long as before'
      : more > 0
        ? `gained ${more} character${more === 1 ? '' : 's'}`
        : `lost ${-more} character${more === -1 ? '' : 's'}`
  const unseen = hidden > 0 ? `, ${hidden} hidden` : ''
  const says = `${at.name} ${size}${unseen}`
  changes.push({ grade: hidden > 0 ? 'high' : grade, path: at.path, says, ...differing(old, now) })
}

/** What is left when both ends that are the same are taken off, in whole words. */
function differing(old: string, now: string): { readonly was: string; readonly now: string } {
  const least = Math.min(old.length, now.length)
  let start = 0
  while (start < least && old[start] === now[start]) start++
  let end = 0
  while (end < least - start && old.at(-1 - end) === now.at(-1 - end)) end++
  while (start > 0 && /\S/.test(old[start - 1] as string)) start--
  while (end > 0 && /\S/.test(old.at(-end) as string)) end--
  const part = (text: string): string =>
    `${start > 0 ? '…' : ''}${cut(text.slice(start, text.length - end))}${end > 0 ? '…' : ''}`
  return { was: part(old), now: part(now) }
}
const shownCharsMax = 600
const cut = (text: string): string =>
  text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}… and ${text.length - shownCharsMax} more` : text

function compareSchema(at: Place, before: unknown, after: unknown, changes: Change[]): void {
  if (!isObject(before) || !isObject(after)) return compareValue(at, before, after, changes, 'medium')
  const [old, now] = [propertiesOf(before), propertiesOf(after)]
  const [oldNeeded, nowNeeded] = [requiredIn(before), requiredIn(after)]
  for (const name of keysOf(old, now)) {
    const place = { path: `${at.path}/properties/${escaped(name)}`, name: `parameter ${quotedName(name)}` }
    const isNeeded = nowNeeded.has(name)
    if (old[name] === undefined) changes.push(added(place, now[name], isNeeded))
    else if (now[name] === undefined) changes.push({ grade: 'low', path: place.path, says: `${place.name} removed` })
    else {
      compareParameter(place, old[name], now[name], changes)
      if (isNeeded !== oldNeeded.has(name))
        changes.push({
          grade: isNeeded ? 'medium' : 'low',
          path: place.path,
          says: `${place.name} is ${isNeeded ? 'now required' : 'no longer required'}`,
        })
    }
  }
  for (const key of keysOf(before, after))
    if (key !== 'properties' && key !== 'required')
      compareValue(
        { path: `${at.path}/${escaped(key)}`, name: `${key} of the input` },
        before[key],
        after[key],
        changes,
        'medium',
      )
}

const added = ({ path, name }: Place, schema: unknown, isNeeded: boolean): Change => ({
  grade: isFreeText(schema) ? 'high' : 'medium',
  path,
  says: `${name} added, ${isFreeText(schema) ? 'free text' : shapeOf(schema)}${isNeeded ? ', required' : ''}`,
})

function compareParameter(at: Place, before: unknown, after: unknown, changes: Change[]): void {
  if (!isObject(before) || !isObject(after)) return compareValue(at, before, after, changes, 'medium')
  const isFreed = isFreeText(after) && !isFreeText(before)
  if (isFreed) changes.push({ grade: 'high', path: at.path, says: `${at.name} takes free text now; it was ${shapeOf(before)}` })
  for (const key of keysOf(before, after)) {
    const place = { path: `${at.path}/${escaped(key)}`, name: `${printable(key)} of ${at.name}` }
    if (key === 'description' || key === 'title') compareText(place, before[key], after[key], changes)
    else if (isFreed && shaping.has(key)) continue
    else if (key === 'enum') compareChoices(place, before[key], after[key], changes)
    else compareValue(place, before[key], after[key], changes, 'medium')
  }
}

function compareChoices(at: Place, before: unknown, after: unknown, changes: Change[]): void {
  if (!Array.isArray(before) || !Array.isArray(after))
    return compareValue(at, before, after, changes, after === undefined ? 'high' : 'low')
  const list = (values: readonly unknown[]): string => values.slice(0, 5).map(quoted).join(', ')
  const more = after.filter((one) => !before.some((other) => isSame(one, other)))
  const fewer = before.filter((one) => !after.some((other) => isSame(one, other)))
  if (more.length > 0) changes.push({ grade: 'medium', path: at.path, says: `${at.name} has new choices: ${list(more)}` })
  if (fewer.length > 0)
    changes.push({ grade: 'low', path: at.path, says: `${at.name} has fewer choices: without ${list(fewer)}` })
  if (more.length + fewer.length === 0 && !isSame(before, after))
    changes.push({ grade: 'cosmetic', path: at.path, says: `${at.name} is in another order` })
}

/** Hints promise less harm than there might be; a promise that is taken back is told as such. */
function compareHints(at: Place, before: unknown, after: unknown, changes: Change[]): void {
  const [old, now] = [isObject(before) ? before : {}, isObject(after) ? after : {}]
  for (const key of keysOf(old, now)) {
    const place = { path: `${at.path}/${escaped(key)}`, name: quotedName(key) }
    if (key === 'title') compareText({ ...place, name: 'title' }, old[key], now[key], changes, 'low')
    else if (key === 'readOnlyHint' && old[key] === true && now[key] !== true)
      changes.push({ grade: 'high', path: place.path, says: 'it no longer says that it only reads' })
    else if (key === 'destructiveHint' && old[key] === false && now[key] !== false)
      changes.push({ grade: 'high', path: place.path, says: 'it no longer says that it destroys nothing' })
    else compareValue(place, old[key], now[key], changes, 'medium')
  }
}

/** Of a prompt: a list of named arguments. */
function compareArguments(at: Place, before: unknown, after: unknown, changes: Change[]): void {
  const byName = (list: unknown): JsonObject =>
    Object.fromEntries(
      (Array.isArray(list) ? list : []).flatMap((one) =>
        isObject(one) && typeof one['name'] === 'string' ? [[one['name'], one]] : [],
      ),
    )
  const [old, now] = [byName(before), byName(after)]
  for (const name of keysOf(old, now)) {
    const place = { path: `${at.path}/${escaped(name)}`, name: `argument ${quotedName(name)}` }
    if (old[name] === undefined) changes.push({ grade: 'medium', path: place.path, says: `${place.name} added` })
    else if (now[name] === undefined) changes.push({ grade: 'low', path: place.path, says: `${place.name} removed` })
    else compareParameter(place, old[name], now[name], changes)
  }
  if (keysOf(old, now).length === 0) compareValue(at, before, after, changes, 'medium')
}

function compareNames(at: Place, before: unknown, after: unknown, changes: Change[]): void {
  const [old, now] = [before, after].map((list) => new Set(Array.isArray(list) ? list : [])) as [Set<unknown>, Set<unknown>]
  for (const one of now.difference(old)) changes.push({ grade: 'low', path: at.path, says: `it can now also do ${quoted(one)}` })
  for (const one of old.difference(now)) changes.push({ grade: 'low', path: at.path, says: `it can no longer do ${quoted(one)}` })
}

const propertiesOf = ({ properties }: JsonObject): JsonObject => (isObject(properties) ? properties : {})
const requiredIn = ({ required }: JsonObject): ReadonlySet<unknown> => new Set(Array.isArray(required) ? required : [])

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

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)
const isSimple = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value)
const keysOf = (one: JsonObject, other: JsonObject): readonly string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
/** What is left of a text for somebody who reads it aloud. */
const bare = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\p{P}\p{Z}\p{Cc}]+/gu, '')
/** Format characters, tags, variation selectors and unassigned ones: a model reads them, a person does not. */
const hiddenIn = (text: string): number => text.match(hidden)?.length ?? 0
const hidden = /\p{Cf}|\p{Co}|\p{Cn}|\u034f|\u115f|\u1160|\u17b4|\u17b5|\u3164|\uffa0|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu
const lengthOf = (text: string): string => {
  const [all, hidden] = [[...text].length, hiddenIn(text)]
  return `${all} character${all === 1 ? '' : 's'}${hidden > 0 ? `, ${hidden} hidden` : ''}`
}
const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
const quotedCharsMax = 60
const quoted = (value: unknown): string => {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value)
  const text = typeof value === 'string' ? printable(value) : (JSON.stringify(value) ?? 'nothing')
  return `"${text.length > quotedCharsMax ? `${text.slice(0, quotedCharsMax)}…` : text}"`
}
const quotedName = (name: string): string => `\`${printable(name).slice(0, quotedCharsMax)}\``
