/**
 * The sandbox as a command line: what bubblewrap(1) is told, in the order in which it does it. Nothing is in it but what is put
 * there; what may be read is mounted read-only, what is written to and not granted is memory, and gone afterwards. Pure: a profile
 * says all there is to know of a sandbox, and can be shown to whoever has to agree to it.
 */
import { isWithin } from './paths.ts'
import type { SandboxConfig } from './schema.ts'
import type { Link } from './system.ts'

export interface Mount {
  /** Where it is in the sandbox. */
  readonly path: string
  /** Where it is outside, all links followed. */
  readonly source: string
  readonly writable: boolean
}
export interface ProfileOptions {
  readonly config: SandboxConfig
  /** Program and arguments, as they are found in the sandbox. */
  readonly command: readonly string[]
  readonly cwd: string
  readonly home: string
  readonly mounts: readonly Mount[]
  readonly links: readonly Link[]
  /** Files in whose place there is nothing. */
  readonly hidden: readonly string[]
  readonly prlimit: string
  /** Small files with words of ours, by path, and the descriptor from which bubblewrap reads them. */
  readonly files: readonly (readonly [path: string, descriptor: number])[]
  readonly seccompDescriptor: number
}
export interface Profile {
  readonly options: readonly string[]
  readonly command: readonly string[]
}

const mib = 1_048_576
/** What an engine marks as its own before it uses any of it: for V8, half a gigabyte of room for code. A control group does not count it. */
const reservedMb = 1024

export function profile(options: ProfileOptions): Profile {
  const { config, cwd, home, mounts, links, hidden, files, seccompDescriptor } = options
  const size = String(config.fileMbMax * mib)
  const memory = (path: string): string[] => ['--perms', '0700', '--size', size, '--tmpfs', path]
  const isMounted = mounts.some(({ path }) => isWithin(cwd, path))
  return {
    options: [
      ...['--unshare-user', '--unshare-all', '--disable-userns', '--die-with-parent', '--new-session'],
      ...['--cap-drop', 'ALL', '--hostname', 'sandbox'],
      // Where we are root, the kernel would take its settings from a server, rights or none.
      ...['--proc', '/proc', '--remount-ro', '/proc'],
      ...hidden.flatMap((path) => ['--ro-bind', '/dev/null', path]),
      ...['--dev', '/dev', ...memory('/dev/shm'), '--remount-ro', '/dev'],
      ...memory('/tmp'),
      ...(isWithin(home, '/tmp') ? ['--dir', home] : memory(home)),
      ...links.flatMap(({ path, target }) => ['--symlink', target, path]),
      ...inOrder(mounts).flatMap(({ path, source, writable }) => [writable ? '--bind' : '--ro-bind', source, path]),
      ...files.flatMap(([path, descriptor]) => ['--perms', '0444', '--ro-bind-data', String(descriptor), path]),
      ...(isMounted ? [] : ['--dir', cwd]),
      ...['--remount-ro', '/', '--chdir', cwd, '--seccomp', String(seccompDescriptor)],
    ],
    command: [...limited(options), ...options.command],
  }
}

/** Set inside, so that the kernel counts the processes of this sandbox only (Linux 5.14 and later). */
function limited({ prlimit, config }: ProfileOptions): string[] {
  const { memoryMbMax, cpuSecondsMax, processesMax, openFilesMax, fileMbMax } = config
  const limits = {
    core: 0,
    // Not the address space: of that an engine reserves many times more.
    data: (memoryMbMax + reservedMb) * mib,
    nproc: processesMax,
    nofile: openFilesMax,
    fsize: fileMbMax * mib,
    ...(cpuSecondsMax !== undefined && { cpu: cpuSecondsMax }),
  }
  return [prlimit, ...Object.entries(limits).map(([name, value]) => `--${name}=${value}`), '--']
}

/** A folder before what lies in it. */
const inOrder = (mounts: readonly Mount[]): Mount[] =>
  [...mounts].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
