/**
 * What servers say of themselves, read for tricks before anybody lets them in: each alone, and all of them together. Nothing is
 * decided here; what a person has looked at and finds harmless is suppressed with a reason, and for a time.
 */
import { type Definition, digestOf } from '../../trust/definition.ts'
import type { ScanFinding } from '../../trust/scan/finding.ts'
import { scanCatalog } from '../../trust/scan/scan.ts'

/** Where a server is configured: a report points there. */
export interface Origin {
  readonly file: string
  readonly line: number | undefined
  /** The client whose file it is. */
  readonly client?: string | undefined
}

/** A server whose lists have been read, or the reason why not. */
export interface Visited {
  readonly server: string
  readonly origin: Origin | undefined
  /** How it is reached or started, without secrets. */
  readonly how: string
  readonly definitions: readonly Definition[]
  /** Why it was not looked at, or not whole. */
  readonly problem?: string | undefined
}

/** Something a person has looked at. */
export interface Suppression {
  readonly rule: string
  readonly server?: string | undefined
  /** Of the definition. */
  readonly name?: string | undefined
  readonly reason: string
  /** The last day, as in 2027-06-30. */
  readonly expires: string
}

export interface Reported extends ScanFinding {
  readonly suppressedBy?: Suppression | undefined
}
export interface ScannedServer extends Omit<Visited, 'definitions'> {
  readonly definitions: number
  readonly findings: readonly Reported[]
}
export interface ScanReport {
  readonly servers: readonly ScannedServer[]
  /** What no longer counts, because its day has passed. */
  readonly expired: readonly Suppression[]
}

export const severities = ['info', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

/** `today`: as in 2027-06-30. */
export function scan(visited: readonly Visited[], suppressions: readonly Suppression[], today: string): ScanReport {
  const everybody = visited.flatMap(({ server, definitions }) =>
    definitions.map((definition) => {
      const { kind, name } = definition
      return { server, kind, name, digest: digestOf(definition) }
    }),
  )
  const valid = suppressions.filter(({ expires }) => expires >= today)
  return {
    expired: suppressions.filter(({ expires }) => expires < today),
    servers: visited.map(({ definitions, ...rest }) => {
      const { server } = rest
      const others = everybody.filter((one) => one.server !== server)
      const findings = scanCatalog(definitions, { server, others })
      return { ...rest, definitions: definitions.length, findings: findings.map((one) => reported(one, server, valid)) }
    }),
  }
}

function reported(finding: ScanFinding, server: string, suppressions: readonly Suppression[]): Reported {
  const suppressedBy = suppressions.find(
    (one) =>
      one.rule === finding.rule &&
      (one.server === undefined || one.server === server) &&
      (one.name === undefined || one.name === finding.name),
  )
  return suppressedBy === undefined ? finding : { ...finding, suppressedBy }
}

/** What counts from `least` on, and was not suppressed. */
export const counting = ({ servers }: ScanReport, least: Severity): readonly Reported[] =>
  servers
    .flatMap(({ findings }) => findings)
    .filter(
      ({ severity, suppressedBy }) => suppressedBy === undefined && severities.indexOf(severity) >= severities.indexOf(least),
    )
