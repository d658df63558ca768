/**
 * What is known of the parts of a server, as findings that a report can count: from the words of its command, the scripts of its
 * packages, what the policy and the advisories say of them, and from the lock. Nothing is looked up here.
 */
import type { Finding } from '../../pipeline/guard.ts'
import { visible } from '../scan/shown.ts'
import type { AdvisoryReport } from './advisories.ts'
import type { BehindPackage } from './behind.ts'
import { type SupplyRule, supplyRows } from './entry-rows.ts'
import type { Check, CheckName } from './inventory-checks.ts'
import type { Component } from './inventory-component.ts'
import type { ServerLock } from './lock.ts'
import { judgeScripts } from './statics-scripts.ts'

export interface PartFinding extends Finding {
  /** The package, the file, or the id of the advisory. */
  readonly name: string
  readonly fix: string
}

const briefChars = 160
const brief = (text: string): string => {
  const shown = visible(text.slice(0, briefChars + 1))
  return text.length > briefChars ? `${shown.slice(0, briefChars)}…` : shown
}
const versioned = ({ name, version }: Pick<Component, 'name' | 'version'>): string =>
  brief([name, version].filter(Boolean).join(' '))

function found(rule: SupplyRule, name: string, evidence: string): PartFinding {
  const { severity, owasp, requirement, fix } = supplyRows[rule]
  return { rule, severity, evidence, owasp, requirement, name, fix }
}

/** Another judge's words under our roof; a rule that has no row yet keeps them without advice. */
export const withAdvice = (finding: Finding, name: string, evidence: string): PartFinding => ({
  ...{ ...finding, name, evidence },
  fix: supplyRows[finding.rule as SupplyRule]?.fix ?? '',
})

const gapRules: readonly (readonly [gap: RegExp, rule: SupplyRule])[] = [
  [/^the tag "(?!latest")[^"]*" moves/, 'supply/moving-tag'],
  [/^no version$| moves($|;)|^no tag|without a whole commit$| from a URL$/, 'supply/unpinned'],
  [/^a private registry$/, 'supply/other-registry'],
]

/** About the words of the command alone. */
export const commandFindings = ({ name, gaps }: Pick<Component, 'name' | 'gaps'>): readonly PartFinding[] =>
  gaps.flatMap((gap) => {
    const rule = gapRules.find(([pattern]) => pattern.test(gap))?.[1]
    return rule === undefined ? [] : [found(rule, name, `${brief(name)}: ${brief(gap)}.`)]
  })

const namesMax = 5
const listed = (packages: readonly Component[]): string => {
  const names = packages.slice(0, namesMax).map(versioned).join(', ')
  return packages.length > namesMax ? `${names} and ${packages.length - namesMax} more` : names
}

/** What the packages do while they are installed. Those that only build are one fact together. */
export function scriptFindings(packages: readonly BehindPackage[]): readonly PartFinding[] {
  const withScripts = packages.filter(({ scripts = {} }) => Object.keys(scripts).length > 0)
  const bad = withScripts.flatMap((one) =>
    judgeScripts(one.scripts ?? {}).map((finding) =>
      withAdvice(finding, one.name, `${versioned(one)}, when it is installed: ${finding.evidence}.`),
    ),
  )
  const [first] = withScripts
  if (first === undefined) return bad
  return [...bad, found('supply/install-script', first.name, `${listed(withScripts)} run scripts when they are installed.`)]
}

const checkRules: Readonly<Partial<Record<CheckName, SupplyRule>>> = {
  hash: 'supply/other-file',
  licence: 'supply/licence',
  name: 'supply/lookalike-name',
  deprecated: 'supply/deprecated',
}

/** Where the policy says no. What is wrong in a model's bytes is said by the bytes; a name counts where a person wrote it. */
export const policyFindings = (
  component: Pick<Component, 'name' | 'version'>,
  checks: readonly Check[],
  isNamed: boolean,
): readonly PartFinding[] =>
  checks
    .filter(({ what, outcome }) => outcome === 'failed' && what !== 'format' && (what !== 'name' || isNamed))
    .map(({ what, detail }) => {
      const rule = checkRules[what]
      const said = rule === undefined ? `${what}: ${detail}` : detail
      return found(rule ?? 'supply/policy', component.name, `${versioned(component)}: ${brief(said)}.`)
    })

/** Packages whose licence nobody can read, together. */
export const unlicensed = (packages: readonly Component[]): readonly PartFinding[] => {
  const [first] = packages
  return first === undefined
    ? []
    : [found('supply/licence-unknown', first.name, `No licence can be read of ${listed(packages)}.`)]
}

const vulnerability = (severity: AdvisoryReport['matches'][number]['severity'], id: string): SupplyRule =>
  // Records of malicious packages (OSV, "MAL-") carry no score.
  id.startsWith('MAL-') ? 'supply/vulnerability-critical' : `supply/vulnerability-${severity === 'unknown' ? 'medium' : severity}`

/** One for each advisory, under the advisory's own name: that is what a person looks at and decides about. */
export const advisoryFindings = ({ matches, ...about }: AdvisoryReport): readonly PartFinding[] =>
  matches.map(({ id, severity, summary, fixedIn }) => {
    const mended = fixedIn.length === 0 ? '' : `; mended in ${brief(fixedIn.join(', '))}`
    return found(vulnerability(severity, id), id, `${versioned(about)} has ${brief(id)}: ${brief(summary)}${mended}.`)
  })

/** What the lock holds of a server; `undefined`: nothing. The second is what it leaves open. */
export function lockFindings(
  server: string,
  locked: ServerLock | undefined,
): readonly [findings: readonly PartFinding[], open: string | undefined] {
  if (locked === undefined) return [[found('supply/not-locked', server, `${brief(server)} is not in the lock.`)], undefined]
  if (locked.kind !== 'npm' && locked.kind !== 'pypi') return [[], undefined]
  const own = Object.values(locked.packages).find((one) => one.package === locked.package)
  const provenance = own?.provenance ?? { status: 'not checked', why: 'the lock says nothing of it' }
  if (provenance.status === 'absent')
    return [[found('supply/no-provenance', locked.package, `${brief(locked.package)} has no provenance.`)], undefined]
  return [[], provenance.status === 'verified' ? undefined : provenance.why]
}
