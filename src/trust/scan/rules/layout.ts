/** Text that is pushed out of view: everything after a screen of nothing is for a reader that does not scroll. */

import { isBlank, isInvisible } from '../characters.ts'
import type { Family, Mark } from '../finding.ts'
import type { Leaf } from '../leaves.ts'

/** More than any indentation; the first is wider than the pane of a client, the second higher. */
const columnsMax = 160
const linesMax = 20
/** Nobody has a screen like that. */
const farColumns = 400
const farLines = 40
const longChars = 20_000

const isSpace = (unit: number): boolean => isBlank(unit) || isInvisible(unit) || unit === 0x3164

function* ofText(leaf: Leaf): Generator<Mark> {
  const { text } = leaf
  if (text.length > longChars)
    yield { rule: 'trust/long-text', leaf, start: longChars, end: longChars, note: `${text.length} characters` }
  for (let at = 0; at < text.length; at++) {
    if (!isSpace(text.charCodeAt(at))) continue
    const start = at
    let [lines, columns, widest] = [0, 0, 0]
    for (; at < text.length && isSpace(text.charCodeAt(at)); at++) {
      const unit = text.charCodeAt(at)
      if (unit === 0x0a || unit === 0x2028 || unit === 0x2029 || unit === 0x85 || unit === 0x0b) {
        lines++
        columns = 0
      } else widest = Math.max(widest, ++columns)
    }
    // What follows nothing is not hidden by it.
    if (at >= text.length || start === 0) continue
    const isFar = widest > farColumns || lines > farLines
    if (!isFar && widest <= columnsMax && lines <= linesMax) continue
    yield { rule: isFar ? 'trust/pushed-out' : 'trust/padding', leaf, start, end: at, note: `${lines} lines, ${widest} columns` }
  }
}

export const layout: Family = {
  rows: {
    'trust/pushed-out': {
      severity: 'high',
      says: 'goes on after white space that no window is large enough for',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/padding': {
      severity: 'medium',
      says: 'goes on after a screenful of white space',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/long-text': {
      severity: 'medium',
      says: 'has a text that is longer than anybody reads',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
  },
  ofText,
}
