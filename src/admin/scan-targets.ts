/** What is to be scanned: the servers of the clients here, of a file, at a URL, behind a command, or a manifest. */
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { clientPlaces } from '../config/client-places.ts'
import { readEnvironment } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import { looksLikeSecret } from '../config/secrets.ts'
import type { SandboxConfig } from '../outbound/sandbox/schema.ts'
import { plainEnvironment } from '../outbound/schema.ts'
import { readTree } from '../trust/clients/config-file.ts'
import { dialects } from '../trust/clients/dialects.ts'
import { type ClientFile, discover } from '../trust/clients/discover.ts'
import { entriesOf, type FoundServer, Values } from '../trust/clients/entries.ts'
import { type ClientFinding, findings, ownCommand } from '../trust/clients/findings.ts'
import type { Launcher } from '../trust/clients/guarded.ts'
import type { Definition } from '../trust/definition.ts'
import { definitionsIn, ManifestRefused } from '../trust/scan/manifest.ts'
import { isSecretUrl, maskedWords, shownUrl, shownWords } from './operations/masking.ts'
import type { EntryFinding, Origin } from './operations/scan.ts'

/** A program of a stranger. */
export interface Started {
  readonly command: readonly string[]
  /** Of the entry; the values may be secrets. */
  readonly env: Readonly<Record<string, string>>
  /** Where it is started, if not here. */
  readonly cwd?: string
  /** What the configuration lets it see and reach. */
  readonly grants?: SandboxConfig
}
export interface Called {
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** What hardly any program starts without. */
export function everyday(): Readonly<Record<string, string>> {
  const { variables } = readEnvironment()
  const names = ['PATH', 'HOME', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'SYSTEMROOT', 'TEMP', 'TMPDIR', 'LANG']
  return Object.fromEntries(names.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])))
}

export interface Target {
  readonly name: string
  readonly origin: Origin | undefined
  readonly how: string
  /** What is to be visited; undefined where there is nothing to visit. */
  readonly visit?: Called | Started
  readonly definitions?: readonly Definition[]
  readonly problem?: string
  /** What is wrong with how it is configured. */
  readonly entry: readonly EntryFinding[]
}

export const ofManifest = (file: string): readonly Target[] => [
  {
    name: basename(file).replace(/\.json$/, ''),
    origin: { file: resolve(file), line: 1 },
    how: file,
    definitions: definitionsOf(file),
    entry: [],
  },
]

function definitionsOf(file: string): readonly Definition[] {
  try {
    return definitionsIn(readFileSync(file, 'utf8'))
  } catch (error) {
    throw error instanceof ManifestRefused ? new ManifestRefused(`${file}: ${error.message}`) : error
  }
}

export function ofCommand(command: readonly string[]): readonly Target[] {
  const name = basename(command[0] ?? 'server')
  const entry = judged({ name, command })
  return [{ name, origin: undefined, how: shownWords(command).join(' '), visit: { command, env: {} }, entry }]
}

export function ofUrl(url: string): readonly Target[] {
  const name = new URL(url).hostname
  return [{ name, origin: undefined, how: shownUrl(url), visit: { url, headers: [] }, entry: judged({ name, url }) }]
}

/** `launcher`: what starts this program, which may stand before a server already. */
export function ofClients(home: string | undefined, projects: readonly string[], launcher: Launcher): readonly Target[] {
  return ofClientFiles(discover(clientPlaces(home), projects), launcher)
}

/** A configuration of the gateway, of a client, or a manifest: whichever it is. */
export async function ofFile(file: string, launcher: Launcher): Promise<readonly Target[]> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Error(`there is no file ${file}`)
  const text = readFileSync(file, 'utf8')
  if (isGateway(file, text)) return ofGateway(file)
  const format = /\.toml$/.test(file) ? 'toml' : /\.ya?ml$/.test(file) ? 'yaml' : 'json'
  // Whoever wrote the file may have written what lies beside it, too.
  const tree = { ...readTree(format, text), cameWith: [dirname(resolve(file))] }
  const found = Object.values(dialects)
    .map((dialect) => ({ dialect, ...entriesOf(tree, dialect) }))
    .find(({ servers }) => servers.length > 0)
  if (found === undefined) return ofManifest(file)
  return ofClientFiles([{ client: 'a client', scope: 'project', file: resolve(file), ...found }], launcher)
}

/** Whether a file is a configuration of the gateway. */
export const isGateway = (file: string, text: string): boolean => /^servers:/m.test(text) && /\.ya?ml$/.test(file)

