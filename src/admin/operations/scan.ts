/**
 * What servers say of themselves, read for tricks before anybody lets them in: each alone, and all of them together. With it stands
 * what others found about how they are configured and what they are made of. Nothing is decided here; what a person has looked at
 * and finds harmless is suppressed with a reason, and for a time.
 */
import type { Finding } from '../../pipeline/guard.ts'
import { type Definition, digestOf, lists } from '../../trust/definition.ts'
import type { Neighbour, ScanFinding } from '../../trust/scan/finding.ts'
import { scanCatalog } from '../../trust/scan/scan.ts'
import type { SupplyReport } from './supply-check.ts'

export { lists }

/** Where a server is configured: a report points there. */
export interface Origin {
  readonly file: string
  readonly line: number | undefined
  /** The client whose file it is. */
  readonly client?: string | undefined
}

/** Found beside what the server says: in its configuration, or in what it is made of. */
export interface EntryFinding extends Finding {
  /** What it is about: a package, an advisory, a file. */
  readonly name?: string | undefined
  readonly fix?: string | undefined
  /** Where it stands, if not where the server does. */
  readonly origin?: Origin | undefined
}

/** A question that was not answered, which is no yes. */
export interface Unchecked {
  readonly what: string
  readonly why: string
}

/** A package behind a server. */
export interface Part {
  readonly name: string
  readonly version: string | undefined
  readonly licence?: string | undefined
  /** How many packages it loads, itself among them. */
  readonly packages?: number | undefined
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
  /** Why it was started without a sandbox; undefined where it was in one, or not started. */
  readonly unconfined?: string | undefined
  readonly entry: readonly EntryFinding[]
  readonly unchecked: readonly Unchecked[]
  readonly part?: Part | undefined
}

/** Something a person has looked at. */
export interface Suppression {
  readonly rule: string
  readonly server?: string | undefined
  /** Of the definition, the package or the advisory. */
  readonly name?: string | undefined
  readonly reason: string
  /** The last day, as in 2027-06-30. */
  readonly expires: string
}

/** Those about a definition say which, where in it, and what stands there. */
export interface Reported extends EntryFinding, Partial<Pick<ScanFinding, 'kind' | 'at' | 'shown' | 'marked'>> {
  readonly suppressedBy?: Suppression | undefined
}
export interface ScannedServer extends Omit<Visited, 'definitions' | 'entry'> {
  readonly definitions: number
  readonly findings: readonly Reported[]
}
export interface ScanReport {
  readonly servers: readonly ScannedServer[]
  /** What no longer counts, because its day has passed. */
  readonly expired: readonly Suppression[]
  /** The copy of the advisories; or why there is none. */
  readonly advisories: SupplyReport['database']
}

export const severities = ['info', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

export interface ScanAtHand {
  readonly visited: readonly Visited[]
  readonly advisories: ScanReport['advisories']
  readonly suppressions: readonly Suppression[]
  /** As in 2027-06-30. */
  readonly today: string
}

export function scan({ visited, advisories, suppressions, today }: ScanAtHand): ScanReport {
  const everybody = visited.flatMap(({ server, definitions }) =>
    definitions.map((definition) => {
      const { kind, name } = definition
      return { server, kind, name, digest: digestOf(definition) }
    }),
  )
  const valid = suppressions.filter(({ expires }) => expires >= today)
  return {
    advisories,
    expired: suppressions.filter(({ expires }) => expires < today),
    servers: visited.map(({ definitions, entry, ...rest }) => {
      const { server } = rest
      const others = everybody.filter((one) => one.server !== server)
      const findings = [...scanBeside(server, definitions, others, valid), ...entry.map((one) => reported(one, server, valid))]
      return { ...rest, definitions: definitions.length, findings }
    }),
  }
}

/** What one server says, beside what others do; `suppressions` that are in force. */
export const scanBeside = (
  server: string,
  definitions: readonly Definition[],
  others: readonly Neighbour[],
  suppressions: readonly Suppression[],
): readonly Reported[] => scanCatalog(definitions, { server, others }).map((one) => reported(one, server, suppressions))

function reported(finding: ScanFinding | EntryFinding, server: string, suppressions: readonly Suppression[]): Reported {
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
