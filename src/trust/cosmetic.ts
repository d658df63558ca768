/**
 * Whether a model reads the same of two versions of a definition: white space, capitals and closing punctuation of its descriptions
 * and titles aside, they have to be equal, member by member. What this does not name counts as a change, whether or not anybody has
 * thought of it: a change that passes as cosmetic may be approved without a person.
 */
import type { JsonObject } from '../lib/strict-json.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { isSameJson } from './definition.ts'

export const isCosmetic = (before: JsonObject, after: JsonObject): boolean => isSameJson(plain(before), plain(after))

type Plain = (value: unknown) => unknown

/** Of an object: these members made plain, and whatever else it has as it is. */
const within =
  (members: Readonly<Record<string, Plain>>): Plain =>
  (value) =>
    over(value, (name, member) => (Object.hasOwn(members, name) ? (members[name] as Plain)(member) : member))
const each =
  (one: Plain): Plain =>
  (value) =>
    Array.isArray(value) ? value.map(one) : value
const eachMember =
  (one: Plain): Plain =>
  (value) =>
    over(value, (_, member) => one(member))

function over(value: unknown, change: (name: string, member: unknown) => unknown): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(name, member)]))
}

const words: Plain = (value) => (typeof value === 'string' ? plainText(value) : value)
const spoken = within({ description: words, title: words })
const plain = within({
  description: words,
  instructions: words,
  title: words,
  annotations: within({ title: words }),
  inputSchema: within({ properties: eachMember(spoken) }),
  arguments: each(spoken),
}) as (body: JsonObject) => JsonObject

/**
 * What is left of a text for somebody who reads it aloud. As it is stays whatever stands from the first quotation mark to the last,
 * and each word with anything in it that is no letter: a path, a URL, a number, a name of code.
 */
export function plainText(text: string): string {
  const first = text.search(quote)
  const end = first < 0 ? 0 : lastQuote(text) + 1
  const start = first < 0 ? '' : folded(text.slice(0, first)) + text.slice(first, end)
  return (start + withoutStop(folded(text.slice(end)))).replace(/^ | $/g, '')
}

/** An apostrophe is one of them, for it cannot be told from a quotation mark. */
const quote = /["'`´‘’‚“”„‹›«»「」『』]/
function lastQuote(text: string): number {
  let at = text.length - 1
  while (!quote.test(text[at] as string)) at--
  return at
}

const folded = (text: string): string => text.replace(/[ \t\r\n]+/g, ' ').replace(/[^ ]+/g, inLowerCase)

/** Not `readFile`, which another capital makes another name; nor a letter whose small form is that of another one, as U+212A. */
function inLowerCase(word: string): string {
  const [, letters] = /^\(?(\p{L}+(?:-\p{L}+)*)[.,;:!?)]*$/u.exec(word) ?? []
  if (letters === undefined) return word
  const lower = letters.toLowerCase()
  const isWord = (part: string): boolean => part.slice(1) === part.slice(1).toLowerCase() || part === part.toUpperCase()
  const isPlain = lower.toUpperCase() === letters.toUpperCase() && letters.split('-').every(isWord)
  return isPlain ? word.replace(letters, lower) : word
}

/** Only after a word: after `..` or `/etc` it may be part of a path. */
function withoutStop(text: string): string {
  const ended = text.endsWith(' ') ? text.slice(0, -1) : text
  const last = ended.slice(ended.lastIndexOf(' ') + 1)
  return /^\(?\p{L}+(?:-\p{L}+)*\)?[.!,;:]$/u.test(last) ? ended.slice(0, -1) : ended
}
