/**
 * Words of strangers in a page: escaped, kept from turning the lines around them, and with what cannot be seen spelt out. A bracket of
 * ours is never one of theirs, for theirs are spelt out too.
 */
import { html } from 'hono/html'
import { visible } from '../../trust/scan/shown.ts'

export type Markup = ReturnType<typeof html>

/** From UTF-16 unit to unit. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** On one line, as a part of a sentence. */
export const words = (text: string): Markup => html`<bdi>${tokens(visible(text))}</bdi>`

const tokens = (text: string): readonly (Markup | string)[] =>
  text.split(/(⟦[^⟧]*⟧)/).map((part, at) => (at % 2 === 1 ? html`<span class="token">${part}</span>` : part))

/** Lines as they stand; a line feed is seen, and obeyed. */
const lines = (shown: string): readonly (Markup | string)[] => tokens(shown.replaceAll('⏎', '⏎\n'))

/** What was made visible before, with the span in it that is meant. */
export const shownWith = (shown: string, { start, end }: Span): Markup =>
  start === end
    ? html`<pre dir="auto">${lines(shown)}</pre>`
    : html`<pre dir="auto">${lines(shown.slice(0, start))}<mark>${lines(shown.slice(start, end))}</mark>${lines(shown.slice(end))}</pre>`

/** A text as it was sent, up to `charsMax`, with the spans in it that are meant. */
export function textWith(text: string, spans: readonly Span[], charsMax: number): Markup {
  const kept = text.slice(0, charsMax)
  const parts: (Markup | string | readonly (Markup | string)[])[] = []
  let at = 0
  for (const { start, end } of joined(spans)) {
    if (start >= kept.length) break
    parts.push(lines(visible(kept.slice(at, start))), html`<mark>${lines(visible(kept.slice(start, end)))}</mark>`)
    at = Math.min(end, kept.length)
  }
  parts.push(lines(visible(kept.slice(at))))
  if (text.length > kept.length) parts.push(html`<span class="token">⟦${text.length - kept.length} MORE⟧</span>`)
  return html`<pre dir="auto">${parts}</pre>`
}

/** In their order, those that touch as one. */
function joined(spans: readonly Span[]): readonly Span[] {
  const made: { start: number; end: number }[] = []
  for (const { start, end } of spans.filter((one) => one.end > one.start).sort((a, b) => a.start - b.start)) {
    const last = made.at(-1)
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end)
    else made.push({ start, end })
  }
  return made
}
