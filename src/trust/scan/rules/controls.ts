/** What a terminal obeys instead of showing it: whoever reviews a definition there sees something else than the model. */
import type { Family, Mark } from '../finding.ts'
import type { Leaf } from '../leaves.ts'

/** ESC, CSI, OSC, DCS, APC, backspace: they move, colour, hide and erase (ECMA-48). */
const obeyed = /[\x08\x1b\x90\x9b\x9d\x9f]/g
const other = /[\0-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x8f\x91-\x9a\x9c\x9e]/g
/** A carriage return alone goes back to the beginning of the line, and what follows overwrites it. */
const overwritten = /\r(?![\r\n]|$)/g
const broken = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufdd0-\ufdef\ufffe\uffff]/g
const stacked = /\p{Mn}{9,64}/gu

const rules: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ['trust/terminal-escape', obeyed],
  ['trust/control-character', other],
  ['trust/overwritten-line', overwritten],
  ['trust/broken-text', broken],
  ['trust/stacked-marks', stacked],
]

const someOfThem = /[^\t\n\x20-\x7e]/

function* ofText(leaf: Leaf): Generator<Mark> {
  if (!someOfThem.test(leaf.text)) return
  for (const [rule, pattern] of rules)
    for (const { index, 0: found } of leaf.text.matchAll(pattern)) yield { rule, leaf, start: index, end: index + found.length }
}

const row = (severity: 'high' | 'medium' | 'low', says: string) =>
  ({ severity, says, owasp: 'MCP03', requirement: 'INJ-R3' }) as const

export const controls: Family = {
  rows: {
    'trust/terminal-escape': row('high', 'has a sequence that a terminal obeys, such as to hide or erase text'),
    'trust/control-character': row('medium', 'has a control character, which no text needs'),
    'trust/overwritten-line': row('low', 'has a line that overwrites itself in a terminal'),
    'trust/broken-text': row('medium', 'has half a surrogate pair or a code point that is no character'),
    'trust/stacked-marks': row('medium', 'has letters buried under combining marks'),
  },
  ofText,
}
