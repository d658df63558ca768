import { type JsonObject, parseStrict } from '../../lib/strict-json.ts'
import { approvalsText } from '../../trust/approvals/approvals.ts'
import { type Change, changesBetween } from '../../trust/diff.ts'
import type { Pin } from '../../trust/pin.ts'
import type { Neighbour } from '../../trust/scan/finding.ts'
import { scanDefinition } from '../../trust/scan/scan.ts'
import { visible } from '../../trust/scan/shown.ts'
import type { PinsAtHand } from '../with-pins.ts'

export { visible }

export interface VersionShown {
  readonly kind: Pin['kind']
  readonly name: string
  readonly digest: string
  readonly standing: Pin['standing']
  readonly by: string
  /** ISO 8601. */
  readonly at: string
  readonly seenAt: string
  readonly reason: string
  /** Against the version that was approved before it; undefined where there was none. */
  readonly changes: readonly Change[] | undefined
  /** What the scan says against it, whoever approved it: `rule: evidence`. */
  readonly findings: readonly string[]
  readonly definition: JsonObject
}
export interface PinsShown {
  readonly server: string
  /** Where it stood, or how it was started, when it was taken for what it is; undefined for a server that was never asked. */
  readonly identity: string | undefined
  /** What it is now; another one than `identity` means that everything of it is held. */
  readonly configured: string | undefined
  /** The signed manifest that is named for it. Where it does not count, nothing is approved by it. */
  readonly manifest: { readonly counts: boolean; readonly says: string } | undefined
  readonly versions: readonly VersionShown[]
}

/** What is known of a server, or of one name of it: every version, and what each changed. */
export function pinsShow({ whereabouts, book }: PinsAtHand, server: string, name?: string): PinsShown {
  const configured = whereabouts(server)
  const pins = book.pinsOf(server).filter((pin) => name === undefined || pin.name === name)
  if (name !== undefined && pins.length === 0)
    throw new Error(`nothing is known of "${name}" of the server "${server}"; see: sekisho pins list ${server}`)
  const others = book.neighboursOf(server)
  const versions = [...Map.groupBy(pins, ({ kind, name }) => `${kind} ${name}`).values()].flatMap((some) => shown(some, others))
  const approvals = book.approvalsOf(server)
  const manifest = approvals && { counts: approvals.outcome === 'verified', says: approvalsText(approvals) }
  return { server, identity: book.identityOf(server), configured, manifest, versions }
}

function shown(versions: readonly Pin[], others: readonly Neighbour[]): readonly VersionShown[] {
  return versions.map((pin, at) => {
    const before = versions.slice(0, at).findLast(({ standing }) => standing === 'approved' || standing === 'revoked')
    const { kind, name, digest, standing, by, reason } = pin
    return {
      ...{ kind, name, digest, standing, by, reason },
      at: new Date(pin.at).toISOString(),
      seenAt: new Date(pin.seenAt).toISOString(),
      changes: before && changesBetween(bodyOf(before), bodyOf(pin)),
      findings: scanDefinition({ kind, name, body: bodyOf(pin) }, { server: pin.server, others })
        .filter(({ severity }) => severity === 'high' || severity === 'critical')
        .map(({ rule, evidence }) => `${rule}: ${evidence}`),
      definition: bodyOf(pin),
    }
  })
}
const bodyOf = ({ text }: Pin): JsonObject => parseStrict(text) as JsonObject
