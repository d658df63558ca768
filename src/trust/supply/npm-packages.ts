/**
 * An installed npm package and everything it may load: its dependencies as Node finds them (Node.js documentation, "Loading from
 * node_modules folders"), in the layouts of npm, pnpm and yarn. What no package.json asks for is not part of it.
 */
import { lstat, readFile, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { NotAdmitted } from './not-admitted.ts'

export interface InstalledPackage {
  /** Below the base of its tree, with slashes; '.' where the base is the package itself. */
  readonly location: string
  readonly folder: string
  readonly manifest: PackageJson
}
export interface NpmTree {
  readonly base: string
  readonly root: InstalledPackage
  /** By location. */
  readonly packages: ReadonlyMap<string, InstalledPackage>
  /** Links between packages, both below the base. */
  readonly links: Readonly<Record<string, string>>
}
/** What a package.json says that matters here. Written by a stranger: each member may be anything else too. */
export interface PackageJson {
  readonly name: string
  readonly version: string
  readonly licence: string | undefined
  readonly repository: string | undefined
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: readonly { readonly name: string; readonly needed: boolean }[]
  readonly installScripts: Readonly<Record<string, string>>
}

const packagesMax = 5000

/** The tree of the package in `folder`. Throws {@link NotAdmitted} when a dependency is missing. */
export async function npmTree(folder: string): Promise<NpmTree> {
  const start = await realpath(folder)
  const found = new Map<string, PackageJson>()
  const links = new Map<string, string>()
  const queue = [start]
  for (const at of queue) {
    if (found.has(at)) continue
    if (found.size === packagesMax)
      throw new NotAdmitted({ file: start, why: `needs more than ${packagesMax} packages`, fix: 'use a smaller one' })
    const manifest = await readPackageJson(at)
    found.set(at, manifest)
    for (const { name, needed } of manifest.dependencies) {
      const dependency = await findPackage(at, name)
      if (dependency === undefined) {
        if (!needed) continue
        const why = `needs ${name}, which is not installed`
        throw new NotAdmitted({ package: nameOf(manifest), why, fix: 'install it: npm ci --ignore-scripts' })
      }
      if (dependency.link !== undefined) links.set(dependency.link, dependency.folder)
      queue.push(dependency.folder)
    }
  }
  const base = baseOf(start, [...found.keys(), ...links.keys()])
  const below = (path: string): string => relative(base, path).split(sep).join('/') || '.'
  const packages = new Map(
    [...found].map(([at, manifest]) => [below(at), { location: below(at), folder: at, manifest }] as const),
  )
  return {
    base,
    root: packages.get(below(start)) as InstalledPackage,
    packages,
    links: Object.fromEntries([...links].map(([from, to]) => [below(from), below(to)])),
  }
}

/** Where the first node_modules on the way stands; for a package outside of one, the package, or what holds all it needs. */
function baseOf(start: string, all: readonly string[]): string {
  const at = `${start}${sep}`.indexOf(`${sep}node_modules${sep}`)
  let base = at < 0 ? start : start.slice(0, at) || sep
  while (all.some((path) => path !== base && !path.startsWith(base === sep ? sep : base + sep))) base = dirname(base)
  return base
}

/** As `require` looks for it from a file of the package in `from`. `link`: where it was found, if that is a link to it. */
export async function findPackage(from: string, name: string): Promise<{ folder: string; link: string | undefined } | undefined> {
  if (!isPackageName(name)) return undefined
  for (let at = from; ; at = dirname(at)) {
    if (basename(at) !== 'node_modules') {
      const candidate = join(at, 'node_modules', name)
      const stat = await lstat(candidate).catch(() => undefined)
      const folder = stat && (await realpath(candidate).catch(() => undefined))
      if (folder !== undefined && (await lstat(join(folder, 'package.json')).catch(() => undefined)))
        return { folder, link: folder === candidate ? undefined : candidate }
    }
    if (dirname(at) === at) return undefined
  }
}

/** Nothing that could lead out of node_modules. */
export const isPackageName = (name: string): boolean =>
  name.length <= 214 && /^(@[a-z0-9~!'()*_-][\w.~!'()*-]*\/)?[a-z0-9~!'()*_-][\w.~!'()*-]*$/i.test(name)

export const nameOf = ({ name, version }: Pick<PackageJson, 'name' | 'version'>): string => `${name}@${version}`

/** A Package URL (ECMA-427). */
export const npmPurl = ({ name, version }: Pick<PackageJson, 'name' | 'version'>): string =>
  `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`

export async function readPackageJson(folder: string): Promise<PackageJson> {
  const file = join(folder, 'package.json')
  const refuse = (why: string): NotAdmitted => new NotAdmitted({ file, why, fix: 'install the package anew' })
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  return packageJsonIn(text, refuse)
}

export function packageJsonIn(text: string, refuse: (why: string) => Error): PackageJson {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    throw refuse('is not JSON')
  }
  const read = record(value)
  const { name = '', version = '0.0.0', license, licenses, bin, repository } = read
  if (typeof name !== 'string' || typeof version !== 'string' || (name !== '' && !isPackageName(name)))
    throw refuse('has no name and version that a package may have')
  const optional = record(read['optionalDependencies'])
  const peersMeta = record(read['peerDependenciesMeta'])
  const dependencies = [
    ...Object.keys(record(read['dependencies'])).map((one) => ({ name: one, needed: !Object.hasOwn(optional, one) })),
    ...Object.keys(optional).map((one) => ({ name: one, needed: false })),
    // A peer that is missing is for Node to complain of, when it is loaded after all.
    ...Object.keys({ ...record(read['peerDependencies']), ...peersMeta }).map((one) => ({ name: one, needed: false })),
  ]
  const licence = typeof license === 'string' ? license : (texts(license)['type'] ?? licencesOf(licenses))
  return {
    name,
    version,
    licence,
    repository: typeof repository === 'string' ? repository : texts(repository)['url'],
    bin: typeof bin === 'string' ? { [name.replace(/^@[^/]*\//, '')]: bin } : texts(bin),
    dependencies,
    installScripts: pick(texts(read['scripts']), ['preinstall', 'install', 'postinstall']),
  }
}

const licencesOf = (licenses: unknown): string | undefined =>
  Array.isArray(licenses)
    ? licenses
        .map((one) => (typeof one === 'string' ? one : texts(one)['type']))
        .filter(Boolean)
        .join(' OR ') || undefined
    : undefined

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

const texts = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(record(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))

const pick = (from: Record<string, string>, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])))

/** The package that a file belongs to: the nearest folder with a package.json that has a name, or stands outside node_modules. */
export async function packageAround(file: string): Promise<string | undefined> {
  const inside = `${sep}node_modules${sep}`
  for (let at = dirname(file); dirname(at) !== at; at = dirname(at)) {
    const text = await readFile(join(at, 'package.json'), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const { name } = packageJsonIn(text, (why) => new NotAdmitted({ file: join(at, 'package.json'), why, fix: 'correct it' }))
    const isRoot = at.slice(at.lastIndexOf(inside) + inside.length).split(sep).length === (name.startsWith('@') ? 2 : 1)
    if (!at.includes(inside) || (name !== '' && isRoot)) return at
  }
  return undefined
}

/** A command in node_modules/.bin leads to its file by a link; on Windows, and with some installers, through a small script. */
export async function behindLink(path: string): Promise<string> {
  const target = await readlink(path).catch(() => undefined)
  return realpath(target === undefined ? path : resolve(dirname(path), target)).catch(() => path)
}