async function ofGateway(file: string): Promise<readonly Target[]> {
  const { servers } = await loadConfig(file)
  const lines = readFileSync(file, 'utf8').split('\n')
  return Object.entries(servers).map(([name, server]) => {
    const at = lines.findIndex((line) => new RegExp(`^\\s+["']?${name}["']?:`).test(line))
    const origin = { file: resolve(file), line: at === -1 ? 1 : at + 1 }
    if (server.kind === 'http')
      return {
        ...{ name, origin, how: shownUrl(server.url), visit: { url: server.url, headers: [] } },
        entry: judged({ name, url: server.url }),
      }
    const { command, cwd } = server
    return {
      ...{ name, origin, how: shownWords(command).join(' ') },
      visit: { command, env: plainEnvironment(server), cwd, ...(server.sandbox !== 'off' && { grants: server.sandbox }) },
      entry: judged({ name, command }),
    }
  })
}

function ofClientFiles(files: readonly ClientFile[], launcher: Launcher): readonly Target[] {
  const found = findings(files, { isSecret: looksLikeSecret, isSecretUrl, masked: maskedWords, launcher })
  return named(files.flatMap((file) => ofClientFile(file, launcher, found)))
}

function ofClientFile(
  { client, file, servers, problems }: ClientFile,
  launcher: Launcher,
  found: readonly ClientFinding[],
): readonly Target[] {
  const broken = problems.map(({ message, line }) => ({
    ...{ name: basename(file), origin: { file, line, client }, how: file, problem: message, entry: [] },
  }))
  const here = found.filter((one) => one.client === client && one.file === file)
  const ofServer = (server: FoundServer): Target => {
    const own = here.filter(({ server: name, at }) => name === undefined || (name === server.name && at?.line === server.at.line))
    return { ...ofEntry(server, file, client, launcher), entry: own.flatMap((one) => reportedOf(one)) }
  }
  return [...broken, ...servers.filter(({ disabled }) => !disabled).map(ofServer)]
}

/** What starts a package of any version is said where the package is looked at, of every server. */
const reportedOf = ({ client, file, at, server: _, ...finding }: ClientFinding): readonly EntryFinding[] =>
  finding.rule === 'clients/unpinned' ? [] : [{ ...finding, origin: { file, line: at?.line ?? 1, client } }]

function ofEntry(server: FoundServer, file: string, client: string, launcher: Launcher): Omit<Target, 'entry'> {
  const { words, url } = ownCommand(server, launcher)
  const origin = { file, line: server.at.line, client }
  const { name } = server
  if (url !== undefined) return { name, origin, how: shownUrl(url), visit: { url, headers: server.headers.reveal() } }
  if (words.length === 0) return { name, origin, how: '-', problem: 'it has neither a command nor a URL' }
  return {
    ...{ name, origin, how: shownWords(words).join(' ') },
    visit: { command: words, env: Object.fromEntries(server.env.reveal()) },
  }
}

/** What is wrong with a server that no client's file names: its own words are all there is of it. */
function judged({
  name,
  command = [],
  url,
}: {
  name: string
  command?: readonly string[]
  url?: string
}): readonly EntryFinding[] {
  const [program, ...args] = command
  const server: FoundServer = {
    ...{ name, transport: url === undefined ? 'stdio' : 'http', command: program, args, url },
    ...{ env: new Values({}), headers: new Values({}), disabled: false, unasked: [], path: [] },
    at: { line: 1, column: 1, endLine: 1 },
  }
  const file: ClientFile = { client: '', scope: 'project', file: '', problems: [], servers: [server], dialect: dialects.usual }
  const eyes = { isSecret: looksLikeSecret, isSecretUrl, masked: maskedWords, launcher: [] }
  return findings([file], eyes).flatMap((one) => reportedOf(one).map(({ origin: _, ...finding }) => finding))
}

/**
 * Two clients with one server, started in the same way, are one server, with what is wrong in either file; two servers with one name
 * are two.
 */
function named(targets: readonly Target[]): readonly Target[] {
  const groups = Map.groupBy(targets, ({ name, how }) => JSON.stringify([name, how]))
  const seen = new Map<string, number>()
  return [...groups.values()].map((group) => {
    const first = group[0] as Target
    const count = (seen.get(first.name) ?? 0) + 1
    seen.set(first.name, count)
    const name = count === 1 ? first.name : `${first.name} (${count})`
    return { ...first, name, entry: group.flatMap(({ entry }) => entry) }
  })
}
