/**
 * What was known of a package when it was locked before. For the same bytes a fact that was verified stays so when nobody can be asked
 * now. For other bytes it is a warning when what vouched for the package is gone: that is how a publisher's stolen token looks.
 */
import type { PackageLock, ServerLock } from './lock.ts'

export interface Weaker {
  readonly package: string
  readonly what: 'signature' | 'provenance' | 'installScripts' | 'repository'
  /** One sentence. */
  readonly why: string
}

const packagesOf = (entry: ServerLock | undefined): Readonly<Record<string, PackageLock>> =>
  entry && 'packages' in entry ? entry.packages : {}

const nameIn = (purl: string): string => purl.slice(0, purl.lastIndexOf('@'))

/** The entry with what is still known from before. */
export function withEarlier<Entry extends ServerLock>(entry: Entry, before: ServerLock | undefined): Entry {
  if (!('packages' in entry)) return entry
  const known = packagesOf(before)
  const packages = Object.entries(entry.packages).map(([location, now]) => {
    const then = known[location]
    const isSame =
      then !== undefined && then.package === now.package && then.integrity === now.integrity && then.files === now.files
    return [location, isSame ? { ...now, ...kept(now, then) } : now]
  })
  return { ...entry, packages: Object.fromEntries(packages) }
}

function kept(now: PackageLock, then: PackageLock): Partial<PackageLock> {
  return {
    ...(now.contents === 'not compared' && then.contents && { contents: then.contents }),
    ...(now.signature?.status === 'not checked' && then.signature && { signature: then.signature }),
    ...(now.provenance?.status === 'not checked' && then.provenance && { provenance: then.provenance }),
  }
}

/** What another version of a package has lost against the one that was locked, by name. */
export function weakerThan(entry: ServerLock, before: ServerLock | undefined): readonly Weaker[] {
  const earlier = new Map(Object.values(packagesOf(before)).map((one) => [nameIn(one.package), one]))
  return Object.values(packagesOf(entry)).flatMap((now): Weaker[] => {
    const then = earlier.get(nameIn(now.package))
    if (then === undefined || then.package === now.package) return []
    const say = (what: Weaker['what'], why: string): Weaker => ({ package: now.package, what, why })
    const was = then.provenance?.status === 'verified' ? then.provenance : undefined
    const is = now.provenance?.status === 'verified' ? now.provenance : undefined
    return [
      ...(was && !is ? [say('provenance', `${then.package} had provenance, and this has none that was verified`)] : []),
      ...(was && is && was.repository !== is.repository
        ? [say('repository', `it was built from ${was.repository}, and now from ${is.repository}`)]
        : []),
      ...(then.signature?.status === 'verified' && now.signature?.status !== 'verified'
        ? [say('signature', `${then.package} was signed by the registry, and of this nobody knows`)]
        : []),
      ...(now.installScripts && !then.installScripts
        ? [
            say(
              'installScripts',
              `it runs ${Object.keys(now.installScripts).join(', ')} when it is installed, which it did not before`,
            ),
          ]
        : []),
    ]
  })
}
