/** All servers behind the gateway, and the one way to them: {@link Upstreams.forward}. */
import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../lib/clock.ts'
import { inTime, type Stop } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Parcel, Principal } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { MethodTable } from '../protocol/methods.ts'
import type { Era } from '../protocol/revisions/index.ts'
import type { ListChanged } from './announced.ts'
import type { Reading } from './catalogs.ts'
import type { Broker } from './credentials/broker.ts'
import { secretsOf } from './credentials/secrets.ts'
import { credentialed } from './credentials/transport.ts'
import { SseWire } from './http/sse-wire.ts'
import { type KeyPin, pinned } from './http/tls-key.ts'
import { fetchTransport, type NetworkOptions, networkTransport, type Transport } from './http/transport.ts'
import { HttpWire } from './http/wire.ts'
import { RequestStates, type Seal } from './request-state.ts'
import { type Launcher, Sandboxes, type SandboxPorts } from './sandbox/sandboxes.ts'
import { type HttpServer, plainEnvironment, type ServerConfig, type StdioServer } from './schema.ts'
import { Server } from './server.ts'
import type { Admit } from './stdio/admit.ts'
import { StdioWire } from './stdio/wire.ts'
import { TaskOwners } from './task-owners.ts'
import { type Wire, WireError } from './wire.ts'

export type Fetch = (request: Request) => Response | Promise<Response>

export interface UpstreamsOptions {
  readonly servers: Readonly<Record<string, ServerConfig>>
  /** Servers in this process, by id: a `fetch` in place of the network. */
  readonly fetches?: Readonly<Record<string, Fetch>> | undefined
  readonly methods: MethodTable
  readonly clock: Clock
  readonly seal: Seal
  readonly proxy: NetworkOptions['proxy']
  readonly broker: Broker
  /** Asked before every start of a local server; without it, they are started as they are. */
  readonly admit?: Admit | undefined
  /** Asked before every connection to a remote one. Throws a Refusal; answers with the key that it has to prove itself with. */
  readonly admitRemote?: ((server: string, url: string) => Promise<string | undefined>) | undefined
  readonly limits: { readonly resultBytesMax: number; readonly depthMax: number }
  readonly sandbox: SandboxPorts
  log(server: string, line: string): void
  /** Writes down that a server is asked for a list that nobody has asked for; resolves when that is on disk. */
  reading(server: string, principal: string, why: Reading): Promise<void>
}

const sweepMs = 10_000
const probeMsMax = 5000

export class Upstreams {
  readonly #options: UpstreamsOptions
  readonly #states: RequestStates
  readonly #sandboxes: Sandboxes
  #servers: ReadonlyMap<string, Served> = new Map()
  readonly #disabled = new Set<string>()
  /** By server id, and kept when its configuration changes: a task outlives a reload. */
  readonly #tasks = new Map<string, TaskOwners>()
  #closed = false
  readonly #sweeper: NodeJS.Timeout

