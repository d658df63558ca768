/** A server that is a package of npm: what the lock says of it, and whether what is installed is still that. */
import type { Asked, Findings } from './enquiry.ts'
import type { NpmLock, PackageLock } from './lock.ts'
import { type FileLine, readFolder } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'
import { type InstalledPackage, type NpmTree, nameOf, npmPurl, npmTree } from './npm-packages.ts'
import { npmRecord, type Recorded } from './npm-record.ts'
import type { Store } from './store.ts'
import { type LockedTree, type Part, treeDigest } from './tree.ts'

/** What is known of a package from elsewhere: signature, provenance, whether it is as in its tarball. */
export type Enquiry = (asked: Asked) => Promise<Findings>

/** Packages that are enquired about at the same time. */
const atOnce = 8

/** What is in the folder of a package without being part of it. */
const notOurs = ['node_modules', '.git', '.hg', '.sekisho']

/** `aside`: what of ours may lie in a package, and changes: the lock, the store, the log. */
export const npmParts = (tree: NpmTree, aside: readonly string[]): readonly Part[] =>
  [...tree.packages.values()]
    .map(({ location, folder, manifest }) => ({ location, folder, name: nameOf(manifest), except: notOurs, aside }))
    .sort((one, two) => (one.location < two.location ? -1 : 1))

export const lockedNpmTree = ({ tree, packages, links = {} }: Pick<NpmLock, 'tree' | 'packages' | 'links'>): LockedTree => ({
  tree,
  links,
  parts: Object.fromEntries(
    Object.entries(packages).map(([location, { package: purl, files }]) => [location, { name: nameInPurl(purl), files }]),
  ),
})

/** `pkg:npm/%40scope/name@1.0.0` → `@scope/name@1.0.0`. */
export const nameInPurl = (purl: string): string => decodeURIComponent(purl.replace(/^pkg:[a-z]+\//, ''))

export interface LockNpmOptions {
  readonly started: { readonly folder: string; readonly script: string }
  readonly store: Store
  readonly enquire: Enquiry
  readonly platform: string
  readonly aside: readonly string[]
  progress?(done: number, all: number): void
}

/** Reads every file of the tree, and keeps a copy of it. */
export async function lockNpm({
  started,
  store,
  enquire,
  platform,
  aside,
  progress = () => undefined,
}: LockNpmOptions): Promise<
  Pick<NpmLock, 'package' | 'entry' | 'tree' | 'packages'> & { links?: Record<string, string>; platform?: string }
> {
  const tree = await npmTree(started.folder)
  const record = await npmRecord(tree.base)
  const parts = npmParts(tree, aside)
  const found: Record<string, PackageLock> = {}
  const queue = parts.values()
  let done = 0
  const work = async (): Promise<void> => {
    for (const part of queue) {
      const { files } = await readFolder(part.folder, part)
      const installed = tree.packages.get(part.location) as InstalledPackage
      found[part.location] = await describe(installed, files, record.get(part.location), store, enquire)
      progress(++done, parts.length)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const packages = Object.fromEntries(parts.map(({ location }) => [location, found[location] as PackageLock]))
  const links = { ...tree.links }
  const hasLinks = Object.keys(links).length > 0
  const locked = { tree: treeDigest(packages, links), packages, ...(hasLinks && { links }) }
  await store.keep(lockedNpmTree(locked), parts)
  const isNative = Object.values(packages).some(({ native }) => native)
  return {
    package: npmPurl(tree.root.manifest),
    entry: tree.root.location === '.' ? started.script : `${tree.root.location}/${started.script}`,
    ...(isNative && { platform }),
    ...locked,
  }
}

async function describe(
  { manifest }: InstalledPackage,
  files: readonly FileLine[],
  recorded: Recorded | undefined,
  store: Store,
  enquire: Enquiry,
): Promise<PackageLock> {
  const known = recorded?.version === manifest.version ? recorded : undefined
  const scripts = installScriptsOf(manifest.installScripts, files)
  const hasScripts = Object.keys(scripts).length > 0
  const { name, version, repository, licence } = manifest
  const found = await enquire({ name, version, repository, installScripts: hasScripts, recorded: known, files })
  const { contents, signature, provenance } = mustBeGood(found, nameOf(manifest))
  return {
    package: npmPurl(manifest),
    ...(found.integrity !== undefined && { integrity: found.integrity }),
    ...(known?.resolved !== undefined && { resolved: known.resolved }),
    ...(licence !== undefined && { licence: licence.slice(0, 200) }),
    contents,
    signature,
    provenance,
    ...(hasScripts && { installScripts: scripts }),
    ...(files.some(({ path }) => /\.(node|so|dll|dylib|exe)$/.test(path)) && { native: true as const }),
    files: await store.keepManifest(files),
  }
}

/** Nothing is locked that is known to be wrong. */
function mustBeGood({ contents, signature, provenance }: Findings, name: string) {
  const report = 'do not run it; install it anew, and if it stays so, report it to its publisher'
  const refuse = (why: string, fix = report): NotAdmitted => new NotAdmitted({ package: name, why, fix })
  if (typeof contents === 'object')
    throw refuse(contents.why, 'install it anew; if it writes into its own folder, tell it another place to write')
  if (signature.status === 'failed') throw refuse(signature.why)
  if (provenance.status === 'failed') throw refuse(`its provenance does not verify: ${provenance.why}`)
  return { contents, signature, provenance }
}

/** npm runs node-gyp for a package that has a binding.gyp and no script of its own (npm documentation, scripts). */
function installScriptsOf(scripts: Readonly<Record<string, string>>, files: readonly FileLine[]): Record<string, string> {
  const own = Object.fromEntries(Object.entries(scripts).map(([name, text]) => [name, text.slice(0, 500)]))
  const isBuilt = files.some(({ path }) => path === 'binding.gyp') && !('install' in own) && !('preinstall' in own)
  return isBuilt ? { ...own, install: 'node-gyp rebuild' } : own
}
