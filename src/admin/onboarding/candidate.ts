/** A server that somebody wants to add: how it would stand in the configuration, and whether it is what it seems to be. */
import { existsSync, statSync } from 'node:fs'
import { dirname, relative, resolve, sep } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { looksLikeSecret } from '../../config/secrets.ts'
import { serverIdFault } from '../../config/starter.ts'
import { whereabouts } from '../../outbound/schema.ts'
import { dialects } from '../../trust/clients/dialects.ts'
import { type FoundServer, Values } from '../../trust/clients/entries.ts'
import { findings } from '../../trust/clients/findings.ts'
import { isSecretUrl, maskedWords, shownUrl, shownWords } from '../operations/masking.ts'
import { type Step, stepOf } from './step.ts'

export interface Wanted {
  readonly id: string
  readonly url?: string | undefined
  /** Program and arguments, relative to `cwd`. */
  readonly command?: readonly string[] | undefined
  readonly cwd: string
  /** `NAME=VALUE`; a secret as `NAME=env:OTHER` or `NAME=file:PATH`. */
  readonly env: readonly string[]
  /** Reference of the key that a remote server wants: `env:NAME`. */
  readonly credential?: string | undefined
  /** False: it may do all that our user may. */
  readonly isSandboxed: boolean
  readonly read: readonly string[]
  readonly write: readonly string[]
  /** `api.example.com:443`. */
  readonly hosts: readonly string[]
}
export type Entry = Readonly<Record<string, unknown>>

/** The entry as it would be written. Paths are relative to the configuration, as all of its paths are. */
export function entryOf(wanted: Wanted, configFile: string): Entry {
  const { url, command, env, credential, isSandboxed, read, write, hosts } = wanted
  const folder = dirname(resolve(configFile))
  const path = (one: string): string => portable(resolve(wanted.cwd, one), folder)
  if (url !== undefined) return { url, ...(credential !== undefined && { credential: { kind: 'static', secret: credential } }) }
  if (command === undefined) throw new Error('name what is to be added: a URL, or -- COMMAND [ARGS...]')
  return {
    command: command.map((word) => (/^\.{1,2}[\\/]/.test(word) ? path(word) : word)),
    ...(env.length > 0 && { env: Object.fromEntries(env.map(variable)) }),
    ...(isSandboxed && {
      sandbox: {
        ...(read.length > 0 && { read: read.map(path) }),
        ...(write.length > 0 && { write: write.map(path) }),
        network: hosts.length > 0 ? { hosts } : 'none',
      },
    }),
  }
}

function portable(path: string, folder: string): string {
  const from = relative(folder, path)
  return from === '' ? '.' : from.startsWith('..') ? path : `./${from.split(sep).join('/')}`
}

function variable(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`"${text.slice(0, 40)}" is no variable; write NAME=VALUE, or NAME=env:OTHER for a secret`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** Whether an id may be given to a new server. */
export function idStep(id: string, before: Config): Step {
  const fault = serverIdFault(id)
  if (fault !== undefined) return stepOf('identity', [['refused', `"${id}" ${fault}`]])
  if (!Object.hasOwn(before.servers, id)) return stepOf('identity', [])
  const fix = 'choose another id; to see it: sekisho servers list'
  return stepOf('identity', [['refused', `there is a server "${id}" already`]], fix)
}

/** Is this a server of its own, under a name of its own, and would it be started in a way that nobody regrets? */
export function identityStep(
  { id, url, command, cwd, env, read, write }: Wanted,
  before: Config,
  { now, earlier }: { readonly now: string; readonly earlier: string | undefined },
): Step {
  const how = url === undefined ? shownWords(command ?? []).join(' ') : shownUrl(url)
  const twin = Object.entries(before.servers).find(([, server]) => whereabouts(server) === now)
  const entry = foundServer(id, url, command, env)
  const file = {
    client: 'sekisho',
    scope: 'project' as const,
    file: 'sekisho.yaml',
    servers: [entry],
    problems: [],
    dialect: dialects.usual,
  }
  const eyes = { isSecret: looksLikeSecret, isSecretUrl, masked: maskedWords, launcher: [] }
  const found = findings([file], eyes).map(({ severity, evidence }) => {
    const isGrave = severity === 'high' || severity === 'critical'
    return [isGrave ? 'refused' : 'warned', evidence] as const
  })
  return stepOf('identity', [
    ['passed', how],
    ...(twin === undefined ? [] : [['warned', `it is the server "${twin[0]}" under another id`] as const]),
    ...(earlier === undefined || earlier === now
      ? []
      : [['warned', `another server had this id: ${earlier}; what was approved of it is revoked`] as const]),
    ...found,
    ...hidden(command ?? [], cwd, [...read, ...write]),
  ])
}

/** A folder that it is told of and cannot see is the commonest mistake with a sandbox. */
const hidden = (command: readonly string[], cwd: string, granted: readonly string[]): readonly (readonly ['warned', string])[] =>
  command.slice(1).flatMap((word) => {
    const path = resolve(cwd, word)
    const isFolder = /[\\/.]/.test(word) && existsSync(path) && statSync(path).isDirectory()
    const isSeen = granted.some((one) => `${path}/`.startsWith(`${resolve(cwd, one)}/`.replace('//', '/')))
    return isFolder && !isSeen
      ? [['warned', `it is given ${word}, which it may not see; add --read ${word} or --write ${word}`]]
      : []
  })

function foundServer(
  id: string,
  url: string | undefined,
  command: readonly string[] | undefined,
  env: readonly string[],
): FoundServer {
  const [program, ...args] = command ?? []
  return {
    ...{ name: id, transport: url === undefined ? 'stdio' : 'http', command: program, args, url },
    ...{ env: new Values(Object.fromEntries(env.map(variable))), headers: new Values({}), disabled: false, unasked: [] },
    ...{ at: { line: 1, column: 1, endLine: 1 }, path: [] },
  }
}
