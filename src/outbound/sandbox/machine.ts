/**
 * What this machine has for sandboxes: bubblewrap, util-linux, user namespaces that work, and control groups where we may make them.
 * Tried once by building a sandbox, because a kernel, a container or AppArmor may forbid what the programs could do. Programs are
 * looked for in the folders of the system only, so that nobody puts another in their place.
 */
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { promisify } from 'node:util'
import { findGroups, type MakeGroup } from './cgroup.ts'
import { inheritedDescriptors } from './inherited.ts'
import { realPath } from './paths.ts'
import { isFiltered } from './seccomp.ts'

export interface Machine {
  readonly bubblewrap: string
  /** All links followed, as not every place of links is in a sandbox. */
  readonly prlimit: string
  /** Undefined: limits hold for each process alone. */
  readonly groups: MakeGroup | undefined
  /** Descriptors that no sandbox may inherit from us. */
  readonly inherited: readonly number[]
}
export interface NoMachine {
  readonly why: string
  readonly fix: string
}

const folders = ['/usr/bin', '/usr/local/bin', '/bin', '/run/current-system/sw/bin']
const oldest = [0, 8] as const
const trialMs = 10_000
const install = 'install bubblewrap and util-linux (Debian: apt-get install bubblewrap), or set sandbox.whenUnavailable'
const run = promisify(execFile)

export async function findMachine(
  platform = process.platform,
  architecture: string = process.arch,
): Promise<Machine | NoMachine> {
  if (platform !== 'linux') return { why: `there is no sandbox on ${platform}`, fix: 'use Linux, or set sandbox.whenUnavailable' }
  if (!isFiltered(architecture))
    return {
      why: `there is no filter of system calls for ${architecture}`,
      fix: 'use x64 or arm64, or set sandbox.whenUnavailable',
    }
  const [bubblewrap, prlimit] = ['bwrap', 'prlimit'].map(locate)
  if (bubblewrap === undefined || prlimit === undefined)
    return { why: `${bubblewrap === undefined ? 'bubblewrap' : 'prlimit'} is not installed`, fix: install }
  try {
    const { stdout } = await run(bubblewrap, ['--version'], { timeout: trialMs })
    const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number)
    if (major === oldest[0] && minor < oldest[1])
      return {
        why: `${bubblewrap} is ${stdout.trim()}, which is too old`,
        fix: `bubblewrap ${oldest.join('.')} or later is needed`,
      }
    await run(
      bubblewrap,
      ['--unshare-user', '--unshare-all', '--disable-userns', '--ro-bind', '/', '/', '--proc', '/proc', prlimit],
      {
        timeout: trialMs,
      },
    )
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? '')
      .trim()
      .split('\n')[0]
    const fix = 'allow unprivileged user namespaces (kernel, container and AppArmor), or set sandbox.whenUnavailable'
    return { why: `${bubblewrap} cannot build a sandbox here${said ? ` (${said.slice(0, 200)})` : ''}`, fix }
  }
  const groups = findGroups()
  if (groups === undefined && process.getuid?.() === 0) {
    const why = 'the gateway runs as root, whose processes the kernel does not count, and it may make no control groups'
    return { why, fix: 'run it as a user of its own, or give it writable control groups' }
  }
  return { bubblewrap, prlimit: realPath(prlimit) ?? prlimit, groups, inherited: inheritedDescriptors() }
}

function locate(program: string): string | undefined {
  return folders.map((folder) => `${folder}/${program}`).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
