/** What a configuration names on this machine: whether the gateway could begin with it, seen before it tries. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, dirname, resolve } from 'node:path'
import type { CredentialConfig, MachineCredential } from '../outbound/credentials/schema.ts'
import type { StdioServer } from '../outbound/schema.ts'
import { storePath } from '../storage/schema.ts'
import type { Complaint, Path } from './problem.ts'
import type { Config } from './schema.ts'

/** Files without which there is no start. */
export function missingFiles({ tls, servers, audit, store, vault, identity, supply, pins }: Config): Complaint[] {
  const remote = Object.entries(servers).flatMap(([id, server]) =>
    server.kind === 'http'
      ? [...pemFiles(server.tls, ['servers', id, 'tls']), ...tokenFiles(server.credential, ['servers', id, 'credential'])]
      : [],
  )
  const collectors = audit.sinks.flatMap((sink, at) => pemFiles(sink.tls, ['audit', 'sinks', at, 'tls']))
  const provider = 'provider' in identity ? pemFiles(identity.provider, ['identity', 'provider']) : []
  const clients = 'registration' in identity ? pemFiles(identity.registration, ['identity', 'registration']) : []
  const keys = [
    { path: ['vault', 'keyProvider'], provider: vault.keyProvider },
    ...vault.previousKeyProviders.map((provider, at) => ({ path: ['vault', 'previousKeyProviders', at], provider })),
  ].flatMap(({ path, provider }) =>
    provider.kind === 'key-vault' && provider.credential ? tokenFiles(provider.credential, [...path, 'credential']) : [],
  )
  const team = supply?.keys.map((file, at) => ({ path: ['supply', 'keys', at], file })) ?? []
  const signers = Object.entries(pins?.manifests ?? {}).flatMap(([id, { keys }]) =>
    keys.map((file, at) => ({ path: ['pins', 'manifests', id, 'keys', at], file })),
  )
  const read = [
    ...pemFiles(tls, ['tls']),
    ...team,
    ...signers,
    ...keys,
    ...remote,
    ...collectors,
    ...provider,
    ...clients,
  ].flatMap(unreadable)
  const written = [
    [['store'], storePath(store)],
    [['vault', 'keyFile'], vault.keyFile],
    [['audit', 'path'], audit.path],
    [['audit', 'anchor'], audit.anchor],
  ] as const
  const unmade = written.flatMap(([path, file]) =>
    file === undefined || existsSync(file) ? [] : unmakeable(path, dirname(file)),
  )
  return [...read, ...unmade.filter(({ message }, at) => unmade.findIndex((other) => other.message === message) === at)]
}

function pemFiles(tls: object | undefined, path: Path): { path: Path; file: string }[] {
  const keys = ['cert', 'key', 'ca', 'clientCa'] as const
  const files = (tls ?? {}) as Partial<Record<(typeof keys)[number], string>>
  return keys.flatMap((key) => (files[key] === undefined ? [] : [{ path: [...path, key], file: files[key] }]))
}

/** Written by the platform, and anew while we run. */
function tokenFiles(credential: CredentialConfig | MachineCredential, path: Path): { path: Path; file: string }[] {
  const parts: readonly (readonly [Path, object])[] = [
    [path, credential],
    ...(credential.kind === 'id-jag' ? [[[...path, 'idp'], credential.idp] as const] : []),
  ]
  return parts.flatMap(([at, part]) =>
    'tokenFile' in part && typeof part.tokenFile === 'string' ? [{ path: [...at, 'tokenFile'], file: part.tokenFile }] : [],
  )
}

function unreadable({ path, file }: { path: Path; file: string }): Complaint[] {
  const fault = faultOf(file, constants.R_OK) ?? (statSync(file).isFile() ? undefined : 'not a file')
  return fault === undefined
    ? []
    : [{ path, message: `names ${file}, which cannot be read (${fault})`, fix: 'check the path and its permissions' }]
}

/** A folder is made where there is none, so what counts is the nearest that is there. */
function unmakeable(path: Path, folder: string): Complaint[] {
  if (!existsSync(folder) && folder !== dirname(folder)) return unmakeable(path, dirname(folder))
  const fault = statSync(folder).isDirectory() ? faultOf(folder, constants.W_OK) : 'not a folder'
  return fault === undefined
    ? []
    : [{ path, message: `cannot be written in ${folder} (${fault})`, fix: 'name another place, or make the folder writable' }]
}

/** Servers that could not be started; the others can, and these once what they lack is there. */
export const unstartable = (config: Config): Complaint[] => [...unlocked(config), ...unrunnable(config)]

const unlocked = ({ supply, servers }: Config): Complaint[] =>
  supply.lock === undefined || existsSync(supply.lock) || Object.keys(servers).length === 0
    ? []
    : [
        {
          path: ['supply', 'lock'],
          message: `names ${supply.lock}, which is not there, so no server is started`,
          fix: 'review what is installed, and then: sekisho supply lock',
        },
      ]

const unrunnable = ({ servers }: Config): Complaint[] =>
  Object.entries(servers).flatMap(([id, server]): Complaint[] => {
    if (server.kind === 'http') return []
    const fix = 'check the path; until then this server cannot be reached'
    if (faultOf(`${server.cwd}/.`, constants.X_OK))
      return [{ path: ['servers', id, 'cwd'], message: `names ${server.cwd}, which is not a folder`, fix }]
    const [program] = server.command
    const gone = isProgram(program, server)
      ? []
      : [{ path: ['servers', id, 'command', 0], message: `names the program ${program}, which is not there`, fix }]
    return [...gone, ...ungranted(id, server, fix)]
  })

function ungranted(id: string, { sandbox }: StdioServer, fix: string): Complaint[] {
  if (sandbox === 'off') return []
  return (['read', 'write'] as const).flatMap((key) =>
    sandbox[key].flatMap((path, at) =>
      faultOf(path, constants.F_OK) === undefined
        ? []
        : [{ path: ['servers', id, 'sandbox', key, at], message: `names ${path}, which is not there`, fix }],
    ),
  )
}

/** Where we cannot say how the program is looked for, it is taken to be there. */
function isProgram(program: string, { env, cwd }: StdioServer): boolean {
  const { PATH: path } = env
  if (process.platform === 'win32' || typeof path !== 'string') return true
  const places = program.includes('/') ? [''] : path.split(delimiter)
  return places.some((place) => faultOf(resolve(cwd, place, program), constants.X_OK) === undefined)
}

function faultOf(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}
