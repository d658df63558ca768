import type { Finding } from '../pipeline/guard.ts'
import type { Opinion } from '../pipeline/judge.ts'
import type { Refusal } from '../pipeline/refusal.ts'
import type { Leg } from '../protocol/methods.ts'
import { evidenceCharsMax, type Note } from './entry.ts'
import { quoted } from './redact.ts'

/** What the guards said, monitored ones too, one note a finding; and what a refusal found that came from no guard. */
export function notesOf(
  heard: readonly { readonly leg: Leg; readonly opinion: Opinion }[],
  refusal: Refusal | undefined,
): readonly Note[] {
  const notes: Note[] = []
  const noted = new Set<Finding>()
  for (const { leg, opinion } of heard) {
    const { guard, kind, mode } = opinion
    if (opinion.findings.length === 0) notes.push({ guard, kind, leg, mode })
    for (const finding of opinion.findings) {
      noted.add(finding)
      notes.push(noteOf(finding, guard, kind, leg, mode))
    }
  }
  for (const finding of refusal?.findings ?? []) {
    if (!noted.has(finding)) notes.push(noteOf(finding, finding.rule.split('/', 1)[0] as string, 'block', undefined, 'enforce'))
  }
  return notes
}

const noteOf = (finding: Finding, guard: string, kind: Note['kind'], leg: Leg | undefined, mode: Note['mode']): Note => ({
  evidence: quoted(finding.evidence, evidenceCharsMax),
  guard,
  kind,
  leg,
  mode,
  owasp: finding.owasp,
  requirement: finding.requirement,
  rule: finding.rule,
  severity: finding.severity,
})
