/** What stands at a span, for people: short, and nothing in it that cannot be seen. The words are a stranger's. */
import { isBlank, isControl, isInvisible, isTag, token, untagged } from './characters.ts'

const aroundChars = 40
/** Of a long span, this much at each end. */
const endChars = 120

export interface Shown {
  readonly shown: string
  /** The span itself, in `shown`. */
  readonly marked: { readonly start: number; readonly end: number }
}

export function shownAt(text: string, start: number, end: number): Shown {
  if (text === '') return { shown: '', marked: { start: 0, end: 0 } }
  const before = visible(text.slice(whole(text, Math.max(0, start - aroundChars)), start))
  const after = visible(text.slice(end, whole(text, Math.min(text.length, end + aroundChars))))
  const span = end - start
  const [head, tail] = [whole(text, start + endChars), whole(text, end - endChars)]
  const inside =
    span <= 2 * endChars
      ? visible(text.slice(start, end))
      : `${visible(text.slice(start, head))}⟦${tail - head} MORE⟧${visible(text.slice(tail, end))}`
  return { shown: before + inside + after, marked: { start: before.length, end: before.length + inside.length } }
}

/** Not in the middle of a surrogate pair. */
const whole = (text: string, at: number): number =>
  at > 0 && at < text.length && isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1)) ? at - 1 : at
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

/** Single spaces and line feeds stay as they are; longer runs of one blank are counted. */
export function visible(text: string): string {
  let shown = ''
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) as number
    const end = endOfRun(text, at, code)
    const count = (end - at) / width(code)
    if (isTag(code)) shown += tags(text.slice(at, end))
    else if (!isHiddenFromView(code)) shown += text.slice(at, end)
    else if ((code === 0x20 || code === 0x0a) && count <= 4) shown += code === 0x20 ? ' '.repeat(count) : '⏎'.repeat(count)
    else if (count <= 4) shown += token(code).repeat(count)
    else shown += `⟦${count} × ${token(code).slice(1, -1)}⟧`
    at = end
  }
  return shown
}

const width = (code: number): number => (code > 0xffff ? 2 : 1)

/** The same character again and again; of tags, all that follow each other. */
function endOfRun(text: string, from: number, code: number): number {
  let at = from + width(code)
  while (at < text.length) {
    const next = text.codePointAt(at) as number
    if (next !== code && !(isTag(code) && isTag(next))) break
    at += width(next)
  }
  return at
}

const isHiddenFromView = (code: number): boolean =>
  isInvisible(code) ||
  isBlank(code) ||
  isControl(code) ||
  (code >= 0xd800 && code <= 0xdfff) ||
  (code > 0x7f && /[\p{Cf}\p{Co}\p{Cn}]/u.test(String.fromCodePoint(code))) ||
  code === 0x27e6 ||
  code === 0x27e7

function tags(run: string): string {
  const said = [...run].map((tag) => untagged(tag.codePointAt(0) as number)).join('')
  return `⟦${[...run].length} TAG CHARACTERS "${said}"⟧`
}
