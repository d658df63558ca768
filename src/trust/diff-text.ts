/** What is different between two texts that a model reads. What grows, and what cannot be seen, is said in figures. */
import { plainText } from './cosmetic.ts'

export interface TextChange {
  readonly kind: 'added' | 'cosmetic' | 'hidden' | 'rewritten'
  readonly says: string
  /** The part that is different, as it was and as it is. */
  readonly was?: string
  readonly now?: string
}

export const textAdded = (name: string, now: string): TextChange => ({
  kind: hiddenIn(now) > 0 ? 'hidden' : 'added',
  says: `${name} was added, ${lengthOf(now)}`,
  now: cut(now),
})

/** Of two that are not the same. */
export function textChange(name: string, old: string, now: string): TextChange {
  if (plainText(old) === plainText(now))
    return { kind: 'cosmetic', says: `${name} differs in white space, capitals or closing punctuation alone` }
  const hidden = hiddenIn(now) - hiddenIn(old)
  const more = [...now].length - [...old].length
  const size =
    more === 0
      ? 'was rewritten, as long as before'
      : more > 0
        ? `gained ${more} character${more === 1 ? '' : 's'}`
        : `lost ${-more} character${more === -1 ? '' : 's'}`
  const says = `${name} ${size}${hidden > 0 ? `, ${hidden} hidden` : ''}`
  return { kind: hidden > 0 ? 'hidden' : 'rewritten', says, ...differing(old, now) }
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

/** Format characters, tags, variation selectors and unassigned ones: a model reads them, a person does not. */
const hiddenIn = (text: string): number => text.match(hidden)?.length ?? 0
const hidden = /\p{Cf}|\p{Co}|\p{Cn}|\u034f|\u115f|\u1160|\u17b4|\u17b5|\u3164|\uffa0|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu
const lengthOf = (text: string): string => {
  const [all, hidden] = [[...text].length, hiddenIn(text)]
  return `${all} character${all === 1 ? '' : 's'}${hidden > 0 ? `, ${hidden} hidden` : ''}`
}
