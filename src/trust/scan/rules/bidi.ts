/**
 * Controls of writing direction (UAX 9). Marks and balanced isolates are how Arabic and Hebrew are written together with Latin
 * words; an override makes people read other letters in another order than the model does.
 */
import type { Family, Mark } from '../finding.ts'
import type { Leaf } from '../leaves.ts'

export const isBidi = (code: number): boolean =>
  code === 0x61c || code === 0x200e || code === 0x200f || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)

const someControl = /[\u202a-\u202e\u2066-\u2069]/
const controls = /[\u202a-\u202e\u2066-\u2069]/g
const rightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u

function* ofText(leaf: Leaf): Generator<Mark> {
  const { text, role } = leaf
  if (role === 'name' || role === 'key') {
    const at = text.search(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/)
    if (at !== -1) yield { rule: 'trust/direction-override', leaf, start: at, end: at + 1 }
    return
  }
  if (!someControl.test(text)) return
  const isAtHome = rightToLeft.test(text)
  for (const { index, 0: control } of text.matchAll(controls)) {
    const isOverride = control === '\u202d' || control === '\u202e'
    const place = { leaf, start: index, end: index + 1 }
    if (isOverride) yield { rule: 'trust/direction-override', ...place }
    else if (!isAtHome) yield { rule: 'trust/direction-control', ...place }
  }
}

export const bidi: Family = {
  rows: {
    'trust/direction-override': {
      severity: 'high',
      says: 'has letters that are shown in another order than they are read',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/direction-control': {
      severity: 'medium',
      says: 'has controls of writing direction in text that is written from left to right',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
  },
  ofText,
}
