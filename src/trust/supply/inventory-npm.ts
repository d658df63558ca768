/**
 * The packages of a package-lock.json, in all three of its versions, and what each of them needs, found as Node finds it:
 * from the folder of the package upwards. Links of workspaces are followed; what is taken from git, a URL or a folder is said.
 */
import { parseStrict } from '../../lib/strict-json.ts'
import { type Component, hashOfIntegrity, refOf } from './inventory-component.ts'
import { purlOf } from './inventory-purl.ts'

interface Entry {
  readonly name?: string
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly license?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
  readonly bundled?: boolean
  readonly inBundle?: boolean
  readonly deprecated?: string
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, unknown>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  /** Version 1 only. */
  readonly requires?: Readonly<Record<string, string>> | boolean
}
interface LockFile {
  readonly lockfileVersion?: number
  readonly packages?: Readonly<Record<string, Entry>>
  readonly dependencies?: Readonly<Record<string, Entry>>
}

const textMax = 67_108_864
export const entriesMax = 200_000
const publicRegistry = /^https:\/\/registry\.(npmjs\.org|yarnpkg\.com)\//

/** Throws an Error that says what is wrong with the text. */
export function readPackageLock(text: string, manifest = 'package-lock.json'): readonly Component[] {
  if (text.length > textMax) throw new Error(`${manifest} is longer than ${textMax} characters`)
  if (/^(<{7}|={7}|>{7})/m.test(text)) throw new Error(`${manifest} has merge conflict markers; resolve them first`)
  const lock = parseStrict(text, 512) as unknown as LockFile
  if (typeof lock !== 'object' || lock === null) throw new Error(`${manifest} is not an object`)
  const entries = lock.packages ? new Map(Object.entries(lock.packages)) : flattened(lock.dependencies ?? {})
  if (entries.size > entriesMax) throw new Error(`${manifest} has more than ${entriesMax} packages`)
  const root = entries.get('')
  const wanted = new Set(Object.keys({ ...root?.dependencies, ...root?.devDependencies, ...root?.optionalDependencies }))
  const refs = new Map<string, string>()
  const made = [...entries].flatMap(([path, entry]) => {
    if (path === '' || entry.link === true) return []
    const component = componentOf(path, entry, manifest, root === undefined || wanted.has(path.replace(/^node_modules\//, '')))
    refs.set(path, refOf(component))
    return [[path, entry, component] as const]
  })
  for (const [path, { link, resolved }] of entries) {
    const target = link === true && resolved !== undefined ? refs.get(resolved) : undefined
    if (target !== undefined) refs.set(path, target)
  }
  const needs = (path: string, entry: Entry): readonly string[] =>
    namesNeeded(entry).flatMap((name) => found(path, name, refs) ?? [])
  const once = new Map<string, Component>()
  for (const [path, entry, component] of made) {
    const ref = refOf(component)
    const before = once.get(ref)
    const dependsOn = [...new Set([...(before?.dependsOn ?? []), ...needs(path, entry)])].sort()
    once.set(ref, {
      ...component,
      dependsOn,
      direct: component.direct === true || before?.direct === true,
      development: component.development === true && (before === undefined || before.development === true),
    })
  }
  return [...once.values()]
}

/** Version 1 nests what later versions give as paths. */
function flattened(
  dependencies: Readonly<Record<string, Entry>>,
  under = '',
  into = new Map<string, Entry>(),
): Map<string, Entry> {
  for (const [name, entry] of Object.entries(dependencies)) {
    const path = `${under}node_modules/${name}`
    const { dependencies: nested, requires, ...rest } = entry
    into.set(path, { ...rest, ...(typeof requires === 'object' && { dependencies: requires }) })
    if (into.size > entriesMax) break
    if (nested !== undefined) flattened(nested as Readonly<Record<string, Entry>>, `${path}/`, into)
  }
  return into
}

const namesNeeded = ({ dependencies, optionalDependencies, peerDependencies }: Entry): readonly string[] =>
  Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })

function found(path: string, name: string, refs: ReadonlyMap<string, string>): string | undefined {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const ref = refs.get(`${folder === '' ? '' : `${folder}/`}node_modules/${name}`)
    if (ref !== undefined || folder === '') return ref
    if (!folder.includes('node_modules/')) return refs.get(`node_modules/${name}`)
  }
}

function componentOf(path: string, entry: Entry, manifest: string, direct: boolean): Component {
  const { resolved, integrity } = entry
  const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + (path.includes('node_modules/') ? 13 : 0))
  const isWorkspace = !path.includes('node_modules/')
  const place = resolved ?? (/[:/]/.test(entry.version ?? '') ? entry.version : undefined)
  const [, commit] = /^git[^#]*#([0-9a-f]{40})$/.exec(place ?? '') ?? []
  const isGit = /^(git[+:]|github:)/.test(place ?? '')
  const version = entry.version !== undefined && !/[:/]/.test(entry.version) ? entry.version : undefined
  const isElsewhere = place !== undefined && !isGit && /^https?:/.test(place) && !publicRegistry.test(place)
  const gaps = [
    ...(isWorkspace || /^file:/.test(place ?? '') ? ['a local path'] : []),
    ...(isGit ? [commit === undefined ? 'a git repository without a whole commit' : 'a git repository'] : []),
    ...(version === undefined && !isGit ? ['no version'] : []),
    ...(isElsewhere ? ['a private registry'] : []),
    ...(!isWorkspace &&
    !isGit &&
    integrity === undefined &&
    entry.bundled !== true &&
    entry.inBundle !== true &&
    !/^file:/.test(place ?? '')
      ? ['no integrity']
      : []),
  ]
  const source = isWorkspace
    ? undefined
    : isGit
      ? place?.split('#')[0]
      : isElsewhere
        ? new URL(place as string).origin
        : undefined
  return {
    kind: 'package',
    name,
    version,
    purl: isWorkspace ? undefined : purlOf('npm', name, version ?? commit),
    hash: hashOfIntegrity(integrity),
    commit,
    licence: entry.license,
    file: isWorkspace ? path : undefined,
    source,
    manifest,
    seen: ['lock'],
    usedBy: [],
    dependsOn: [],
    direct,
    development: entry.dev === true,
    installScripts: entry.hasInstallScript === true,
    deprecated: typeof entry.deprecated === 'string' ? entry.deprecated : undefined,
    programs: entry.bin === undefined ? undefined : Object.keys(entry.bin),
    gaps,
  }
}
