/** What is to be scanned: the servers of the clients here, of a file, at a URL, behind a command, or a manifest. */
import { readFileSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { clientPlaces } from '../config/client-places.ts'
import { loadConfig } from '../config/load.ts'
import { plainEnvironment } from '../outbound/schema.ts'
import { readTree } from '../trust/clients/config-file.ts'
import { dialects } from '../trust/clients/dialects.ts'
import { type ClientFile, discover } from '../trust/clients/discover.ts'
import { entriesOf, type FoundServer } from '../trust/clients/entries.ts'
import { ownCommand } from '../trust/clients/findings.ts'
import type { Launcher } from '../trust/clients/guarded.ts'
import type { Definition } from '../trust/definition.ts'
import { definitionsIn } from '../trust/scan/manifest.ts'
import { shownUrl, shownWords } from './operations/masking.ts'
import type { Origin } from './operations/scan.ts'

/** A program of a stranger. */
export interface Started {
  readonly command: readonly string[]
  /** Of the entry; the values may be secrets. */
  readonly env: Readonly<Record<string, string>>
}
export interface Called {
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export interface Target {
  readonly name: string
  readonly origin: Origin | undefined
  readonly how: string
  /** What is to be visited; undefined where there is nothing to visit. */
  readonly visit?: Called | Started
  readonly definitions?: readonly Definition[]
  readonly problem?: string
}

export const ofManifest = (file: string): readonly Target[] => [
  {
    name: basename(file).replace(/\.json$/, ''),
    origin: { file: resolve(file), line: 1 },
    how: file,
    definitions: definitionsIn(readFileSync(file, 'utf8')),
  },
]

export const ofCommand = (command: readonly string[]): readonly Target[] => [
  { name: basename(command[0] ?? 'server'), origin: undefined, how: shownWords(command).join(' '), visit: { command, env: {} } },
]

export const ofUrl = (url: string): readonly Target[] => [
  { name: new URL(url).hostname, origin: undefined, how: shownUrl(url), visit: { url, headers: [] } },
]

/** `launcher`: what starts this program, which may stand before a server already. */
export function ofClients(home: string | undefined, projects: readonly string[], launcher: Launcher): readonly Target[] {
  return named(discover(clientPlaces(home), projects).flatMap((file) => ofClientFile(file, launcher)))
}

/** A configuration of the gateway, of a client, or a manifest: whichever it is. */
export async function ofFile(file: string, launcher: Launcher): Promise<readonly Target[]> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Error(`there is no file ${file}`)
  const text = readFileSync(file, 'utf8')
  if (/^servers:/m.test(text) && /\.ya?ml$/.test(file)) return ofGateway(file)
  const format = /\.toml$/.test(file) ? 'toml' : /\.ya?ml$/.test(file) ? 'yaml' : 'json'
  const tree = readTree(format, text)
  const found = Object.values(dialects)
    .map((dialect) => ({ dialect, ...entriesOf(tree, dialect) }))
    .find(({ servers }) => servers.length > 0)
  if (found === undefined) return ofManifest(file)
  return named(ofClientFile({ client: 'a client', scope: 'project', file: resolve(file), ...found }, launcher))
}

async function ofGateway(file: string): Promise<readonly Target[]> {
  const { servers } = await loadConfig(file)
  const lines = readFileSync(file, 'utf8').split('\n')
  return Object.entries(servers).map(([name, server]) => {
    const at = lines.findIndex((line) => new RegExp(`^\\s+["']?${name}["']?:`).test(line))
    const origin = { file: resolve(file), line: at === -1 ? 1 : at + 1 }
    return server.kind === 'http'
      ? { name, origin, how: shownUrl(server.url), visit: { url: server.url, headers: [] } }
      : {
          ...{ name, origin, how: shownWords(server.command).join(' ') },
          visit: { command: server.command, env: plainEnvironment(server) },
        }
  })
}

function ofClientFile({ client, file, servers, problems }: ClientFile, launcher: Launcher): readonly Target[] {
  const broken = problems.map(({ message, line }) => ({
    ...{ name: basename(file), origin: { file, line, client }, how: file, problem: message },
  }))
  return [...broken, ...servers.filter(({ disabled }) => !disabled).map((server) => ofEntry(server, file, client, launcher))]
}

function ofEntry(server: FoundServer, file: string, client: string, launcher: Launcher): Target {
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

/** Two clients with one server, started in the same way, are one server; two servers with one name are two. */
function named(targets: readonly Target[]): readonly Target[] {
  const seen = new Map<string, number>()
  const known = new Set<string>()
  return targets.flatMap((target) => {
    const key = JSON.stringify([target.name, target.how])
    if (known.has(key)) return []
    known.add(key)
    const count = (seen.get(target.name) ?? 0) + 1
    seen.set(target.name, count)
    return [count === 1 ? target : { ...target, name: `${target.name} (${count})` }]
  })
}
