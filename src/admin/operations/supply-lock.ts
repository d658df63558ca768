import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { systemClock } from '../../lib/clock.ts'
import type { Weaker } from '../../trust/supply/earlier.ts'
import { rightsOf } from '../../trust/supply/image.ts'
import { type Lock, lockVersion, type ServerLock } from '../../trust/supply/lock.ts'
import { mustBeVouchedFor } from '../../trust/supply/lock-signature.ts'
import { readLock, writeLock } from '../../trust/supply/lock-text.ts'
import { NotAdmitted } from '../../trust/supply/not-admitted.ts'
import { readServerJson, withRegistry } from '../../trust/supply/server-json.ts'
import { type LockedWith, lockEntry, lockIn, writeSigned } from '../lock-file.ts'
import { privateKey, teamKey } from '../team-keys.ts'

export interface SupplyLockOptions extends LockedWith {
  /** Ids; empty: all, and what has left the configuration leaves the lock. */
  readonly servers: readonly string[]
  /** PEM of the Ed25519 private key of the team, and how long its word holds. */
  readonly sign?: { readonly keyFile: string; readonly validMs: number | undefined } | undefined
  /** The file of what the MCP registry says, of the only server in `servers`. */
  readonly serverJson?: string | undefined
}

export interface Locked {
  readonly servers: readonly {
    readonly id: string
    readonly entry: ServerLock
    readonly changed: boolean
    /** Of an image: flags that give it more of this machine than an image has, for whoever reviews it. */
    readonly rights: readonly string[]
  }[]
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
  const { config, lockFile, servers, serverJson } = options
  if (serverJson !== undefined && servers.length !== 1) throw new Error('a server.json is about one server; name it')
  const registry = serverJson === undefined ? undefined : readServerJson(await readFile(serverJson, 'utf8'), serverJson)
  const sign = options.sign && { key: await privateKey(options.sign.keyFile), validMs: options.sign.validMs }
  const before = await lockIn(lockFile, servers.length > 0)
  const keys = sign ? await Promise.all(config.supply.keys.map((file) => teamKey(file, 'supply.keys'))) : []
  const known = sign && before ? vouchedFor(before, [createPublicKey(sign.key), ...keys], options) : before
  const asked = servers.length > 0 ? servers : Object.keys(config.servers)
  const made: Record<string, ServerLock> = {}
  const weaker: Weaker[] = []
  for (const id of asked) {
    const { entry, weaker: lost } = await lockEntry(id, options, known?.servers[id])
    mustKeepItsKey(id, entry, before?.servers[id], lockFile)
    made[id] = registry ? withRegistry(entry, registry) : entry
    weaker.push(...lost)
  }
  const kept = servers.length > 0 ? (before?.servers ?? {}) : {}
  const lock = await writeSigned(lockFile, { lock: lockVersion, servers: { ...kept, ...made } }, before, sign, keys)
  return {
    servers: Object.entries(made).map(([id, entry]) => ({
      id,
      entry,
      changed: JSON.stringify(before?.servers[id]) !== JSON.stringify(readLock(writeLock(lock), lockFile).servers[id]),
      rights: entry.kind === 'image' ? rightsOf(basename(entry.command[0] as string), entry.command.slice(1)) : [],
    })),
    removed: Object.keys(before?.servers ?? {}).filter((id) => !Object.hasOwn(lock.servers, id)),
    weaker,
    signed: lock.signature?.key,
    lostSignature: before?.signature !== undefined && lock.signature === undefined,
  }
}

/** The lock that was there, if it may be believed by whoever signs now. One that may not is replaced as a whole, or not at all. */
function vouchedFor(before: Lock, keys: readonly KeyObject[], { servers, lockFile }: SupplyLockOptions): Lock | undefined {
  try {
    mustBeVouchedFor(before, keys, systemClock, lockFile)
    return before
  } catch (error) {
    const isKept = servers.length > 0 && Object.keys(before.servers).some((id) => !servers.includes(id))
    if (!(error instanceof NotAdmitted) || isKept) throw error
    return undefined
  }
}

/** A key of a certificate that nobody vouches for is not carried over, and is not dropped without a word either. */
function mustKeepItsKey(id: string, entry: ServerLock, before: ServerLock | undefined, file: string): void {
  if (entry.kind !== 'remote' || before?.kind !== 'remote') return
  if (entry.spki !== undefined || before.spki === undefined || entry.url !== before.url) return
  throw new NotAdmitted({
    file,
    why: `has the key of a certificate for server "${id}", and it cannot be told who has put it there`,
    fix: 'lock the key that it has now, too: --pin-tls',
  })
}
