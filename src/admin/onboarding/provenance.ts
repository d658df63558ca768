/** Where a server comes from: what its entry in the lock says of every package, held against the policy and known vulnerabilities. */
import type { Config } from '../../config/schema.ts'
import { judgeLicence } from '../../trust/supply/licences.ts'
import type { PackageLock, ServerLock } from '../../trust/supply/lock.ts'
import { NotAdmitted } from '../../trust/supply/not-admitted.ts'
import { judgeScripts } from '../../trust/supply/statics-scripts.ts'
import type { SupplyReport } from '../operations/supply-check.ts'
import { type Noted, type Step, stepOf } from './step.ts'

type Line = readonly [Noted['outcome'], string]

/** `entry`: or why there is none. `report`: about the server alone. */
export function provenanceStep(id: string, entry: ServerLock | NotAdmitted, report: SupplyReport, config: Config): Step {
  const isAsked = config.supply.lock !== undefined
  if (entry instanceof NotAdmitted) {
    const why = entry.message.replace(`server "${id}": `, '')
    return stepOf('provenance', [[isAsked ? 'refused' : 'not-checked', why], ...checked(id, report)], entry.fix)
  }
  const packages = 'packages' in entry ? Object.values(entry.packages) : []
  const known = checked(id, report, packages.length > 0)
  const noted = [...whatItIs(entry), ...packages.flatMap((one) => ofPackage(one, config)), ...known]
  const loose: Line = [
    'warned',
    'the gateway asks for no lock, so what runs later is whatever is installed then; write: supply: { lock: sekisho.lock }',
  ]
  return stepOf('provenance', isAsked ? noted : [...noted, loose])
}

function whatItIs(entry: ServerLock): readonly Line[] {
  switch (entry.kind) {
    case 'remote': {
      const { url, spki } = entry
      if (url.startsWith('http:')) return [['not-checked', 'nobody vouches for a server without TLS']]
      return [['passed', spki === undefined ? `vouched for by the certificate of ${new URL(url).host}` : `its key is ${spki}`]]
    }
    case 'image':
      return [['passed', entry.image]]
    case 'files':
      return [
        ['not-checked', 'it is a program of your own; nobody else vouches for it'],
        ['passed', Object.keys(entry.files).join(', ')],
      ]
    default: {
      const packages = Object.values(entry.packages)
      const others = packages.length === 1 ? '' : `, with ${packages.length - 1} others`
      return [['passed', `${entry.package}${others}`], ...signed(packages), ...built(entry.package, packages)]
    }
  }
}

/** A tree is as good as its weakest package. */
function signed(packages: readonly PackageLock[]): readonly Line[] {
  const of = (status: string): number =>
    packages.filter(({ signature }) => (signature?.status ?? 'not checked') === status).length
  const [unknown, absent] = [of('not checked'), of('absent')]
  if (unknown === packages.length)
    return [['not-checked', 'the signatures of the registry: nobody was asked, or nobody answered']]
  return [
    ['passed', `${of('verified')} of ${packages.length} are signed by the registry`],
    ...(absent > 0 ? [['warned', `${absent} have no signature`] as const] : []),
    ...(unknown > 0 ? [['not-checked', `the signatures of ${unknown}`] as const] : []),
  ]
}

function built(purl: string, packages: readonly PackageLock[]): readonly Line[] {
  const { provenance } = packages.find((one) => one.package === purl) ?? {}
  if (provenance?.status === 'verified') return [['passed', `built from ${provenance.repository} by ${provenance.builder}`]]
  if (provenance?.status === 'absent')
    return [['warned', 'it carries no provenance: nobody proves which source it was built from']]
  return [['not-checked', `which source it was built from${provenance ? `: ${provenance.why}` : ''}`]]
}

function ofPackage({ package: name, licence, installScripts, native }: PackageLock, { supply }: Config): readonly Line[] {
  const verdict = judgeLicence(licence, supply.licences)
  const found = Object.entries(installScripts ?? {}).flatMap(([hook, script]) => judgeScripts({ [hook]: script }))
  return [
    ...(verdict.outcome === 'refused' ? [['refused', `${name}: ${verdict.why}`] as const] : []),
    ...found.map(({ severity, evidence }) => [severity === 'critical' ? 'refused' : 'warned', `${name}: ${evidence}`] as const),
    ...(native && found.length === 0 ? [['warned', `${name} has machine code, which no source shows`] as const] : []),
  ]
}

const outcomes = { verified: 'passed', absent: 'warned', 'not-checked': 'not-checked', failed: 'refused' } as const

/** `isLocked`: the lock says which bytes it is, better than its command does. */
function checked(id: string, { components, advisories, database }: SupplyReport, isLocked = false): readonly Line[] {
  const ours = components.filter(({ usedBy }) => usedBy.includes(id))
  const checks = ours.flatMap(({ name, checks: some }) =>
    some
      .filter(({ outcome, what }) => outcome !== 'verified' && what !== 'licence' && !(isLocked && /pinned|hash/.test(what)))
      .map(({ outcome, detail }) => [outcomes[outcome], `${name}: ${detail}`] as const),
  )
  const known = advisories
    .filter(({ usedBy, matches }) => usedBy.includes(id) && matches.length > 0)
    .flatMap(({ matches, name }) =>
      matches.map(({ severity, id: advisory, summary }) => {
        const isGrave = severity === 'high' || severity === 'critical'
        return [isGrave ? 'refused' : 'warned', `${name}: ${advisory} (${severity}): ${summary}`] as const
      }),
    )
  const source = 'why' in database ? [['not-checked', `known vulnerabilities: ${database.why}`] as const] : []
  return [...checks, ...known, ...source]
}
