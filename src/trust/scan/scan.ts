/**
 * The scan of definitions: what a server tells models about its tools, prompts and resources, read for tricks. Synchronous,
 * without I/O, linear in what it reads, and bounded. That it finds nothing proves nothing: a plain request in plain words
 * has no mark to find. Pins and policy decide; this tells a person where to look.
 */
import type { Definition } from '../definition.ts'
import { families as all } from './families.ts'
import type { Family, Mark, Read, Row, ScanContext, ScanFinding } from './finding.ts'
import { leavesOf } from './leaves.ts'
import { shownAt, visible } from './shown.ts'

/** Of one definition; a definition with more has been condemned by the first. */
const findingsMax = 100
/** Of one rule in one text. */
const perTextMax = 3

export function scanDefinition(
  definition: Definition,
  context: ScanContext,
  families: readonly Family[] = all,
): readonly ScanFinding[] {
  return findingsOf({ definition, ...leavesOf(definition.body) }, context, families)
}

/** Every definition of one server, and what only shows when they are seen together. */
export function scanCatalog(
  definitions: readonly Definition[],
  context: ScanContext,
  families: readonly Family[] = all,
): readonly ScanFinding[] {
  const catalog = definitions.map((definition): Read => ({ definition, ...leavesOf(definition.body) }))
  const findings = catalog.flatMap((read) => findingsOf(read, context, families))
  for (const { rows, ofCatalog } of families) {
    for (const [definition, mark] of ofCatalog?.(catalog, context) ?? []) findings.push(findingOf(definition, mark, rows))
  }
  return findings
}

function findingsOf(read: Read, context: ScanContext, families: readonly Family[]): ScanFinding[] {
  const { definition, leaves } = read
  const findings: ScanFinding[] = []
  const counts = new Map<string, number>()
  const take = (marks: Iterable<Mark>, rows: Family['rows']): void => {
    for (const mark of marks) {
      const place = `${mark.rule} ${mark.leaf.path}`
      const count = (counts.get(place) ?? 0) + 1
      counts.set(place, count)
      if (findings.length >= findingsMax) return
      if (count <= perTextMax) findings.push(findingOf(definition, mark, rows))
    }
  }
  for (const { rows, ofDefinition } of families) if (ofDefinition) take(ofDefinition(read, context), rows)
  for (const leaf of leaves) {
    if (findings.length >= findingsMax) break
    for (const { rows, ofText } of families) if (ofText) take(ofText(leaf, definition, context), rows)
  }
  return findings
}

function findingOf({ kind, name }: Definition, mark: Mark, rows: Family['rows']): ScanFinding {
  const row: Row | undefined = rows[mark.rule as keyof typeof rows]
  if (row === undefined) throw new Error(`the rule ${mark.rule} has no row in its family`)
  const { path, text } = mark.leaf
  const note = mark.note === undefined ? '' : ` (${mark.note})`
  return {
    rule: mark.rule,
    severity: row.severity,
    evidence: `The ${kind} "${brief(name)}" ${row.says}, at ${path === '' ? 'the top' : brief(path)}${note}.`,
    owasp: row.owasp,
    requirement: row.requirement,
    kind,
    name,
    at: { path, start: mark.start, end: mark.end },
    shown: shownAt(text, mark.start, mark.end),
  }
}

const briefChars = 80
const brief = (text: string): string => {
  const shown = visible(text.slice(0, briefChars + 1))
  return text.length > briefChars ? `${shown.slice(0, briefChars)}…` : shown
}
