/** Which MCP servers the clients of this machine use, and what is wrong with how they are configured. No value of a variable is in it. */
import { statSync } from 'node:fs'
import { looksLikeSecret } from '../../config/secrets.ts'
import { type ClientFile, discover as discoverFiles } from '../../trust/clients/discover.ts'
import type { FileProblem, FoundServer, Place } from '../../trust/clients/entries.ts'
import { type ClientFinding, findings, ownCommand } from '../../trust/clients/findings.ts'
import { guardedIn, type Launcher } from '../../trust/clients/guarded.ts'
import type { Places, Scope } from '../../trust/clients/known.ts'
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
  /** Whether it goes through Sekisho. */
  readonly wrapped: boolean
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
}

export async function discover(places: Places, projects: readonly string[], launcher: Launcher): Promise<Discovered> {
  refuseMissingFolders(projects)
  const files = discoverFiles(places, projects)
  const eyes = { isSecret: looksLikeSecret, isSecretUrl, masked: maskedWords, launcher }
  return { files: files.map((file) => viewOf(file, launcher)), findings: findings(files, eyes) }
}

/** A slip of the hand would find nothing, and look as if there were nothing. */
export function refuseMissingFolders(projects: readonly string[]): void {
  const missing = projects.find((project) => !statSync(project, { throwIfNoEntry: false })?.isDirectory())
  if (missing !== undefined) throw new Error(`there is no folder ${missing}`)
}

function viewOf({ client, scope, file, problems, servers }: ClientFile, launcher: Launcher): ClientView {
  return { client, scope, file, problems, servers: servers.map((server) => serverView(server, launcher)) }
}

function serverView(server: FoundServer, launcher: Launcher): ServerView {
  const { words, url } = ownCommand(server, launcher)
  const { name, project, transport, env, headers, disabled, at } = server
  return {
    ...{ name, ...(project !== undefined && { project }), transport },
    ...{ command: shownWords(words), url: url === undefined ? undefined : shownUrl(url) },
    ...{ env: env.names, headers: headers.names, disabled, at },
    wrapped: server.command !== undefined && guardedIn([server.command, ...server.args], launcher) !== undefined,
  }
}
