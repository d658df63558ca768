/** Entries of the lock, from what is on this machine, and the file they stand in: read whole, written in one step, signed. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { writtenFiles } from '../config/own-files.ts'
import type { Config } from '../config/schema.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { Secret } from '../lib/secret.ts'
import { tlsKeyOf } from '../outbound/http/tls-key.ts'
import { type HttpServer, inheritedAlways, type StdioServer } from '../outbound/schema.ts'
import { versionOf } from '../outbound/stdio/version-of.ts'
import { type Weaker, weakerThan, withEarlier } from '../trust/supply/earlier.ts'
import { isLoadingVariable } from '../trust/supply/loading-variables.ts'
import type { Lock, RemoteLock, ServerLock } from '../trust/supply/lock.ts'
import { lockServer } from '../trust/supply/lock-server.ts'
import { mustBeVouchedFor, signLock } from '../trust/supply/lock-signature.ts'
import { readLock, writeLock } from '../trust/supply/lock-text.ts'
import { NotAdmitted } from '../trust/supply/not-admitted.ts'
import type { Enquiry } from '../trust/supply/npm-lock.ts'
import type { LocalServer } from '../trust/supply/started.ts'
import { Store } from '../trust/supply/store.ts'
import { alone } from './alone.ts'
import { thisPlatform } from './configured-admission.ts'
import { serverOf } from './server-of.ts'
import { writeWhole } from './write-whole.ts'

/** With what an entry is made. */
export interface LockedWith {
  readonly config: Config
  /** Of the configuration. */
  readonly folder: string
  readonly lockFile: string
  readonly store: string
  /** What our own environment gives to every child. */
  readonly variables: Readonly<Record<string, string>>
  readonly enquire: Enquiry
  /** Connect to remote servers, and lock the key that they prove themselves with. One that is locked stays so without. */
  readonly pinTls?: boolean | undefined
  progress?(done: number, all: number): void
}
/** The Ed25519 private key of the team, and how long its word holds. */
export interface Signing {
  readonly key: KeyObject
  readonly validMs: number | undefined
}

/** One server as it is now, with what is still known of it from before. Throws NotAdmitted for one that cannot be locked. */
export async function lockEntry(
  id: string,
  options: LockedWith,
  before: ServerLock | undefined,
): Promise<{ readonly entry: ServerLock; readonly weaker: readonly Weaker[] }> {
  const { config, folder, lockFile, store, variables, enquire, progress } = options
  const server = serverOf(config, id)
  try {
    const entry: ServerLock =
      server.kind === 'http'
        ? await lockRemote(server, options, before)
        : await lockServer({
            server: localServer(server, variables),
            folder,
            store: new Store(store),
            enquire,
            platform: thisPlatform,
            aside: writtenFiles(config, lockFile, store),
            versionOf,
            ...(progress && { progress }),
          })
    const whole = withEarlier(entry, before)
    return { entry: before?.registry ? { ...whole, registry: before.registry } : whole, weaker: weakerThan(whole, before) }
  } catch (error) {
    throw error instanceof NotAdmitted ? new NotAdmitted({ ...faultOf(error), why: `server "${id}": ${error.why}` }) : error
  }
}

async function lockRemote({ url, tls }: HttpServer, { pinTls }: LockedWith, before: ServerLock | undefined): Promise<RemoteLock> {
  const kept = before?.kind === 'remote' && before.url === url ? before : undefined
  const isTls = url.startsWith('https:')
  const spki = pinTls && isTls ? await tlsKeyOf(url, tls.ca && (await readFile(tls.ca, 'utf8'))) : kept?.spki
  return { kind: 'remote', url, ...(spki !== undefined && { spki }) }
}

const bodyOf = ({ lock, servers }: Lock): string => writeLock({ lock, servers })
const faultOf = ({ package: name, file, why, fix }: NotAdmitted) => ({ package: name, file, why, fix })

/** The lock that is there. One that cannot be read may be replaced as a whole, and not in part. */
export async function lockIn(file: string, isNeeded: boolean): Promise<Lock | undefined> {
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

/**
 * In one step, where the file still says what `before` says. What is not signed anew stays signed as long as it says the same. Entries
 * of `before` are only signed with others where one of `keys`, or the key that signs now, has signed them: throws NotAdmitted.
 */
export async function writeSigned(
  file: string,
  unsigned: Lock,
  before: Lock | undefined,
  sign: Signing | undefined,
  keys: readonly KeyObject[] = [],
): Promise<Lock> {
  const isKept = Object.entries(unsigned.servers).some(([id, entry]) => before?.servers[id] === entry)
  if (sign && before && isKept) mustBeVouchedFor(before, [createPublicKey(sign.key), ...keys], systemClock, file)
  const isSame = before !== undefined && bodyOf(before) === bodyOf(unsigned)
  const same = isSame && before.signature ? { ...unsigned, signature: before.signature } : unsigned
  const lock = sign ? signLock(unsigned, sign.key, after(isKept ? before : undefined), sign.validMs) : same
  await alone(file, async () => {
    const now = await lockIn(file, false)
    if ((now && writeLock(now)) !== (before && writeLock(before)))
      throw Object.assign(new Error(`${file} has been changed meanwhile`), { fix: 'run it again' })
    await writeWhole(file, writeLock(lock))
  })
  return lock
}

/** Clocks of a team differ, and what is signed later has to be the later one. */
const after = (before: Lock | undefined): Pick<Clock, 'now'> => ({
  now: () => Math.max(systemClock.now(), before?.signature ? Date.parse(before.signature.made) + 1 : 0),
})
