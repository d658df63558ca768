/**
 * The log as the worker holds it: store, chain, tree and anchor, moving together. Synchronous; knows nothing of threads.
 *
 * It continues only from what it can vouch for. On opening, the last checkpoint must be signed by our key and fit the store
 * and the anchor, and every entry after it must fit the chain; else it refuses, because a gateway that went on signing
 * over a damaged log would cover the damage up. (Damage before that checkpoint is for verify() to find.)
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { canonicalJson } from '../lib/canonical-json.ts'
import { unguessable } from '../lib/random.ts'
import { Anchor, anchorHeader, readAnchor } from './anchor.ts'
import { genesis, link } from './chain.ts'
import { type Checkpoint, isSignedBy, keyIdOf, readCheckpoint, signer } from './checkpoint.ts'
import { lockBeside } from './lock.ts'
import { MerkleTree } from './merkle.ts'
import { openStore, type Store } from './store.ts'

export interface LedgerOptions {
  readonly path: string
  readonly anchor: string
  readonly signingKey: KeyObject
  /** ISO 8601. */
  readonly time: string
}

/** `in-use`: by another process. `damaged`: not what we signed. `unwritable`: the disk, the folder, the permissions. */
export type LogFault = 'in-use' | 'damaged' | 'unwritable'

/** The log on disk is not one that we may go on writing. The message says why and what to do. */
export class LogRefused extends Error {
  override readonly name = 'LogRefused'
  readonly fault: LogFault
  constructor(fault: LogFault, message: string) {
    super(message)
    this.fault = fault
  }
}
const refused = (path: string, why: string): LogRefused =>
  new LogRefused(
    'damaged',
    `audit log ${path}: ${why}. Look at it with "sekisho audit verify"; to begin a new log, move this file and its anchor away together.`,
  )

export class Ledger {
  readonly store: Store
  readonly #anchor: Anchor
  readonly #log: string
  readonly #signed: ReturnType<typeof signer>
  #tree = MerkleTree.empty()
  #head: string
  #checkpointed = 0
  readonly #unlock: () => void

  private constructor(store: Store, anchor: Anchor, log: string, signingKey: KeyObject, unlock: () => void) {
    this.#unlock = unlock
    this.store = store
    this.#anchor = anchor
    this.#log = log
    this.#signed = signer(signingKey)
    this.#head = genesis(log)
  }

  /** Throws {@link LogRefused}. */
  static open(options: LedgerOptions): Ledger {
    const store = openStore(options.path)
    const unlock = lockBeside(options.path)
    try {
      if (unlock === undefined) throw new LogRefused('in-use', `audit log ${options.path}: another process is writing it`)
      return Ledger.#continued(store, unlock, options)
    } catch (error) {
      store.close()
      unlock?.()
      throw error
    }
  }

  static #continued(store: Store, unlock: () => void, { path, anchor: anchorPath, signingKey, time }: LedgerOptions): Ledger {
    const publicKey = createPublicKey(signingKey)
    const retained = readAnchor(anchorPath)
    const header = retained?.header
    const isNew = store.last() === undefined && store.lastCheckpoint() === undefined
    if (header === undefined && !isNew) throw refused(path, `its anchor ${anchorPath} is missing or unreadable`)
    if (header !== undefined && header.log !== store.logId())
      throw refused(path, `the anchor ${anchorPath} belongs to another log`)
    if (header !== undefined && header.keyId !== keyIdOf(publicKey))
      throw refused(path, `it was signed with key ${header.keyId}, and ours is ${keyIdOf(publicKey)}`)
    if (store.logId() === undefined) store.nameLog(unguessable())
    const log = store.logId() as string
    const anchor = new Anchor(anchorPath, header === undefined ? 0 : (retained?.wholeBytes ?? 0))
    if (header === undefined) anchor.append(anchorHeader(log, publicKey, time))
    const ledger = new Ledger(store, anchor, log, signingKey, unlock)
    try {
      ledger.#resume(path, publicKey, retained?.checkpoints.at(-1))
    } catch (error) {
      anchor.close()
      throw error
    }
    return ledger
  }

  get size(): number {
    return this.#tree.size
  }

  /** Appends entries, one a line. They are on disk when this returns, or none of them is. */
  append(lines: string): void {
    this.store.transaction(() => {
      for (const text of lines.split('\n')) {
        if (text === '') continue
        this.#head = link(this.#head, text)
        this.#tree.append(this.#head)
        this.store.append({ seq: this.#tree.size, exchange: exchangeOf(text), text, hash: this.#head })
      }
    })
  }

  /** Signs how the log looks, in the store and then in the anchor; and keeps how far the sinks have come. */
  checkpoint(time: string, cursors: readonly (readonly [string, number])[]): void {
    const due = this.size > this.#checkpointed ? this.#statement(time) : undefined
    if (due === undefined && cursors.length === 0) return
    this.store.transaction(() => {
      if (due !== undefined) this.store.addCheckpoint(due.size, canonicalJson(due), this.#tree.peakBytes())
      for (const [sink, seq] of cursors) this.store.moveCursor(sink, seq)
    })
    if (due === undefined) return
    this.#anchor.append(due)
    this.#checkpointed = due.size
  }

  close(): void {
    this.store.close()
    this.#anchor.close()
    this.#unlock()
  }

  #statement(time: string): Checkpoint {
    return this.#signed({ log: this.#log, size: this.size, root: this.#tree.root(), head: this.#head, time })
  }

  #resume(path: string, publicKey: KeyObject, anchored: Checkpoint | undefined): void {
    const row = this.store.lastCheckpoint()
    const stored = row && readCheckpoint(row.text)
    if ((anchored?.size ?? 0) > (stored?.size ?? 0))
      throw refused(path, `it ends before entry ${anchored?.size}, which its anchor vouches for`)
    if (row !== undefined) {
      const tree = MerkleTree.fromPeaks(row.size, row.peaks)
      const fits =
        stored !== undefined &&
        isSignedBy(stored, publicKey) &&
        stored.log === this.#log &&
        stored.size === row.size &&
        tree?.root() === stored.root
      if (!fits) throw refused(path, 'its last checkpoint is not what we signed')
      if (this.store.before(row.size + 1, 1)[0]?.hash !== stored.head)
        throw refused(path, `entry ${row.size} is not the one we signed`)
      this.#tree = tree as MerkleTree
      this.#head = stored.head
      this.#checkpointed = stored.size
      // A crash between the two writes leaves the checkpoint in the store alone.
      if (stored.size > (anchored?.size ?? 0)) this.#anchor.append(stored)
    }
    for (let rows = this.#next(); rows.length > 0; rows = this.#next()) {
      for (const { seq, text, hash } of rows) {
        this.#head = link(this.#head, text)
        this.#tree.append(this.#head)
        if (seq !== this.size || hash !== this.#head) throw refused(path, `entry ${seq} does not follow from the one before it`)
      }
    }
  }

  #next() {
    return this.store.after(this.size, 1000)
  }
}

const exchangeKey = '"exchange":"'

/** The exchange named in a canonical text. Inside a string every quote is escaped, so the key is found only where it is one. */
function exchangeOf(text: string): string {
  const at = text.indexOf(exchangeKey)
  if (at === -1) return ''
  const start = at + exchangeKey.length
  const value = text.slice(start, text.indexOf('"', start))
  return value.includes('\\') ? String((JSON.parse(text) as { exchange: unknown }).exchange) : value
}
