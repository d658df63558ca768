/**
 * All that a server runs from, as parts that lie below one folder: packages of npm, the packages of a virtual environment. Each part has
 * the digest of its manifest; the tree has the digest of where the parts lie, and is what its copy in the store is named after.
 */
import { type FileLine, firstDifference, manifestText, type ReadOptions, readFolder, type Seen, sha256Of } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'

/** A part where it is installed. */
export interface Part extends Pick<ReadOptions, 'except' | 'exceptEverywhere' | 'aside' | 'only'> {
  readonly location: string
  readonly folder: string
  /** For people: name and version. */
  readonly name: string
}
/** What the lock says of a tree. */
export interface LockedTree {
  readonly tree: string
  readonly parts: Readonly<Record<string, { readonly name: string; readonly files: string }>>
  readonly links: Readonly<Record<string, string>>
}

export function treeDigest(
  parts: Readonly<Record<string, { readonly files: string }>>,
  links: Readonly<Record<string, string>>,
): string {
  const lines = [
    ...Object.entries(parts).map(([location, { files }]) => `${files} ${JSON.stringify(location)}\n`),
    ...Object.entries(links).map(([from, to]) => `link ${JSON.stringify(to)} ${JSON.stringify(from)}\n`),
  ]
  return sha256Of(lines.sort().join(''))
}

/** Hands out the manifest of a digest, where it is known. */
export type Manifests = (digest: string) => Promise<readonly FileLine[] | undefined>

/** Throws {@link NotAdmitted} for the first part, by location, that is not as locked, naming the file where that can be known. */
export async function mustBeAsLocked(
  locked: LockedTree,
  parts: readonly Part[],
  manifests: Manifests,
  seen?: Seen,
): Promise<void> {
  const known = new Set(parts.map(({ location }) => location))
  for (const [location, { name }] of Object.entries(locked.parts).sort())
    if (!known.has(location))
      throw new NotAdmitted({ package: name, file: location, why: 'is locked and not installed', fix: reinstall })
  const added = parts.find(({ location }) => !Object.hasOwn(locked.parts, location))
  if (added !== undefined)
    throw new NotAdmitted({ package: added.name, file: added.location, why: 'is installed and not locked', fix: reinstall })
  for (const part of parts) {
    const { name, files } = locked.parts[part.location] as { name: string; files: string }
    if (part.name !== name)
      throw new NotAdmitted({
        package: part.name,
        file: part.location,
        why: `is installed where ${name} is locked`,
        fix: reinstall,
      })
    const reading = await readFolder(part.folder, { ...part, seen })
    await mustHaveDigest(name, files, reading.files, manifests, reinstall)
  }
}

export async function mustHaveDigest(
  name: string,
  digest: string,
  found: readonly FileLine[],
  manifests: Manifests,
  fix: string,
): Promise<void> {
  if (sha256Of(manifestText(found)) === digest) return
  const locked = await manifests(digest)
  const { file, why } = (locked && firstDifference(locked, found)) ?? { file: undefined, why: 'is not what was locked' }
  throw new NotAdmitted({ package: name, file, why, fix })
}

export const reinstall =
  'install it anew (npm ci --ignore-scripts); or, if you changed it yourself, review it and: sekisho supply lock'

/** Files of a whole tree, each at the part it belongs to: the one whose location is the longest that leads to it. */
export function filesByPart(files: readonly FileLine[], locations: readonly string[]): ReadonlyMap<string, FileLine[]> {
  const known = new Map<string, FileLine[]>(locations.map((location) => [location, []]))
  const stray: FileLine[] = []
  for (const line of files) {
    let location = line.path
    do location = location.includes('/') ? location.slice(0, location.lastIndexOf('/')) : '.'
    while (!known.has(location) && location !== '.')
    const part = known.get(location)
    const path = location === '.' ? line.path : line.path.slice(location.length + 1)
    ;(part ?? stray).push(part ? { ...line, path } : line)
  }
  if (stray.length > 0) known.set('', stray)
  for (const lines of known.values()) lines.sort((one, two) => (one.path < two.path ? -1 : 1))
  return known
}
