/** Small changes to a text at the places that its tree knows, each written as the format around it is written. */
import { quoted } from './guarded.ts'
import { type Item, type ListNode, type MapNode, type Member, memberOf, type Tree } from './tree.ts'

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Overlaps are a mistake of ours. */
export function applied(text: string, edits: readonly Edit[]): string {
  let [result, from] = ['', 0]
  for (const { start, end, text: replacement } of edits.toSorted(
    (one, other) => one.start - other.start || one.end - other.end,
  )) {
    if (start < from) throw new Error('two changes of one place')
    result += text.slice(from, start) + replacement
    from = end
  }
  return result + text.slice(from)
}

export const replacement = ({ start, end }: { start: number; end: number }, text: string): Edit => ({ start, end, text })

/** What separates what is written before `start` from what stands there: a line of its own, or a space. */
function separatorAt({ text }: Tree, start: number, block: boolean): { readonly separator: string; readonly isOwnLine: boolean } {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const before = text.slice(lineStart, start)
  const isOwnLine = block || (before.trim() === '' && lineStart > 0)
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const indent = before.trim() === '' ? before : ' '.repeat(before.length)
  return { separator: isOwnLine ? newline + indent : ' ', isOwnLine }
}

/** The words as the first items of a list. */
export function prepended(tree: Tree, list: ListNode, words: readonly string[]): Edit {
  const [first] = list.items
  if (first === undefined) return { start: list.start + 1, end: list.start + 1, text: words.map(quoted).join(', ') }
  const { separator } = separatorAt(tree, first.lead, list.block)
  const text = words.map((word) => (list.block ? `- ${quoted(word)}` : `${quoted(word)},`) + separator).join('')
  return { start: first.lead, end: first.lead, text }
}

/** The first items of a list left out: the undoing of {@link prepended}. */
export function withoutFirst(list: ListNode, count: number): Edit {
  const next = list.items[count]
  if (next === undefined) return { start: list.start, end: list.end, text: '[]' }
  return { start: (list.items[0] as Item).lead, end: next.lead, text: '' }
}

/** A member as source, for a place before `anchor`. */
const memberText = ({ format }: Tree, { prefix }: Member, key: string, value: string): string =>
  format === 'json' ? `${quoted(key)}: ${value}` : format === 'toml' ? `${prefix}${key} = ${value}` : `${key}: ${value}`

export const listText = (words: readonly string[]): string => `[${words.map(quoted).join(', ')}]`

/** A new member before the one called `anchor`. */
export function insertedBefore(tree: Tree, map: MapNode, anchor: Member, key: string, value: string): Edit {
  const { separator } = separatorAt(tree, anchor.start, map.block)
  const comma = map.block ? '' : ','
  return { start: anchor.start, end: anchor.start, text: memberText(tree, anchor, key, value) + comma + separator }
}

/** A member under another key, with another value, in its place. */
export const renamed = (tree: Tree, member: Member, key: string, value: string): Edit => ({
  start: member.start,
  end: member.value.end,
  text: memberText(tree, member, key, value),
})

/** A member left out, with what separates it from the next: the undoing of {@link insertedBefore}. */
export function removed(map: MapNode, key: string): Edit | undefined {
  const member = memberOf(map, key)
  if (member === undefined) return undefined
  const inOrder = map.members.toSorted((one, other) => one.start - other.start)
  const at = inOrder.indexOf(member)
  const [before, next] = [inOrder[at - 1], inOrder[at + 1]]
  if (next !== undefined) return { start: member.start, end: next.start, text: '' }
  return { start: before?.value.end ?? member.start, end: member.value.end, text: '' }
}