  private constructor(options: UpstreamsOptions) {
    this.#options = options
    this.#states = new RequestStates(options.seal, options.clock)
    this.#sandboxes = new Sandboxes({
      ...options.sandbox,
      clock: options.clock,
      remotes: () => [...this.#servers.values()].flatMap(({ config }) => (config.kind === 'http' ? config.url : [])),
      written: () =>
        [...this.#servers.values()].flatMap(({ config }) =>
          config.kind === 'stdio' && config.sandbox !== 'off' ? config.sandbox.write : [],
        ),
    })
    this.#sweeper = setInterval(() => {
      for (const { server } of this.#servers.values()) server.sweep()
    }, sweepMs)
    this.#sweeper.unref()
  }

  static async open(options: UpstreamsOptions): Promise<Upstreams> {
    const upstreams = new Upstreams(options)
    await upstreams.serve(options.servers)
    return upstreams
  }

  /**
   * Takes over a new set of servers; the ones that did not change keep their connections. `inForce` is called in the moment
   * of the change, and what is no longer served is stopped after it.
   */
  async serve(servers: Readonly<Record<string, ServerConfig>>, inForce: () => void = () => undefined): Promise<void> {
    const next = new Map<string, Served>()
    for (const [id, config] of Object.entries(servers)) {
      const present = this.#servers.get(id)
      const material = await materialOf(config)
      const isSame = isDeepStrictEqual(present?.config, config) && isDeepStrictEqual(present?.material, material)
      next.set(id, present && isSame ? present : this.#open(id, config, material))
    }
    const stale = [...this.#servers].filter(([id, served]) => next.get(id) !== served)
    this.#servers = next
    inForce()
    await Promise.all(stale.map(([id, served]) => closed(served, new Refusal('UPSTREAM_UNAVAILABLE', { detail: id }))))
  }

  #open(id: string, config: ServerConfig, material: Material): Served {
    const log = (line: string): void => this.#options.log(id, line)
    const launcher = config.kind === 'stdio' ? this.#sandboxes.launcher(id, config, material.env ?? {}, log) : undefined
    const { open, transport } = launcher
      ? { open: childOpener(id, config as StdioServer, launcher, this.#options, log), transport: undefined }
      : opener(id, config as HttpServer, material, this.#options)
    const reading = (principal: string, why: Reading): Promise<void> => this.#options.reading(id, principal, why)
    const tasks = this.#tasks.get(id) ?? new TaskOwners()
    this.#tasks.set(id, tasks)
    const server = new Server({
      id,
      tasks,
      config,
      methods: this.#options.methods,
      clock: this.#options.clock,
      states: this.#states,
      open,
      log,
      reading,
    })
    return { server, config, material, closing: [transport, launcher] }
  }

  get ids(): readonly string[] {
    return [...this.#servers.keys()].filter((id) => !this.#disabled.has(id))
  }

  /** Throws SERVER_UNKNOWN or SERVER_DISABLED. */
  mustServe(id: string): void {
    this.#server(id)
  }

  forward(call: Cleared, answers: readonly Cleared[], stop: Stop): Flow {
    return this.#server(call.server).forward(call, answers, stop)
  }

  /** Every entry of a list of a server, as the caller is answered. Rejects with a Refusal. */
  async entries(call: Parcel, method: string, items: string): Promise<readonly JsonObject[]> {
    return this.#server(call.server).entries(call, method, items)
  }

  /** What a server says of itself first, as the caller is answered. Rejects with a Refusal. */
  async introduction(call: Parcel): Promise<JsonObject> {
    return this.#server(call.server).introduction(call)
  }

  /** Tells whoever listens to a server that a list of it is another one now. */
  announce(id: string, changed: ListChanged): void {
    this.#servers.get(id)?.server.announcements.tell(changed)
  }

  /** The servers that an operator has switched off, now. What is under way at them ends, streams included. */
  async disable(ids: readonly string[]): Promise<void> {
    const newly = ids.filter((id) => !this.#disabled.has(id))
    this.#disabled.clear()
    for (const id of ids) this.#disabled.add(id)
    await Promise.all(newly.map((id) => this.#servers.get(id)?.server.stop(new Refusal('SERVER_DISABLED', { detail: id }))))
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    this.#closed = true
    await Promise.all([...this.#servers.values()].map((served) => closed(served, new Refusal('SHUTTING_DOWN'))))
  }

  #server(id: string): Server {
    if (this.#closed) throw new Refusal('SHUTTING_DOWN')
    const server = this.#servers.get(id)?.server
    if (!server) throw new Refusal('SERVER_UNKNOWN', { detail: id })
    if (this.#disabled.has(id)) throw new Refusal('SERVER_DISABLED', { detail: id })
    return server
  }
}

interface Served {
  readonly server: Server
  readonly config: ServerConfig
  readonly material: Material
  /** What it stands on, to be let go of after it. */
  readonly closing: readonly (Transport | Launcher | undefined)[]
}

async function closed({ server, closing }: Served, reason: Refusal): Promise<void> {
  await server.close(reason)
  await Promise.all(closing.map((one) => one?.close()))
}

/** What a configuration only names: the secrets of a child's environment, the certificates of a connection. */
interface Material {
  readonly env?: Readonly<Record<string, string>>
  readonly tls?: NetworkOptions['tls']
  /** What the credential is made with: another secret is another credential. */
  readonly secrets?: readonly string[]
}

const materialOf = async (config: ServerConfig): Promise<Material> =>
  config.kind === 'stdio'
    ? { env: plainEnvironment(config) }
    : { tls: await pem(config.tls), secrets: secretsOf(config.credential) }

/** Each call starts a new process. */
function childOpener(
  server: string,
  { command, cwd, shared, lineBytesMax }: StdioServer,
  launcher: Launcher,
  { admit, limits: { depthMax } }: UpstreamsOptions,
  log: (line: string) => void,
): Open {
  return async () => {
    const admitted = await admit?.(server, { command, cwd, env: launcher.env })
    const how = await launcher.launch(admitted)
    try {
      return new StdioWire({
        ...how,
        server,
        confirm: admitted && (() => admitted.confirm()),
        shared,
        lineBytesMax,
        depthMax,
        log,
      })
    } catch (error) {
      log(`could not be started: ${error instanceof Error ? error.message : 'unknown'}`)
      throw new Refusal('UPSTREAM_UNAVAILABLE', { detail: server })
    }
  }
}

type Open = (era: Era, principal: Principal) => Promise<Wire>

/** How connections to a remote server are opened: each call opens a new one. */
function opener(
  id: string,
  config: HttpServer,
  { tls }: Material,
  options: UpstreamsOptions,
): { open: Open; transport: Transport } {
  const { resultBytesMax, depthMax } = options.limits
  const fetch = options.fetches?.[id]
  const pin: KeyPin = { spki: undefined }
  const checkServerIdentity = options.admitRemote && pinned(id, pin)
  const transport = fetch
    ? fetchTransport(fetch)
    : networkTransport({ url: config.url, tls, proxy: options.proxy, checkServerIdentity })
  const credentials = options.broker.bind({ server: id, url: config.url, ca: tls?.ca }, config.credential)
  const wireOptions = (principal: Principal) => ({
    server: id,
    transport: credentials ? credentialed(transport, credentials(principal), id) : transport,
    resultBytesMax,
    depthMax,
  })
  const admitted = async (principal: Principal) => {
    pin.spki = await options.admitRemote?.(id, config.url)
    return wireOptions(principal)
  }
  const streamable = async (_: Era, principal: Principal): Promise<HttpWire> => new HttpWire(await admitted(principal))
  const sse = async (_: Era, principal: Principal): Promise<Wire> =>
    new SseWire({ ...(await admitted(principal)), url: config.url })
  if (fetch || config.transport === 'streamable-http') return { open: streamable, transport }
  if (config.transport === 'http+sse') return { open: sse, transport }
  let old: boolean | undefined
  const open = async (era: Era, principal: Principal): Promise<Wire> => {
    if (era === 'legacy')
      old ??= await speaksHttpSse(await streamable(era, principal), Math.min(probeMsMax, config.requestTimeoutMs))
    return era === 'legacy' && old ? sse(era, principal) : streamable(era, principal)
  }
  return { open, transport }
}

/**
 * True for a server of 2024-11-05: it answers a POST to its URL with 404 or 405 and nothing of MCP in it, and its
 * URL is an event stream (2026-07-28 Streamable HTTP, Backward Compatibility).
 */
async function speaksHttpSse(wire: HttpWire, withinMs: number): Promise<boolean> {
  try {
    const ping = { kind: 'request', id: 'probe', method: 'ping', params: {} } as const
    await inTime(
      withinMs,
      () => new Refusal('UPSTREAM_TIMEOUT', { detail: withinMs }),
      (stop) => wire.request(ping, {}, stop),
    )
    return false
  } catch (error) {
    if (error instanceof WireError) return [404, 405].includes(error.status)
    throw error
  }
}

async function pem(tls: HttpServer['tls']): Promise<NetworkOptions['tls']> {
  const read = (path: string | undefined): Promise<string> | undefined =>
    path === undefined ? undefined : readFile(path, 'utf8')
  return { ca: await read(tls.ca), cert: await read(tls.cert), key: await read(tls.key), minVersion: tls.minVersion }
}
