/** Markup that a viewer leaves out or draws invisibly, while the model gets the source. */
import type { Family, Mark } from '../finding.ts'
import type { Leaf } from '../leaves.ts'

/** A comment of this many words says something; `<!-- wp:paragraph -->` in a description of comments does not. */
const wordsMin = 4
/** A comment of a reference definition in Markdown, or a link definition that nothing refers to. */
const markdownComment = /\n {0,3}\[(?:\/\/|comment|#|_|\^?[ -])\][:,] {0,4}(?:<>|#)? {0,4}[("'][^\n]{12,2000}[)"']/gi
const unseenStyle =
  /(?:display ?: ?none|visibility ?: ?hidden|opacity ?: ?0(?:\.0{1,3})?(?![.\d])|font-size ?: ?0(?:\.[01]\d?)?(?:px|pt|em|rem|%)?(?![.\d])|(?:max-)?(?:height|width) ?: ?0(?:px)?(?![.\d])[^>]{0,80}overflow ?: ?hidden|text-indent ?: ?-\d{3,6}|left ?: ?-\d{4,6}px|[^-]color ?: ?(?:transparent|white\b|#fff(?:fff)?\b|rgba\([^)]{1,20}, ?0\)))/gi
const hiddenElement =
  /<(?:\w{1,12}) [^<>]{0,200}?(?:\bhidden\b|aria-hidden ?= ?["']?true|type ?= ?["']?hidden)[^<>]{0,200}>|<(?:template|noscript)[ >]/gi
/** `[text](url "title")`: the title shows when a mouse rests on it, if at all. */
const linkTitle = /\]\([^()\s"]{0,500}\s{1,4}"([^"\n]{40,2000})"\)/g
/** `![](https://collector/?q=…)`: fetched when shown, with whatever was put into it. */
const beacon = /!\[[^\]\n]{0,200}\]\(https?:\/\/[^()\s]{1,500}(?:\{|%7b|<|\$\()[^()\s]{0,200}/gi
const script =
  /<(?:script|iframe|object|embed)[\s>/]|<meta http-equiv|<(?:svg|img|body|video|audio|details|input)[^<>]{0,200}?\son[a-z]{3,16} ?=|<a [^<>]{0,200}?href ?= ?["']?javascript:/gi

const rules: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ['trust/hidden-markup', markdownComment],
  ['trust/hidden-markup', unseenStyle],
  ['trust/hidden-element', hiddenElement],
  ['trust/link-title', linkTitle],
  ['trust/beacon', beacon],
  ['trust/active-markup', script],
]

function* ofText(leaf: Leaf): Generator<Mark> {
  const { text } = leaf
  if (!/[<[:]/.test(text)) return
  yield* comments(leaf)
  for (const [rule, pattern] of rules)
    for (const { index, 0: found } of text.matchAll(pattern)) yield { rule, leaf, start: index, end: index + found.length }
}

/** By hand, since a pattern for "until `-->`" is tried again at every `<!--` that has none. */
function* comments(leaf: Leaf): Generator<Mark> {
  const { text } = leaf
  for (let open = text.indexOf('<!--'); open !== -1; ) {
    const close = text.indexOf('-->', open + 4)
    const end = close === -1 ? text.length : close + 3
    const said = text.slice(open + 4, Math.min(close === -1 ? end : close, open + 2000))
    const words = said.match(/\p{L}{2,}/gu)?.length ?? 0
    const isSaying = words >= wordsMin || /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{6}/.test(said)
    yield { rule: isSaying ? 'trust/hidden-markup' : 'trust/comment', leaf, start: open, end }
    open = text.indexOf('<!--', end)
  }
}

const row = (severity: 'high' | 'medium' | 'low', says: string) =>
  ({ severity, says, owasp: 'MCP03', requirement: 'INJ-R3' }) as const

export const markup: Family = {
  rows: {
    'trust/hidden-markup': row('high', 'has text in markup that viewers do not show'),
    'trust/hidden-element': row('medium', 'has an element of HTML that is not shown'),
    'trust/comment': row('low', 'has a comment without a sentence in it'),
    'trust/link-title': row('medium', 'has a sentence in the title of a link'),
    'trust/beacon': row('high', 'has an image whose address takes data along'),
    'trust/active-markup': row('medium', 'has markup that would run or load something in a browser'),
  },
  ofText,
}
