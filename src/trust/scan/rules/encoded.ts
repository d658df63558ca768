/** Instructions in another writing: a model reads base64, and a person scrolls past it. Real keys and pictures say nothing. */
import type { Definition } from '../../definition.ts'
import { decodingsOf } from '../decodings.ts'
import type { Family, Mark, ScanContext } from '../finding.ts'
import { type Leaf, leaf as leafOf } from '../leaves.ts'
import { directing } from './directing.ts'
import { overrides } from './override.ts'
import { privatePaths } from './private-paths.ts'
import { secrecy } from './secrecy.ts'
import { sending } from './sending.ts'

const speaking: readonly Family[] = [overrides, secrecy, directing, privatePaths, sending]
/** Base64 within base64 within base64. */
const roundsMax = 3
const longChars = 40

function* ofText(leaf: Leaf, definition: Definition, context: ScanContext): Generator<Mark> {
  for (const decoding of decodingsOf(leaf.text)) {
    const { start, end, text, how } = decoding
    const place = { leaf, start, end, note: how }
    const original = leaf.text.slice(start, end)
    if (speaks(text, original, definition, context, 1)) yield { rule: 'trust/encoded-instruction', ...place }
    else if ((how === 'base64' || how === 'hexadecimal digits') && text.length >= longChars)
      yield { rule: 'trust/encoded-text', ...place }
  }
}

/** Whether it gives instructions that the original does not give as it stands. */
function speaks(text: string, original: string, definition: Definition, context: ScanContext, round: number): boolean {
  const said = leafOf('', text, 'prose')
  for (const { rows, ofText: marksOf } of speaking) {
    for (const { rule, start, end } of marksOf?.(said, definition, context) ?? []) {
      const isNew = text.length !== original.length || text.slice(start, end) !== original.slice(start, end)
      if (isNew && rows[rule as keyof typeof rows]?.severity !== 'low') return true
    }
  }
  if (round >= roundsMax) return false
  for (const inner of decodingsOf(text, true)) {
    const outer = text.slice(inner.start, inner.end)
    if (inner.text !== original && speaks(inner.text, outer, definition, context, round + 1)) return true
  }
  return false
}

export const encoded: Family = {
  rows: {
    'trust/encoded-instruction': {
      severity: 'critical',
      says: 'has instructions in a writing that people do not read',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/encoded-text': {
      severity: 'medium',
      says: 'has encoded text in it',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
  },
  ofText,
}
