/**
 * A server in a virtual environment. Every file of its packages is compared with the RECORD that its installer wrote (Recording
 * installed projects, PyPA). Compiled caches are left out, and not copied: Python believes them for their time stamps alone.
 */
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { PackageLock, PythonLock } from './lock.ts'
import { type FileLine, manifestText, readFolder, sha256Of } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'
import type { Started } from './started.ts'
import type { Store } from './store.ts'
import { type LockedTree, type Part, treeDigest } from './tree.ts'

type PythonStart = Extract<Started, { kind: 'pypi' }>

export function pythonParts({ sitePackages, entry }: Pick<PythonStart, 'sitePackages' | 'entry'>): readonly Part[] {
  const site = { location: 'site-packages', folder: sitePackages, name: 'site-packages', exceptEverywhere: ['__pycache__'] }
  if (!('script' in entry)) return [site]
  const bin = dirname(entry.script)
  if (relative(bin, sitePackages).split(sep)[0] !== '..' || relative(dirname(bin), sitePackages).startsWith('..'))
    throw new NotAdmitted({
      file: entry.script,
      why: 'is not a command of its virtual environment, so that what it imports is covered by no lock',
      fix: 'install it there: pip install FOLDER',
    })
  return [{ location: 'bin', folder: bin, name: basename(entry.script), only: [basename(entry.script)] }, site]
}

/** Parts of a virtual environment go by their place, not by a package. */
export const lockedPythonTree = ({ tree, parts }: Pick<PythonLock, 'tree' | 'parts'>): LockedTree => ({
  tree,
  links: {},
  parts: Object.fromEntries(
    Object.entries(parts).map(([location, files]) => [
      location,
      { name: location === 'site-packages' ? location : 'the command', files },
    ]),
  ),
})

export async function lockPython({
  started,
  store,
}: {
  started: PythonStart
  store: Store
}): Promise<Pick<PythonLock, 'package' | 'entry' | 'tree' | 'parts' | 'packages'>> {
  const parts = pythonParts(started)
  const digests: Record<string, string> = {}
  let files: readonly FileLine[] = []
  for (const part of parts) {
    const reading = await readFolder(part.folder, part)
    digests[part.location] = await store.keepManifest(reading.files)
    if (part.location === 'site-packages') files = reading.files
  }
  const packages = await packagesIn(started.sitePackages, files)
  const tree = treeDigest(Object.fromEntries(Object.entries(digests).map(([at, digest]) => [at, { files: digest }])), {})
  const locked = { tree, parts: digests }
  await store.keep(lockedPythonTree(locked), parts)
  const owner = await ownerOf(started, packages)
  return {
    package: owner,
    entry: 'module' in started.entry ? started.entry : { script: `bin/${basename(started.entry.script)}` },
    ...locked,
    packages: Object.fromEntries([...packages].map(([name, { about }]) => [name, about])),
  }
}

interface Distribution {
  readonly about: PackageLock
  readonly record: ReadonlySet<string>
}

async function packagesIn(sitePackages: string, files: readonly FileLine[]): Promise<ReadonlyMap<string, Distribution>> {
  const found = new Map<string, Distribution>()
  const byPath = new Map(files.map((line) => [line.path, line]))
  for (const { path } of files) {
    const [, folder] = /^([^/]+\.dist-info)\/METADATA$/.exec(path) ?? []
    if (folder === undefined) continue
    const { name, version, licence } = distributionHeaders(await readFile(join(sitePackages, path), 'utf8'), folder)
    const record = recordIn(await readFile(join(sitePackages, folder, 'RECORD'), 'utf8').catch(() => ''))
    const own: FileLine[] = []
    for (const { path: at, digest } of record) {
      const line = byPath.get(at)
      if (line === undefined) continue
      own.push(line)
      if (digest !== undefined && digest !== Buffer.from(line.digest, 'hex').toString('base64url'))
        throw new NotAdmitted({
          package: `${name}@${version}`,
          file: at,
          why: 'is not what its installer recorded',
          fix: `install it anew: pip install --force-reinstall ${name}==${version}`,
        })
    }
    const about: PackageLock = {
      package: `pkg:pypi/${encodeURIComponent(name)}@${encodeURIComponent(version)}`,
      ...(licence !== undefined && { licence }),
      contents: 'not compared',
      signature: { status: 'absent' },
      provenance: { status: 'not checked', why: 'attestations of PyPI (PEP 740) are not read' },
      ...(own.some(({ path: at }) => /\.(so|pyd|dll|dylib)$/.test(at)) && { native: true as const }),
      files: sha256Of(manifestText(own.sort((one, two) => (one.path < two.path ? -1 : 1)))),
    }
    found.set(name, { about, record: new Set(record.map((line) => line.path)) })
  }
  return found
}

/** The package whose command or module this is. */
async function ownerOf({ entry, sitePackages }: PythonStart, packages: ReadonlyMap<string, Distribution>): Promise<string> {
  const wanted =
    'script' in entry
      ? [relative(sitePackages, entry.script).split(sep).join('/')]
      : [`${entry.module.replaceAll('.', '/')}/__main__.py`, `${entry.module.replaceAll('.', '/')}.py`]
  for (const { about, record } of packages.values()) if (wanted.some((path) => record.has(path))) return about.package
  throw new NotAdmitted({
    file: 'script' in entry ? entry.script : entry.module,
    why: 'belongs to no package of its virtual environment',
    fix: 'install it there: pip install PACKAGE',
  })
}

/** Of the METADATA of a distribution in `folder` (Core metadata specifications, PyPA). */
export function distributionHeaders(
  text: string,
  folder: string,
): { readonly name: string; readonly version: string; readonly licence: string | undefined } {
  const headers = headersIn(text)
  const licence = headers.get('license-expression') ?? headers.get('license')
  return {
    name: (headers.get('name') ?? folder).toLowerCase().replace(/[-_.]+/g, '-'),
    version: headers.get('version') ?? '',
    licence: licence && licence !== 'UNKNOWN' ? licence.slice(0, 200) : undefined,
  }
}

/** RFC 822 headers, up to the first empty line. */
function headersIn(text: string): ReadonlyMap<string, string> {
  const head = text.split(/\r?\n\r?\n/, 1)[0] as string
  const headers = new Map<string, string>()
  for (const line of head.split(/\r?\n/)) {
    const [, key, value] = /^([A-Za-z-]+):\s*(.*)$/.exec(line) ?? []
    if (key !== undefined && !headers.has(key.toLowerCase())) headers.set(key.toLowerCase(), value as string)
  }
  return headers
}

function recordIn(text: string): { path: string; digest: string | undefined }[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => {
      const [, quoted, bare, digest] = /^(?:"((?:[^"]|"")*)"|([^,]*)),(?:sha256=([A-Za-z0-9_-]+))?/.exec(line) ?? []
      return { path: quoted?.replaceAll('""', '"') ?? bare ?? '', digest }
    })
}

/** What keeps Python to the copy: no site-packages of its own, no folder it stands in, no caches. */
export const pythonVariables = (copy: string): Readonly<Record<string, string>> => ({
  PYTHONPATH: resolve(copy, 'site-packages'),
  PYTHONSAFEPATH: '1',
  PYTHONNOUSERSITE: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  // Nowhere: caches are believed for their time stamps. Those of the standard library are as trusted as that is.
  PYTHONPYCACHEPREFIX: '',
})
