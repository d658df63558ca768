/**
 * What a server's own program consists of, found by following its command as the system would: the program, the interpreter that
 * its first line names, the script that is its argument, and the package that each is part of. All of it may be read, none
 * written. What is not found this way has to be granted with `read`. A folder that holds a file of ours is never taken whole.
 */
import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import { isWithin, outermost, realPath } from './paths.ts'
import { SandboxRefused } from './refused.ts'
import { type Link, systemFolders } from './system.ts'

export interface ProgramOptions {
  readonly command: readonly string[]
  readonly cwd: string
  /** The server's PATH. */
  readonly path: string | undefined
  readonly home: string | undefined
  /** Files that no server may see, all links followed. */
  readonly withheld: readonly string[]
}
export interface Program {
  readonly reads: readonly string[]
  readonly links: readonly Link[]
}

const defaultPath = '/usr/local/bin:/usr/bin:/bin'
const interpretersMax = 4
const firstLineBytesMax = 256
const interpreter =
  /^(node|nodejs|bun|deno|(python|pypy|ruby|perl|php|lua|tclsh)[\d.]*|java|dotnet|bash|dash|sh|zsh|ksh|fish|pwsh|Rscript|julia|elixir|escript)$/
/** What lies beside the first of these belongs together. */
const markers = ['package.json', 'pyproject.toml', 'deno.json']
/** The rest of an installation, beside its folder of programs. */
const besideBin = ['bin', 'lib', 'lib64', 'libexec', 'pyvenv.cfg']

export function programOf(options: ProgramOptions): Program {
  const files = filesOf(options)
  const grants = files.flatMap(({ file, isScript }) => {
    const real = realPath(file) as string
    return [...new Set([file, real])].flatMap((path) => (isOfSystem(path) ? [] : partsOf(path, isScript, options)))
  })
  const reads = outermost([...grants, ...grants.flatMap(linkedPackages)])
  const isSeen = (path: string): boolean => isOfSystem(path) || reads.some((folder) => isWithin(path, folder))
  const links = files.flatMap(({ file }) => (isSeen(file) ? [] : [{ path: file, target: realPath(file) as string }]))
  return { reads, links }
}

interface ProgramFile {
  readonly file: string
  /** Read by another program, so that it may ask for what lies beside it. */
  readonly isScript: boolean
}

/** Throws {@link SandboxRefused} where the program is not there. */
function filesOf({ command, cwd, path = defaultPath }: ProgramOptions): ProgramFile[] {
  const locate = (name: string): string | undefined => {
    const places = name.includes('/') ? [''] : path.split(delimiter)
    return places.map((place) => resolve(cwd, place, name)).find(isExecutable)
  }
  const [name = '', ...rest] = command
  const found = locate(name)
  if (found === undefined) throw new SandboxRefused(`the program ${name} is not there`, 'check "command"')
  const files: ProgramFile[] = []
  let next: string | undefined = found
  while (next !== undefined && files.length < interpretersMax) {
    const named: string | undefined = interpreterIn(next)
    files.push({ file: next, isScript: named !== undefined })
    next = named === undefined ? undefined : locate(named)
  }
  if (!interpreter.test(basename(found)) && !interpreter.test(basename(realPath(found) ?? ''))) return files
  const script = rest.filter((word) => !word.startsWith('-')).map((word) => resolve(cwd, word))
  const [file] = script.filter(isFile)
  return file === undefined ? files : [...files, { file, isScript: true }]
}

/** What `#!` names: execve(2), and env(1) in between. */
function interpreterIn(file: string): string | undefined {
  const [, first, rest = ''] = /^#![ \t]*(\S+)[ \t]*(.*)/.exec(firstLine(file)) ?? []
  if (first === undefined || basename(first) !== 'env') return first
  return rest.split(/[ \t]+/).find((word) => word !== '' && !word.startsWith('-') && !word.includes('='))
}

/** The package or the installation that a file is part of; where it is part of none, the file. */
function partsOf(path: string, isScript: boolean, { home, withheld }: ProgramOptions): string[] {
  const folder = dirname(path)
  const isTooWide = (place: string): boolean => isOfEverybody(place, home)
  const isOpen = (place: string): boolean => !withheld.some((file) => isWithin(file, realPath(place) ?? place))
  const modules = /^(.*?\/node_modules)\//.exec(path)?.[1]
  if (isScript && modules !== undefined) return [modules]
  const above = dirname(folder)
  const installation = basename(folder) === 'bin' && existsSync(join(above, 'lib')) && !isTooWide(above)
  if (installation && !isPackage(above)) return besideBin.map((name) => join(above, name)).filter(existsSync)
  if (!isScript) return [path]
  for (let place = folder; !isTooWide(place); place = dirname(place)) {
    if (!isPackage(place)) continue
    if (isOpen(place)) return [place]
    const narrow = [place === folder ? path : folder, ...[...markers, 'node_modules'].map((name) => join(place, name))]
    return [...narrow.filter(existsSync).filter(isOpen), path]
  }
  return [path]
}

/** Folders of packages are often kept elsewhere, with a link in their place. */
function linkedPackages(folder: string): string[] {
  const real = realPath(join(folder, 'node_modules'))
  return real === undefined || isWithin(real, folder) ? [] : [real]
}

const isPackage = (folder: string): boolean => markers.some((name) => existsSync(join(folder, name)))

/** The root, a home, what homes and temporary files lie in: a file there is part of nothing, whatever lies beside it. */
const isOfEverybody = (folder: string, home: string | undefined): boolean =>
  (home !== undefined && isWithin(home, folder)) || ['/', '/tmp', '/var/tmp', '/home', '/root', '/opt', '/srv'].includes(folder)

const isOfSystem = (path: string): boolean => systemFolders.some((folder) => isWithin(path, folder))

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return isFile(path)
  } catch {
    return false
  }
}

function firstLine(file: string): string {
  const bytes = Buffer.alloc(firstLineBytesMax)
  let handle: number | undefined
  try {
    handle = openSync(file, 'r')
    return bytes.toString('latin1', 0, readSync(handle, bytes)).split('\n', 1)[0] as string
  } catch {
    return '' // it may be run, and not read: then it is no script either
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}
