/**
 * What stands behind the command of a server on this machine: the package that it starts and all that this one loads, as they are
 * installed. Read, never run or fetched; what is not here cannot be known, and that is said.
 */
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { startedBy as namedBy } from './inventory-command.ts'
import type { Component } from './inventory-component.ts'
import { purlOf } from './inventory-purl.ts'
import { NotAdmitted } from './not-admitted.ts'
import { npmTree, type PackageJson, readPackageJson } from './npm-packages.ts'
import { distributionHeaders } from './python-lock.ts'
import { type LocalServer, type Started, startedBy } from './started.ts'

export interface BehindPackage extends Component {
  /** The scripts of npm that run while it is installed. */
  readonly scripts?: Readonly<Record<string, string>>
}
export interface Behind {
  /** What the command says by itself; undefined for an empty one. */
  readonly named: ReturnType<typeof namedBy>
  /** The package that runs, if it is installed. */
  readonly root: BehindPackage | undefined
  /** Everything that it loads, itself first. */
  readonly packages: readonly BehindPackage[]
  /** Why not all of it is known. */
  readonly unknown?: string
}

const distributionsMax = 5000

export async function behind(server: LocalServer): Promise<Behind> {
  const command = withoutCmd(server.command)
  const named = namedBy(command)
  try {
    return { named, ...(await installedBy({ ...server, command }, named)) }
  } catch (error) {
    return { named, root: undefined, packages: [], unknown: whyNot(error) }
  }
}

/** What the file system will not show is as unknown as what nobody may start. */
function whyNot(error: unknown): string {
  if (error instanceof NotAdmitted) return error.message
  const { code } = error as NodeJS.ErrnoException
  if (typeof code === 'string') return `it cannot be read (${code})`
  throw error
}

/** On Windows, `cmd /c npx` is how a client starts what npm installed. */
const withoutCmd = (command: LocalServer['command']): LocalServer['command'] =>
  /^cmd(\.exe)?$/i.test(command[0].split(/[\\/]/).at(-1) as string) && /^\/c$/i.test(command[1] ?? '') && command.length > 2
    ? (command.slice(2) as unknown as LocalServer['command'])
    : command

async function installedBy(server: LocalServer, named: Behind['named']): Promise<Omit<Behind, 'named'>> {
  const started = await startedBy(server)
  const nothing = (unknown: string): Omit<Behind, 'named'> => ({ root: undefined, packages: [], unknown })
  switch (started.kind) {
    case 'npm':
      return npmBehind(started.folder)
    case 'pypi':
      return pythonBehind(started, named)
    case 'npm-missing':
      return nothing(`${started.name} is not installed here`)
    case 'image':
      return nothing('what is in an image is not looked into')
    case 'files':
      return nothing('it is a program of its own, and belongs to no package')
  }
}

async function npmBehind(folder: string): Promise<Omit<Behind, 'named'>> {
  try {
    const { root, packages } = await npmTree(folder)
    const first = packageOf(root.manifest)
    const others = [...packages.values()].filter((one) => one !== root && one.manifest.name !== '')
    return { root: first, packages: [first, ...others.map(({ manifest }) => packageOf(manifest))] }
  } catch (error) {
    if (!(error instanceof NotAdmitted)) throw error
    const root = packageOf(await readPackageJson(folder))
    return { root, packages: [root], unknown: error.message }
  }
}

const common = { kind: 'package', seen: ['installed'], usedBy: [], dependsOn: [], gaps: [] } as const satisfies Partial<Component>

const packageOf = ({ name, version, licence, installScripts }: PackageJson): BehindPackage => ({
  ...{ ...common, name: name === '' ? 'a package without a name' : name, version, licence, scripts: installScripts },
  purl: name === '' ? undefined : purlOf('npm', name, version),
})

/** A virtual environment is for what is installed in it, so all of it counts. */
async function pythonBehind(
  { sitePackages, entry }: Extract<Started, { kind: 'pypi' }>,
  named: Behind['named'],
): Promise<Omit<Behind, 'named'>> {
  const folders = (await readdir(sitePackages)).filter((name) => name.endsWith('.dist-info')).sort()
  const packages: BehindPackage[] = []
  for (const folder of folders.slice(0, distributionsMax)) {
    const text = await readFile(join(sitePackages, folder, 'METADATA'), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const { name, version, licence } = distributionHeaders(text, folder)
    packages.push({ ...common, name, version, licence, purl: purlOf('pypi', name, version) })
  }
  const wanted = named?.kind === 'package' ? named.name : 'script' in entry ? basename(entry.script) : entry.module
  const root = packages.find(({ name }) => name === wanted.toLowerCase().replace(/[-_.]+/g, '-'))
  const whole = { root, packages: root === undefined ? packages : [root, ...packages.filter((one) => one !== root)] }
  return root === undefined ? { ...whole, unknown: `which of the packages beside it is ${wanted} cannot be told` } : whole
}
