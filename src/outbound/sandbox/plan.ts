/**
 * From a server and its grants to the profile of its sandbox: the program's files are found, the grants are looked at, and all of it
 * becomes mounts. Reads the disk and changes nothing.
 */
import type { WayOut } from './egress/egress.ts'
import { socketFolders } from './egress/socket-folder.ts'
import { checkGrants } from './grants.ts'
import { isWithin, realPath } from './paths.ts'
import { type Mount, type Profile, profile } from './profile.ts'
import { programOf } from './program.ts'
import type { SandboxConfig } from './schema.ts'
import { systemFolders, systemView } from './system.ts'

export interface PlanOptions {
  readonly config: SandboxConfig
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Files of ours that no server may see. */
  withheld(): readonly string[]
  /** Folders that any server may write. */
  written(): readonly string[]
}

/** Descriptors that bubblewrap reads from, after the three that every program has. The first holds its options. */
export const descriptors = { options: 3, seccomp: 4, hosts: 5, passwd: 6, group: 7 } as const

/** Throws SandboxRefused for what cannot be granted, and for a program that is not there. */
export function planOf(
  { config, command, cwd, env, withheld, written }: PlanOptions,
  prlimit: string,
  out: WayOut | undefined,
): Profile {
  const ours = withheld().map((file) => realPath(file) ?? file)
  const program = programOf({ command, cwd, path: env['PATH'], home: env['HOME'], withheld: ours })
  checkGrants(config, { withheld: [...ours, socketFolders()], written: written(), program: program.reads })
  const system = systemView()
  const mount = (path: string, writable = false): Mount => ({ path, source: realPath(path) as string, writable })
  const mounts = [
    ...[...system.folders, ...program.reads, ...config.read].map((path) => mount(path)),
    ...config.write.map((path) => mount(path, true)),
    ...(out?.mounts ?? []),
  ]
  return profile({
    config,
    command: [...(out?.command ?? []), ...command],
    cwd,
    home: homeOf(env),
    mounts: [...new Map(mounts.map((one) => [one.path, one])).values()],
    links: [...system.links, ...program.links],
    hidden: system.hidden,
    prlimit,
    files: [
      ['/etc/hosts', descriptors.hosts],
      ['/etc/passwd', descriptors.passwd],
      ['/etc/group', descriptors.group],
    ],
    seccompDescriptor: descriptors.seccomp,
  })
}

/** An empty folder in memory, under the name that the server expects; elsewhere where that name is taken. */
export function homeOf(env: Readonly<Record<string, string>>): string {
  const home = env['HOME'] ?? ''
  const isTaken =
    ['/tmp', '/etc', '/run'].includes(home) || [...systemFolders, '/dev', '/proc'].some((one) => isWithin(home, one))
  return home.startsWith('/') && home !== '/' && !isTaken ? home : '/tmp/home'
}
