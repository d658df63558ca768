/** What the schema refused, said so that the reader can mend it: the word that was meant, the values there are. */
import type { z } from 'zod'
import { homesOf, knownKeys, meaningAt } from './json-schema.ts'
import { suggest } from './nearest.ts'
import type { Complaint, Path } from './problem.ts'
import { looksLikeSecret } from './secrets.ts'

type Issue = z.core.$ZodIssue

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys',
  record: 'a mapping of keys',
  null: 'empty',
  undefined: 'missing',
}
const kindOf = (value: unknown): string =>
  kinds[value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value] ?? typeof value

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const part of path)
    value = typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[part] : undefined
  return value
}
/** Of a scalar. Anything else has no text of its own, and its `toString` may be a stranger's. */
const textOf = (value: unknown): string => (typeof value === 'object' ? '' : String(value))
const shown = (value: unknown): string =>
  JSON.stringify(typeof value === 'string' && value.length > 64 ? `${value.slice(0, 64)}…` : value)

export function complaintsOf(issues: readonly Issue[], root: unknown): Complaint[] {
  const misspelt = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(({ path }) => path.join('\0')))
  // A key that is missing because it is misspelt is not missed a second time.
  const first = issues.filter(({ code, path }) => code !== 'custom' || !misspelt.has(path.join('\0')))
  return first.flatMap((issue) => complaintOf(issue, root))
}

/** A key that another mode or kind has is no typing mistake. */
function unknownKey(path: Path, key: string, root: unknown): { message: string; fix: string } {
  const here = knownKeys(path, root)
  const homes = here.includes(key) ? [] : homesOf(path, key)
  const [home] = homes
  if (home === undefined) return { message: 'is not a key we know', fix: suggest(key, here) }
  if (homes.length === 1) return { message: `belongs to ${home}`, fix: `remove it, or use ${home}` }
  const [selector] = home.split(':') as [string]
  const chosen = textOf(valueAt(root, [...path, selector]))
  return { message: `means nothing with ${selector}: ${chosen}`, fix: `remove it; it belongs to ${homes.join(', ')}` }
}

/** What the schema says of a place, behind what kind of value it wants. */
function hintAt(path: Path, root: unknown): string {
  const { description, example } = meaningAt(path, root)
  return example !== undefined ? `, for example ${example}` : description !== undefined ? ` (${description})` : ''
}

/** Of a branch of a union: the words, and the kinds of values, that it wanted in place of the value itself. */
const wordsAtRoot = (issues: readonly Issue[]): string[] =>
  issues.flatMap((issue) => (issue.code === 'invalid_value' && issue.path.length === 0 ? issue.values.map(String) : []))
const kindsAtRoot = (issues: readonly Issue[]): string[] =>
  issues.flatMap((issue) =>
    issue.code === 'invalid_type' && issue.path.length === 0 ? [kinds[issue.expected] ?? issue.expected] : [],
  )

function complaintOf(issue: Issue, root: unknown): Complaint[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  const value = valueAt(root, path)
  const parameters = ('params' in issue ? issue.params : undefined) as { fix?: string } | undefined
  const one = (message: string, fix: string, at: 'key' | 'value' = 'value'): Complaint[] => [
    { path, message, fix: parameters?.fix ?? fix, at },
  ]
  const isMissing = value === undefined && path.length > 0
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], ...unknownKey(path, key, root), at: 'key' }))
    case 'invalid_type': {
      const expected = kinds[issue.expected] ?? issue.expected
      if (isMissing) return one('is missing', `give it: ${expected}${hintAt(path, root)}`)
      const isUnquoted = issue.expected === 'string' && ['number', 'boolean'].includes(typeof value)
      const isSecret = looksLikeSecret(String(path.at(-1)), textOf(value))
      const quote = isUnquoted && !isSecret ? `write it in quotes: "${value}"` : `write ${expected}${hintAt(path, root)}`
      return one(
        `must be ${expected} and is ${kindOf(value)}`,
        path.at(-1) === 'command' ? 'write a list: [program, argument]; there is no shell' : quote,
      )
    }
    case 'invalid_value': {
      if (isMissing) return one('is missing', `write one of: ${issue.values.join(', ')}`)
      return one(`cannot be ${shown(value)}`, suggest(textOf(value), issue.values.map(String)))
    }
    case 'invalid_union': {
      const meant = issue.discriminator === undefined ? meantOf(issue.errors) : undefined
      if (meant !== undefined)
        return meant.flatMap((inner) => complaintOf({ ...inner, path: [...issue.path, ...inner.path] }, root))
      if (issue.discriminator === undefined) {
        const words = issue.errors.flatMap(wordsAtRoot)
        if (typeof value === 'string' && words.length > 0) return one(`cannot be ${shown(value)}`, suggest(value, words))
        const expected = [...new Set([...words, ...issue.errors.flatMap(kindsAtRoot)])].join(' or ')
        const fix = `${isMissing ? 'give it:' : 'write'} ${expected}${hintAt(path, root)}`
        return one(isMissing ? 'is missing' : `must be ${expected} and is ${kindOf(value)}`, fix)
      }
      const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : []
      return isMissing
        ? one('is missing', `write one of: ${options.join(', ')}`)
        : one(`cannot be ${shown(value)}`, suggest(textOf(value), options))
    }
    case 'too_small':
      return one(
        issue.origin === 'number' || issue.origin === 'int' ? `must be at least ${issue.minimum}` : 'is empty',
        `at least ${issue.minimum}`,
      )
    case 'too_big':
      return one(`must be at most ${issue.maximum}`, `at most ${issue.maximum}`)
    case 'invalid_key':
      return issue.issues.flatMap((inner) =>
        complaintOf(inner, undefined).map(({ message, fix }) => ({ path, message, fix, at: 'key' as const })),
      )
    default: {
      const [message = '', fix = 'correct it'] = issue.message.split('; ')
      return one(message.replace(/^Invalid (input|string).*/, 'is not valid'), fix)
    }
  }
}

/** Of several forms, the one that the writer meant: the only one that is right as far as its outermost kind goes. */
function meantOf(forms: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const isOfItsKind = (form: readonly Issue[]): boolean =>
    form.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys' || code === 'custom')
  const fitting = forms.filter((form) => form.length > 0 && isOfItsKind(form))
  return fitting.length === 1 ? fitting[0] : undefined
}
