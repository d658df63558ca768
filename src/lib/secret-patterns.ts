/**
 * Secrets in any text, whoever wrote it. Three ways, from certain to likely: by their form, by the name beside them, and by what they
 * are used for (a login in a URL, a header, a block of PEM). Linear in the length of the text: an expression is tried only where its
 * beginning stands, and nothing in it repeats without a bound. The answer says where and of what kind, and never quotes.
 */
import { secretForms } from './secret-patterns-forms.ts'
import { serviceAssignment, uuidServices } from './secret-patterns-services.ts'
import { entropy, isHexDigest, isPlaceholder, isReadable, isUuid } from './secret-patterns-shape.ts'
import { secretUses } from './secret-patterns-uses.ts'

export interface SecretFound {
  /** Stable: `secret/github-token`. */
  readonly rule: string
  /** For people: `GitHub token`. */
  readonly name: string
  /** `certain` by its form; `likely` by its surroundings. */
  readonly certainty: 'certain' | 'likely'
  /** UTF-16 code units. */
  readonly start: number
  readonly end: number
}

export interface SecretOptions {
  /** Whether exactly this text is known and harmless. */
  isAllowed?(value: string): boolean
}

const foundMax = 10_000

/** In the order of the text, without overlaps; of two that overlap the certain one stays, then the longer. */
export function findSecrets(text: string, { isAllowed }: SecretOptions = {}): readonly SecretFound[] {
  const found: SecretFound[] = []
  const add = (rule: string, name: string, certainty: SecretFound['certainty'], start: number, value: string): void => {
    if (found.length < foundMax && isAllowed?.(value) !== true)
      found.push({ rule, name, certainty, start, end: start + value.length })
  }
  for (const { id, name, anchors, pattern, entropyMin } of secretForms) {
    if (!anchors.some((anchor) => text.includes(anchor))) continue
    for (const match of text.matchAll(pattern)) {
      const [value] = match
      if (isPlaceholder(value) || (entropyMin !== undefined && entropy(value) < entropyMin) || isInBlob(text, match.index, value))
        continue
      add(id, name, 'certain', match.index, value)
    }
  }
  for (const match of text.matchAll(serviceAssignment)) {
    const { value = '' } = match.groups ?? {}
    if (isOfService(match[0], value))
      add('secret/service-key', 'key of a service', 'likely', match.index + match[0].length - value.length, value)
  }
  for (const { id, name, anchors, pattern, isSecret } of secretUses) {
    if (!anchors.some((anchor) => text.includes(anchor))) continue
    for (const match of text.matchAll(pattern)) {
      const value = match.groups?.['value'] ?? match[0]
      if (isSecret(value, match)) add(id, name, 'likely', match.index + match[0].lastIndexOf(value), value)
    }
  }
  return apart(found)
}

function isOfService(whole: string, value: string): boolean {
  if (isUuid(value)) return uuidServices.test(whole)
  if (value.length < 14 && !/^[a-z0-9]{10,}$/i.test(value)) return false
  if (isPlaceholder(value) || isReadable(value)) return false
  const isNumber = /^\d+$/.test(value)
  return isNumber
    ? value.length >= 16 && entropy(value) > 2.4
    : /\d/.test(value) && /[a-z]/i.test(value) && entropy(value) >= (isHexDigest(value) ? 3 : 3.2)
}

/** Within a long run of base64, a picture or a digest of Subresource Integrity, the signs of a token come together by chance. */
function isInBlob(text: string, start: number, value: string): boolean {
  const before = text.slice(Math.max(0, start - 200), start)
  const [run = ''] = /[A-Za-z0-9+/]*$/.exec(before) ?? []
  if (run.length >= 24) return true
  const [after = ''] = /^[A-Za-z0-9+/]*/.exec(text.slice(start + value.length, start + value.length + 200)) ?? []
  return after.length >= 24 || /(?:sha(?:1|256|384|512)-|;base64,)[A-Za-z0-9+/]*$/.test(before)
}

function apart(found: readonly SecretFound[]): readonly SecretFound[] {
  const better = (a: SecretFound, b: SecretFound): boolean =>
    a.certainty === b.certainty ? a.end - a.start > b.end - b.start : a.certainty === 'certain'
  const sorted = found.toSorted((a, b) => a.start - b.start || b.end - a.end)
  const kept: SecretFound[] = []
  for (const one of sorted) {
    const last = kept.at(-1)
    if (last === undefined || one.start >= last.end) kept.push(one)
    else if (better(one, last)) kept[kept.length - 1] = one
  }
  return kept
}
