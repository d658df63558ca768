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

/**
 * Limits are for each rule by itself: if all rules shared one, a flood of small findings would hide a grave one.
 */
const perTextMax = 3
const perDefinitionMax = 20
const perCatalogMax = 2000

export function scanDefinition(
  definition: Definition,
  context: ScanContext,
  families: readonly Family[] = all,
): readonly ScanFinding[] {
  const read: Read = { definition, ...leavesOf(definition.body, definition.kind) }
  const findings: ScanFinding[] = []
  const counts = new Map<string, number>()
  const take = (marks: Iterable<Mark>, rows: Family['rows']): void => {
    for (const mark of marks) {
      if (!counted(counts, `${mark.rule} ${mark.leaf.path}`, perTextMax)) continue
      if (counted(counts, mark.rule, perDefinitionMax)) findings.push(findingOf(definition, mark, rows))
    }
  }
  for (const { rows, ofDefinition } of families) if (ofDefinition) take(ofDefinition(read, context), rows)
  for (const leaf of read.leaves)
    for (const { rows, ofText } of families) if (ofText) take(ofText(leaf, definition, context), rows)
  return findings
}

/** Every definition of one server, and what only shows when they are seen together. */
export function scanCatalog(
  definitions: readonly Definition[],
  context: ScanContext,
  families: readonly Family[] = all,
): readonly ScanFinding[] {
  const findings: ScanFinding[] = []
  const counts = new Map<string, number>()
  const take = (finding: ScanFinding): void => {
    if (counted(counts, finding.rule, perCatalogMax)) findings.push(finding)
  }
  for (const definition of definitions) for (const finding of scanDefinition(definition, context, families)) take(finding)
  for (const { rows, ofCatalog } of families)
    for (const [definition, mark] of ofCatalog?.(definitions, context) ?? []) take(findingOf(definition, mark, rows))
  return findings
}

/** One more; whether it is still within the limit. */
function counted(counts: Map<string, number>, what: string, max: number): boolean {
  const count = (counts.get(what) ?? 0) + 1
  counts.set(what, count)
  return count <= max
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
    at: { path: path.slice(0, pathCharsMax), start: mark.start, end: mark.end },
    ...shownAt(text, mark.start, mark.end),
  }
}

/** A server chooses the names that a path consists of. */
const pathCharsMax = 4000
const briefChars = 80
const brief = (text: string): string => {
  const shown = visible(text.slice(0, briefChars + 1))
  return text.length > briefChars ? `${shown.slice(0, briefChars)}…` : shown
}
