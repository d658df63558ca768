import { readFile } from 'node:fs/promises'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../lib/clock.ts'
import { Secret } from '../../lib/secret.ts'
import { tlsKeyOf } from '../../outbound/http/tls-key.ts'
import { type HttpServer, inheritedAlways, type StdioServer } from '../../outbound/schema.ts'
import { versionOf } from '../../outbound/stdio/version-of.ts'
import { type Weaker, weakerThan, withEarlier } from '../../trust/supply/earlier.ts'
import { type Lock, lockVersion, type RemoteLock, type ServerLock } from '../../trust/supply/lock.ts'
import { lockServer } from '../../trust/supply/lock-server.ts'
import { signLock } from '../../trust/supply/lock-signature.ts'
import { readLock, writeLock } from '../../trust/supply/lock-text.ts'
import { NotAdmitted } from '../../trust/supply/not-admitted.ts'
import type { Enquiry } from '../../trust/supply/npm-lock.ts'
import { readServerJson, withRegistry } from '../../trust/supply/server-json.ts'
import { isLoadingVariable, type LocalServer } from '../../trust/supply/started.ts'
import { Store } from '../../trust/supply/store.ts'
import { ourFiles, thisPlatform } from '../configured-admission.ts'
import { serverOf } from '../server-of.ts'
import { privateKey } from '../team-keys.ts'
import { writeWhole } from '../write-whole.ts'

export interface SupplyLockOptions {
  readonly config: Config
  /** Of the configuration. */
  readonly folder: string
  readonly lockFile: string
  readonly store: string
  /** Ids; empty: all, and what has left the configuration leaves the lock. */
  readonly servers: readonly string[]
  /** What our own environment gives to every child. */
  readonly variables: Readonly<Record<string, string>>
  /** PEM of the Ed25519 private key of the team, and how long its word holds. */
  readonly sign?: { readonly keyFile: string; readonly validMs: number | undefined } | undefined
  readonly enquire: Enquiry
  /** Connect to remote servers, and lock the key that they prove themselves with. One that is locked stays so without. */
  readonly pinTls?: boolean | undefined
  /** The file of what the MCP registry says, of the only server in `servers`. */
  readonly serverJson?: string | undefined
  progress?(done: number, all: number): void
}

export interface Locked {
  readonly servers: readonly { readonly id: string; readonly entry: ServerLock; readonly changed: boolean }[]
  readonly removed: readonly string[]
  /** What packages have lost against the versions that were locked before. */
  readonly weaker: readonly Weaker[]
  readonly signed: string | undefined
  /** It was signed before, and no longer is: its content has changed, and nobody gave a key. */
  readonly lostSignature: boolean
}

/**
 * Writes the lock, in one step, after all of it could be made. A server that cannot be locked throws NotAdmitted, and nothing is written.
 */
export async function supplyLock(options: SupplyLockOptions): Promise<Locked> {
  const { config, lockFile, folder, servers, enquire, serverJson, progress } = options
  if (serverJson !== undefined && servers.length !== 1) throw new Error('a server.json is about one server; name it')
  const registry = serverJson === undefined ? undefined : readServerJson(await readFile(serverJson, 'utf8'), serverJson)
  const key = options.sign && (await privateKey(options.sign.keyFile))
  const before = await lockIn(lockFile, servers.length > 0)
  const asked = servers.length > 0 ? servers : Object.keys(config.servers)
  const store = new Store(options.store)
  const made: Record<string, ServerLock> = {}
  const weaker: Weaker[] = []
  for (const id of asked) {
    const server = serverOf(config, id)
    try {
      const entry: ServerLock =
        server.kind === 'http'
          ? await lockRemote(server, options, before?.servers[id])
          : await lockServer({
              server: localServer(server, options.variables),
              folder,
              store,
              enquire,
              platform: thisPlatform,
              aside: ourFiles(config, lockFile, options.store),
              versionOf,
              ...(progress && { progress }),
            })
      const kept = before?.servers[id]?.registry
      const whole = withEarlier(entry, before?.servers[id])
      weaker.push(...weakerThan(whole, before?.servers[id]))
      made[id] = registry ? withRegistry(whole, registry) : kept ? { ...whole, registry: kept } : whole
    } catch (error) {
      throw error instanceof NotAdmitted ? new NotAdmitted({ ...faultOf(error), why: `server "${id}": ${error.why}` }) : error
    }
  }
  const kept = servers.length > 0 ? (before?.servers ?? {}) : {}
  const unsigned: Lock = { lock: lockVersion, servers: { ...kept, ...made } }
  const isSame = before !== undefined && bodyOf(before) === bodyOf(unsigned)
  const lock = key
    ? signLock(unsigned, key, systemClock, options.sign?.validMs)
    : isSame && before.signature
      ? { ...unsigned, signature: before.signature }
      : unsigned
  await writeWhole(lockFile, writeLock(lock))
  return {
    servers: Object.entries(made).map(([id, entry]) => ({
      id,
      entry,
      changed: JSON.stringify(before?.servers[id]) !== JSON.stringify(readLock(writeLock(unsigned), lockFile).servers[id]),
    })),
    removed: Object.keys(before?.servers ?? {}).filter((id) => !Object.hasOwn(lock.servers, id)),
    weaker,
    signed: lock.signature?.key,
    lostSignature: before?.signature !== undefined && lock.signature === undefined,
  }
}

async function lockRemote(
  { url, tls }: HttpServer,
  { pinTls }: SupplyLockOptions,
  before: ServerLock | undefined,
): Promise<RemoteLock> {
  const kept = before?.kind === 'remote' && before.url === url ? before : undefined
  const isTls = url.startsWith('https:')
  const spki = pinTls && isTls ? await tlsKeyOf(url, tls.ca && (await readFile(tls.ca, 'utf8'))) : kept?.spki
  return { kind: 'remote', url, ...(spki !== undefined && { spki }) }
}

const bodyOf = ({ lock, servers }: Lock): string => writeLock({ lock, servers })
const faultOf = ({ package: name, file, why, fix }: NotAdmitted) => ({ package: name, file, why, fix })

/** The lock that is there. One that cannot be read may be replaced as a whole, and not in part. */
async function lockIn(file: string, isNeeded: boolean): Promise<Lock | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  try {
    return text === undefined ? undefined : readLock(text, file)
  } catch (error) {
    if (isNeeded) throw error
    return undefined
  }
}

/** What its child would get, but for secrets, which nothing here needs. */
export function localServer(
  { command, cwd, env, inheritEnv }: StdioServer,
  variables: Readonly<Record<string, string>>,
): LocalServer {
  const plain: Record<string, string> = {}
  for (const name of inheritedAlways) if (variables[name] !== undefined) plain[name] = variables[name]
  const hidden = [...inheritEnv, ...Object.keys(env).filter((name) => env[name] instanceof Secret)].find(isLoadingVariable)
  if (hidden !== undefined)
    throw new NotAdmitted({
      why: `the variable ${hidden} makes it load code, and its value is not written out`,
      fix: 'remove it, or write its value in "env"',
    })
  for (const [name, value] of Object.entries(env)) if (typeof value === 'string') plain[name] = value
  return { command, cwd, env: plain }
}
