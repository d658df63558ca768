/** What was too large or too deep to be read. It is a finding and not a failure: what nobody reads is where an attack hides. */
import type { Family, Mark, Read } from '../finding.ts'
import { markAt } from '../finding.ts'
import { charsMax, depthMax, nodesMax } from '../leaves.ts'

const deep = 24
const broad = 5000

const why = {
  depth: `nested more than ${depthMax} levels deep`,
  breadth: `more than ${nodesMax} values`,
  length: `more than ${charsMax} characters`,
} as const

function* ofDefinition({ unread, depth, nodes }: Read): Generator<Mark> {
  for (const { path, why: reason } of unread) yield markAt('trust/unread', path, why[reason])
  if (unread.length > 0) return
  if (depth > deep) yield markAt('trust/deep', '', `${depth} levels`)
  if (nodes > broad) yield markAt('trust/broad', '', `${nodes} values`)
}

export const limits: Family = {
  rows: {
    'trust/unread': {
      severity: 'high',
      says: 'is so large that a part of it was not read',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/deep': {
      severity: 'medium',
      says: 'is nested deeper than anything a person wrote',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/broad': {
      severity: 'medium',
      says: 'has more parts than anything a person wrote',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
  },
  ofDefinition,
}
