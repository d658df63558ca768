/** Which MCP servers the clients of this machine use, and what is wrong with how they are configured. No value of a variable is in it. */
import { statSync } from 'node:fs'
import { loadConfig } from '../../config/load.ts'
import { looksLikeSecret } from '../../config/secrets.ts'
import { baseOf } from '../../inbound/base.ts'
import { type ClientFile, discover as discoverFiles } from '../../trust/clients/discover.ts'
import type { FileProblem, FoundServer, Place } from '../../trust/clients/entries.ts'
import { type ClientFinding, findings, ownCommand } from '../../trust/clients/findings.ts'
import { guardOf, type Launcher } from '../../trust/clients/guarded.ts'
import type { Places, Scope } from '../../trust/clients/known.ts'
import { type Standing, standingOf } from '../../trust/clients/shadow.ts'
import { type Known, type Listening, type Looking, listenersAt } from '../listeners/listeners.ts'
import { isSecretUrl, maskedWords, shownUrl, shownWords } from './masking.ts'

export interface ServerView {
  readonly name: string
  /** The folder that an entry in a file of the user is for. */
  readonly project?: string
  readonly transport: FoundServer['transport']
  /** What is started or called, secrets replaced; without Sekisho before it. */
  readonly command: readonly string[]
  readonly url: string | undefined
  /** Names alone. */
  readonly env: readonly string[]
  readonly headers: readonly string[]
  readonly disabled: boolean
  /** Whether `sekisho run` stands before it. */
  readonly wrapped: boolean
  /** `guarded`: through `sekisho run` or our gateway; `shadow`: past both. */
  readonly standing: Standing
  readonly at: Place
}
export interface ClientView {
  readonly client: string
  readonly scope: Scope
  readonly file: string
  readonly problems: readonly FileProblem[]
  readonly servers: readonly ServerView[]
}
export interface Discovered {
  readonly files: readonly ClientView[]
  readonly findings: readonly ClientFinding[]
  /** Undefined where no ports were looked at. */
  readonly listening: Listening | undefined
}

export interface DiscoverOptions {
  readonly places: Places
  readonly projects: readonly string[]
  readonly launcher: Launcher
  /** The configuration of our gateway; undefined where there is none. */
  readonly config?: string | undefined
  readonly looking?: Looking | undefined
}

export async function discover({ places, projects, launcher, config, looking }: DiscoverOptions): Promise<Discovered> {
  refuseMissingFolders(projects)
  const known = await knownFrom(config)
  const files = discoverFiles(places, projects)
  const eyes = { isSecret: looksLikeSecret, isSecretUrl, masked: maskedWords, launcher }
  return {
    files: files.map((file) => viewOf(file, launcher, known.gateways)),
    findings: findings(files, eyes),
    listening: looking && (await listenersAt(looking, known)),
  }
}

/** `unread`: what could not be looked at, so that nobody can say that there is none. */
export function shadowsIn({ files, listening }: Discovered): { readonly shadows: number; readonly unread: number } {
  const entries = files.flatMap(({ servers }) => servers).filter(({ standing }) => standing === 'shadow')
  const listeners = listening?.listeners.filter(({ standing }) => standing === 'shadow') ?? []
  const unread = files.flatMap(({ problems }) => problems).length + (listening?.unclear.length ?? 0)
  return { shadows: entries.length + listeners.length, unread }
}

async function knownFrom(file: string | undefined): Promise<Known> {
  if (file === undefined) return { gateways: [], servers: [], isConfigured: false }
  const config = await loadConfig(file, undefined, { secrets: 'leave' })
  const { publicUrl: _, ...local } = config
  const servers = Object.entries(config.servers).flatMap(([id, one]) => (one.kind === 'http' ? [{ id, url: one.url }] : []))
  return { gateways: [...new Set([baseOf(config), baseOf(local)])], servers, isConfigured: true }
}

/** A slip of the hand would find nothing, and look as if there were nothing. */
export function refuseMissingFolders(projects: readonly string[]): void {
  const missing = projects.find((project) => !statSync(project, { throwIfNoEntry: false })?.isDirectory())
  if (missing !== undefined) throw new Error(`there is no folder ${missing}`)
}

function viewOf(
  { client, scope, file, problems, servers }: ClientFile,
  launcher: Launcher,
  gateways: readonly string[],
): ClientView {
  return { client, scope, file, problems, servers: servers.map((server) => serverView(server, launcher, gateways)) }
}

function serverView(server: FoundServer, launcher: Launcher, gateways: readonly string[]): ServerView {
  const { words, url } = ownCommand(server, launcher)
  const { name, project, transport, env, headers, disabled, at } = server
  return {
    ...{ name, ...(project !== undefined && { project }), transport },
    ...{ command: shownWords(words), url: url === undefined ? undefined : shownUrl(url) },
    ...{ env: env.names, headers: headers.names, disabled, at },
    wrapped: guardOf(server, launcher) !== undefined,
    standing: standingOf(server, launcher, gateways),
  }
}
