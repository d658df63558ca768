/**
 * The sandbox of one server, from its configuration to a command that can be started: what the machine can do, what the program
 * consists of, what is granted, the way out, the limits. Whatever cannot be had refuses the start; only where the configuration
 * says so does a server run without, and then that is written down first. SUP-C4, K-9, K-10.
 */
import { userInfo } from 'node:os'
import type { Clock } from '../../lib/clock.ts'
import { type NameLookup, systemLookup } from '../../lib/name-lookup.ts'
import type { Confinement, SpawnOptions } from '../stdio/spawn.ts'
import type { Group } from './cgroup.ts'
import { allowList } from './egress/allow-list.ts'
import type { Surroundings } from './egress/destination.ts'
import { type Egress, openEgress } from './egress/egress.ts'
import { type EgressRefusal, Refusals } from './egress/refusals.ts'
import { checkGrants } from './grants.ts'
import type { Machine, NoMachine } from './machine.ts'
import { isWithin, realPath } from './paths.ts'
import { type Mount, type Profile, profile } from './profile.ts'
import { programOf } from './program.ts'
import { SandboxRefused } from './refused.ts'
import type { SandboxConfig } from './schema.ts'
import { type Architecture, seccompFilter } from './seccomp.ts'
import { systemFolders, systemView } from './system.ts'

export interface SandboxOptions {
  readonly server: string
  readonly config: SandboxConfig
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Files of ours that no server may see. */
  readonly withheld: readonly string[]
  readonly surroundings: Surroundings
  readonly clock: Clock
  readonly lookup?: NameLookup | undefined
  machine(): Promise<Machine | NoMachine>
  /** For the operator's eyes. */
  log(line: string): void
  /** Writes down that the server runs without a sandbox; resolves when that is on disk. */
  unconfined(why: string): Promise<void>
  refused(refusal: EgressRefusal): void
}

/** Descriptors that bubblewrap reads from, after the three that every program has. The first holds its options. */
const descriptors = { options: 3, seccomp: 4, hosts: 5, passwd: 6, group: 7 } as const
const hosts = '127.0.0.1 localhost\n::1 localhost\n'
let groups = 0

export class Sandbox {
  readonly #options: SandboxOptions
  readonly #refusals: Refusals
  #egress: Promise<Egress> | undefined
  #told = false

  constructor(options: SandboxOptions) {
    this.#options = options
    this.#refusals = new Refusals(options.clock, (refusal) => options.refused(refusal))
  }

  /** How the server is started. Throws {@link SandboxRefused}. */
  async launch(): Promise<SpawnOptions> {
    const { config, command, cwd, env } = this.#options
    const machine = await this.#options.machine()
    if ('why' in machine) {
      if (config.whenUnavailable === 'refuse') throw new SandboxRefused(machine.why, machine.fix)
      await this.#options.unconfined(machine.why)
      this.#options.log(`runs without its sandbox, as sandbox.whenUnavailable allows: ${machine.why}`)
      return { command, cwd, env }
    }
    const egress = config.network === 'none' ? undefined : await this.#open(config.network.hosts)
    const made = this.#profile(machine, egress)
    const home = this.#home
    const environment = { ...env, HOME: home, TMPDIR: '/tmp', ...egress?.environment }
    return {
      command: [machine.bubblewrap, '--args', String(descriptors.options), '--', ...made.command],
      cwd: '/',
      env: environment,
      confinement: this.#confinement(machine, made),
    }
  }

  /** What bubblewrap is told, for whoever has to agree to it. Throws {@link SandboxRefused}. */
  profile(machine: Machine): Profile {
    return this.#profile(machine, undefined)
  }

  async close(): Promise<void> {
    const egress = await this.#egress?.catch(() => undefined)
    await egress?.close()
  }

  #open(allowed: readonly string[]): Promise<Egress> {
    const { surroundings, lookup = systemLookup } = this.#options
    this.#egress ??= openEgress(
      {
        allowed: allowList(allowed),
        surroundings,
        lookup,
        refused: (host, port, why) => this.#refusals.add(host, port, why),
      },
      allowed,
    )
    return this.#egress
  }

  #profile({ prlimit }: Machine, egress: Egress | undefined): Profile {
    const { config, command, cwd, env } = this.#options
    const withheld = this.#options.withheld.map((file) => realPath(file) ?? file)
    const program = programOf({ command, cwd, path: env['PATH'], home: env['HOME'], withheld })
    checkGrants(config, withheld, program.reads)
    const system = systemView()
    const mount = (path: string, writable = false): Mount => ({ path, source: realPath(path) as string, writable })
    const mounts = [
      ...[...system.folders, ...program.reads, ...config.read].map((path) => mount(path)),
      ...config.write.map((path) => mount(path, true)),
      ...(egress?.mounts ?? []),
    ]
    return profile({
      config,
      command: [...(egress?.command ?? []), ...command],
      cwd,
      home: this.#home,
      mounts: [...new Map(mounts.map((one) => [one.path, one])).values()],
      links: [...system.links, ...program.links],
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
  get #home(): string {
    const home = this.#options.env['HOME'] ?? ''
    const isTaken =
      ['/tmp', '/etc', '/run'].includes(home) || [...systemFolders, '/dev', '/proc'].some((one) => isWithin(home, one))
    return home.startsWith('/') && home !== '/' && !isTaken ? home : '/tmp/home'
  }

  #confinement({ groups: makeGroup, inherited }: Machine, { options }: Profile): Confinement {
    const { server, config } = this.#options
    const { uid, gid } = userInfo()
    let group: Group | undefined
    if (makeGroup) group = makeGroup(`${server}-${groups++}`, config)
    else if (!this.#told) this.#options.log('no control group can be made here, so its memory is limited for each process alone')
    this.#told = true
    return {
      inputs: [
        options.map((word) => `${word}\0`).join(''),
        seccompFilter(process.arch as Architecture),
        hosts,
        `server:x:${uid}:${gid}::${this.#home}:/bin/sh\n`,
        `server:x:${gid}:\n`,
      ],
      kept: inherited,
      enter: (pid) => group?.enter(pid),
      left: () => group?.remove(),
    }
  }
}
