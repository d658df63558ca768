/**
 * The packages of an inventory as GitHub takes them for its dependency graph (REST API 2022-11-28, "Create a snapshot of
 * dependencies"). Only what GitHub knows advisories for is sent, npm and PyPI; models, services and data stay in the bill of materials.
 */
import { type Component, refOf } from './inventory-component.ts'
import { readPurl } from './inventory-purl.ts'

export interface SnapshotOf {
  /** 40 hexadecimal digits. */
  readonly sha: string
  /** `refs/heads/main`. */
  readonly ref: string
  /** The latest snapshot for each correlator counts. */
  readonly correlator: string
  readonly jobId: string
  readonly detector: { readonly name: string; readonly version: string; readonly url: string }
  /** Milliseconds since 1970. */
  readonly scanned: number
}
interface Resolved {
  readonly package_url: string
  readonly relationship: 'direct' | 'indirect'
  readonly scope: 'runtime' | 'development'
  readonly dependencies: readonly string[]
}
export interface Snapshot {
  readonly version: 0
  readonly sha: string
  readonly ref: string
  readonly job: { readonly id: string; readonly correlator: string }
  readonly detector: SnapshotOf['detector']
  readonly scanned: string
  readonly manifests: Readonly<
    Record<
      string,
      {
        readonly name: string
        readonly file: { readonly source_location: string }
        readonly resolved: Readonly<Record<string, Resolved>>
      }
    >
  >
}

/** Throws a TypeError for a commit or a reference that is none. `configuration`: where servers that no lock file names are written. */
export function snapshotOf(inventory: readonly Component[], of: SnapshotOf, configuration = 'sekisho.yaml'): Snapshot {
  if (!/^[0-9a-f]{40}$/.test(of.sha)) throw new TypeError(`"${of.sha}" is no whole commit; give all 40 digits`)
  if (!/^refs\/[\w./-]+$/.test(of.ref)) throw new TypeError(`"${of.ref}" is no reference; write for example refs/heads/main`)
  const known = new Map(inventory.filter(isKnownThere).map((one) => [refOf(one), one.purl as string]))
  const manifests: Record<string, { name: string; file: { source_location: string }; resolved: Record<string, Resolved> }> = {}
  for (const one of inventory) {
    const purl = known.get(refOf(one))
    if (purl === undefined) continue
    const name = one.manifest ?? configuration
    manifests[name] ??= { name, file: { source_location: name }, resolved: {} }
    manifests[name].resolved[purl] = {
      package_url: purl,
      relationship: one.direct === false ? 'indirect' : 'direct',
      scope: one.development === true ? 'development' : 'runtime',
      dependencies: one.dependsOn.flatMap((ref) => known.get(ref) ?? []),
    }
  }
  return {
    version: 0,
    sha: of.sha,
    ref: of.ref,
    job: { id: of.jobId, correlator: of.correlator },
    detector: of.detector,
    scanned: new Date(of.scanned).toISOString(),
    manifests,
  }
}

function isKnownThere({ purl }: Component): boolean {
  const parts = purl === undefined ? undefined : readPurl(purl)
  return parts !== undefined && parts.version !== undefined && (parts.type === 'npm' || parts.type === 'pypi')
}
