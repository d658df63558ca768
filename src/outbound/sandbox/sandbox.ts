/**
 * The sandbox of one server, from its configuration to a command that can be started: what the machine can do, what the program
 * consists of, what is granted, the way out, the limits. Whatever cannot be had refuses the start; only where the configuration
 * says so does a server run without, and then that is written down first. SUP-C4, K-9, K-10.
 */
import type { Clock } from '../../lib/clock.ts'
import type { NameLookup } from '../../lib/name-lookup.ts'
import type { Confinement, SpawnOptions } from '../stdio/spawn.ts'
import type { Group } from './cgroup.ts'
import { allowList } from './egress/allow-list.ts'
import type { Surroundings } from './egress/destination.ts'
import { type Egress, openEgress } from './egress/egress.ts'
import { type EgressRefusal, Refusals } from './egress/refusals.ts'
import type { Machine, NoMachine } from './machine.ts'
import { descriptors, homeOf, type PlanOptions, planOf } from './plan.ts'
import type { Profile } from './profile.ts'
import { SandboxRefused } from './refused.ts'
import { type Architecture, seccompFilter } from './seccomp.ts'

export interface SandboxOptions extends Omit<PlanOptions, 'command' | 'env'> {
  readonly server: string
  readonly surroundings: Surroundings
  readonly clock: Clock
  readonly lookup: NameLookup
  machine(): Promise<Machine | NoMachine>
  /** For the operator's eyes. */
  log(line: string): void
  /** Writes down that the server runs without a sandbox; resolves when that is on disk. */
  unconfined(why: string): Promise<void>
  refused(refusal: EgressRefusal): void
}

const hosts = '127.0.0.1 localhost\n::1 localhost\n'
let groups = 0

export class Sandbox {
  readonly #options: SandboxOptions
  readonly #refusals: Refusals
  #egress: Promise<Egress> | undefined
  #told = false
  #closed = false

  constructor(options: SandboxOptions) {
    this.#options = options
    this.#refusals = new Refusals(options.clock, (refusal) => options.refused(refusal))
  }

  /** How the server is started. Throws {@link SandboxRefused}. */
  async launch({ command, env }: Pick<SpawnOptions, 'command' | 'env'>): Promise<SpawnOptions> {
    const { config, cwd } = this.#options
    const machine = await this.#options.machine()
    if ('why' in machine) {
      if (config.whenUnavailable === 'refuse') throw new SandboxRefused(machine.why, machine.fix)
      await this.#options.unconfined(machine.why)
      this.#options.log(`runs without its sandbox, as sandbox.whenUnavailable allows: ${machine.why}`)
      return { command, cwd, env }
    }
    const egress = config.network === 'none' ? undefined : await this.#open(config.network.hosts)
    const made = planOf({ ...this.#options, command, env }, machine.prlimit, egress)
    const environment = { ...env, HOME: homeOf(env), TMPDIR: '/tmp', ...egress?.environment }
    return {
      command: [machine.bubblewrap, '--args', String(descriptors.options), '--', ...made.command],
      cwd: '/',
      env: environment,
      confinement: this.#confinement(machine, made, env),
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const egress = await this.#egress?.catch(() => undefined)
    await egress?.close()
    this.#refusals.close()
  }

  #open(allowed: readonly string[]): Promise<Egress> {
    if (this.#closed) throw new SandboxRefused('the server is being stopped', 'nothing has to be done')
    const { surroundings, lookup } = this.#options
    this.#egress ??= openEgress(
      {
        allowed: allowList(allowed),
        surroundings,
        lookup,
        refused: (host, port, why) => this.#refusals.add(host, port, why),
      },
      allowed,
    )
    this.#egress.catch(() => {
      this.#egress = undefined // the next start tries again
    })
    return this.#egress
  }

  #confinement({ groups: makeGroup, inherited }: Machine, { options }: Profile, env: SpawnOptions['env']): Confinement {
    const { server, config } = this.#options
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0] // who we are need not have a name
    const filter = seccompFilter(process.arch as Architecture)
    let group: Group | undefined // made last: whatever throws before it leaves none behind
    if (makeGroup) group = makeGroup(`${server}-${groups++}`, config)
    else if (!this.#told) this.#options.log('no control group can be made here, so its memory is limited for each process alone')
    this.#told = true
    return {
      inputs: [
        options.map((word) => `${word}\0`).join(''),
        filter,
        hosts,
        `server:x:${uid}:${gid}::${homeOf(env)}:/bin/sh\n`,
        `server:x:${gid}:\n`,
      ],
      kept: inherited,
      enter: (pid) => group?.enter(pid),
      left: () => group?.remove(),
    }
  }
}
