/**
 * The anchor: a file of signed checkpoints apart from the store, best on another disk or shipped away. Append only. The first
 * line names the log and the public key; every other line is a checkpoint. What verify() finds is only as good as the
 * anchor that was retained.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { canonicalJson } from '../lib/canonical-json.ts'
import { makePrivateFolder } from '../lib/private-files.ts'
import { type Checkpoint, keyIdOf, readCheckpoint } from './checkpoint.ts'

export interface AnchorHeader {
  readonly kind: 'sekisho-audit-anchor'
  readonly v: 1
  readonly log: string
  /** SPKI, DER, base64url. */
  readonly publicKey: string
  readonly keyId: string
  readonly time: string
}

export interface AnchorRead {
  readonly header: AnchorHeader | undefined
  readonly checkpoints: readonly Checkpoint[]
  /** Whole lines that are no checkpoints, by number. */
  readonly unreadable: readonly number[]
  /** How many bytes whole lines take: what follows was cut off while it was written. */
  readonly wholeBytes: number
}

export const anchorHeader = (log: string, publicKey: KeyObject, time: string): AnchorHeader => ({
  kind: 'sekisho-audit-anchor',
  v: 1,
  log,
  publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64url'),
  keyId: keyIdOf(publicKey),
  time,
})

export const publicKeyOf = (header: AnchorHeader): KeyObject =>
  createPublicKey({ key: Buffer.from(header.publicKey, 'base64url'), format: 'der', type: 'spki' })

/** Undefined where there is no such file. */
export function readAnchor(path: string): AnchorRead | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1
  const [first = '', ...lines] = bytes.toString('utf8', 0, wholeBytes).split('\n').slice(0, -1)
  const checkpoints: Checkpoint[] = []
  const unreadable: number[] = []
  lines.forEach((line, at) => {
    const checkpoint = readCheckpoint(line)
    if (checkpoint === undefined) unreadable.push(at + 2)
    else checkpoints.push(checkpoint)
  })
  return { header: readHeader(first), checkpoints, unreadable, wholeBytes }
}

function readHeader(line: string): AnchorHeader | undefined {
  try {
    const header = JSON.parse(line) as AnchorHeader | null
    if (header?.kind !== 'sekisho-audit-anchor' || typeof header.log !== 'string') return undefined
    return publicKeyOf(header).asymmetricKeyType === 'ed25519' ? header : undefined
  } catch {
    return undefined
  }
}

/** The writing end. Only the worker has one. */
export class Anchor {
  readonly #file: number

  /** Opens the file for appending, and takes off a line that was cut off while it was written. */
  constructor(path: string, wholeBytes: number) {
    makePrivateFolder(dirname(path))
    this.#file = openSync(path, 'a', 0o600)
    ftruncateSync(this.#file, wholeBytes)
    syncFolder(dirname(path))
  }

  /** Returns when the line is on disk. */
  append(line: AnchorHeader | Checkpoint): void {
    writeSync(this.#file, `${canonicalJson(line)}\n`)
    fdatasyncSync(this.#file)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** A new file's name is on disk only when its folder is. Windows has no such call. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
