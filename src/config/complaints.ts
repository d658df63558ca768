/** What the schema refused, said so that the reader can mend it: the word that was meant, the values there are. */
import type { z } from 'zod'
import { knownKeys } from './json-schema.ts'
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
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: 'is not a key we know',
        fix: suggest(key, knownKeys(path)),
        at: 'key',
      }))
    case 'invalid_type': {
      const expected = kinds[issue.expected] ?? issue.expected
      if (isMissing) return one('is missing', `give it: ${expected}`)
      const isUnquoted = issue.expected === 'string' && ['number', 'boolean'].includes(typeof value)
      const isSecret = looksLikeSecret(String(path.at(-1)), textOf(value))
      const quote = isUnquoted && !isSecret ? `write it in quotes: "${value}"` : `write ${expected}`
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
      const meant = meantOf(issue.errors)
      if (meant !== undefined)
        return meant.flatMap((inner) => complaintOf({ ...inner, path: [...issue.path, ...inner.path] }, root))
      const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : formsIn(issue.errors)
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

/** The forms there are, as words: what may be written outright, and the kind of all else. */
const formsIn = (forms: readonly (readonly Issue[])[]): string[] =>
  forms.flatMap(([first]) => {
    if (first?.code === 'invalid_value') return first.values.map(String)
    return first?.code === 'invalid_type' ? [kinds[first.expected] ?? first.expected] : []
  })
