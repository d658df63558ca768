/** The sandboxes of all local servers, and what they have in common: the machine, our own files and ports, where to write things down. */
import { networkInterfaces } from 'node:os'
import type { Clock } from '../../lib/clock.ts'
import { atMostAtOnce, type NameLookup, systemLookup } from '../../lib/name-lookup.ts'
import { unstoppable } from '../../lib/stop.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import type { StdioServer } from '../schema.ts'
import type { SpawnOptions } from '../stdio/spawn.ts'
import { readTarget, type Target } from './egress/allow-list.ts'
import type { EgressRefusal } from './egress/refusals.ts'
import { findMachine, type Machine, type NoMachine } from './machine.ts'
import { SandboxRefused } from './refused.ts'
import { Sandbox } from './sandbox.ts'

/** What the house tells the sandboxes, and hears of them. */
export interface SandboxPorts {
  /** Files of ours that no server may see. */
  withheld(): readonly string[]
  /** The URL under which others know us. */
  readonly publicUrl: string | undefined
  ownPorts(): readonly number[]
  /** In place of the machine that we are on. */
  readonly machine?: (() => Promise<Machine | NoMachine>) | undefined
  readonly lookup?: NameLookup | undefined
  /** Writes down that a server runs without a sandbox; resolves when that is on disk. */
  unconfined(server: string, why: string): Promise<void>
  /** Writes down that a server was not let out. */
  egressRefused(server: string, refusal: EgressRefusal): void
}

/** A way to start a server, again and again. */
export interface Launcher {
  /** Of the child, before it is changed by whoever admits it. */
  readonly env: SpawnOptions['env']
  /** Throws a Refusal; why, is in the log. `as`: what takes the place of the command, and is put over the environment. */
  launch(as?: Pick<SpawnOptions, 'command' | 'env'>): Promise<SpawnOptions>
  close(): Promise<void>
}

export interface SandboxesOptions extends SandboxPorts {
  readonly clock: Clock
  /** URLs of the remote servers that there are now. */
  remotes(): readonly string[]
  /** Folders that the local servers there are now may write. */
  written(): readonly string[]
}

/** Half of the threads that Node has for this, and for our files. */
const lookupsMax = 2

export class Sandboxes {
  readonly #options: SandboxesOptions
  readonly #lookup: ReturnType<typeof atMostAtOnce>
  #machine: Promise<Machine | NoMachine> | undefined

  constructor(options: SandboxesOptions) {
    this.#options = options
    this.#lookup = atMostAtOnce(lookupsMax, options.lookup ?? systemLookup)
  }

  /** Looked for again where nothing was found: what was missing may have been installed, or the trial was too slow. */
  async #found(): Promise<Machine | NoMachine> {
    this.#machine ??= (this.#options.machine ?? findMachine)()
    const found = await this.#machine
    if ('why' in found) this.#machine = undefined
    return found
  }

  launcher(server: string, config: StdioServer, env: Readonly<Record<string, string>>, log: (line: string) => void): Launcher {
    const { command, cwd } = config
    const started = (as?: Pick<SpawnOptions, 'command' | 'env'>) => ({
      command: as?.command ?? command,
      env: { ...env, ...as?.env },
    })
    if (config.sandbox === 'off') return { env, launch: async (as) => ({ ...started(as), cwd }), close: async () => undefined }
    const { withheld, publicUrl, ownPorts, remotes, written, clock, unconfined, egressRefused } = this.#options
    const sandbox = new Sandbox({
      server,
      config: config.sandbox,
      cwd,
      withheld,
      written,
      clock,
      lookup: (name) => this.#lookup(name, unstoppable),
      log,
      surroundings: {
        ownPorts,
        gateway: publicUrl === undefined ? undefined : targetOf(publicUrl),
        neighbours: () => remotes().flatMap((url) => targetOf(url) ?? []),
        ownAddresses,
      },
      machine: () => this.#found(),
      unconfined: (why) => unconfined(server, why),
      refused: (refusal) => egressRefused(server, refusal),
    })
    return {
      env,
      async launch(as) {
        try {
          return await sandbox.launch(started(as))
        } catch (error) {
          const why = error instanceof SandboxRefused ? error.message : `it cannot be made (${codeOf(error)})`
          log(`is not started, for its sandbox: ${why}`)
          throw new Refusal('UPSTREAM_UNAVAILABLE', { detail: server, cause: 'its sandbox cannot be made' })
        }
      },
      close: () => sandbox.close(),
    }
  }
}

function targetOf(text: string): Target | undefined {
  const { hostname, port, protocol } = new URL(text)
  return readTarget(`${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`)
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address.replace(/%.*/, '')))

const codeOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : 'unknown')
