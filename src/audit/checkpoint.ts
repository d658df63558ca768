/**
 * A signed statement of how the log looked: so many entries, this root, this last hash. Who edits the store without the
 * signing key cannot make another. Written to the store and, separately, to the anchor.
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import { canonicalJson } from '../lib/canonical-json.ts'

interface Statement {
  /** Says what kind of statement was signed, so that no other use of the key can be passed off as one. */
  readonly kind: 'sekisho-audit-checkpoint'
  readonly v: 1
  /** The log's id. */
  readonly log: string
  /** How many entries it speaks for. */
  readonly size: number
  /** Merkle root (RFC 6962) over the hashes of those entries. */
  readonly root: string
  /** The hash of the last of them. */
  readonly head: string
  readonly time: string
  readonly keyId: string
}
export interface Checkpoint extends Statement {
  /** Ed25519 over the canonical JSON of everything else, base64url. */
  readonly signature: string
}

/** The first 16 hex digits of the SHA-256 of the public key (SPKI, DER). */
export const keyIdOf = (publicKey: KeyObject): string =>
  hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex').slice(0, 16)

/** Signs with one key, whose id is computed once. */
export function signer(signingKey: KeyObject): (about: Pick<Statement, 'log' | 'size' | 'root' | 'head' | 'time'>) => Checkpoint {
  const keyId = keyIdOf(createPublicKey(signingKey))
  return (about) => {
    const statement: Statement = { kind: 'sekisho-audit-checkpoint', v: 1, keyId, ...about }
    return { ...statement, signature: sign(null, Buffer.from(canonicalJson(statement)), signingKey).toString('base64url') }
  }
}

export function isSignedBy(checkpoint: Checkpoint, publicKey: KeyObject): boolean {
  const { signature, ...statement } = checkpoint
  if (statement.kind !== 'sekisho-audit-checkpoint' || typeof signature !== 'string') return false
  return verify(null, Buffer.from(canonicalJson(statement)), publicKey, Buffer.from(signature, 'base64url'))
}

/** Reads one back, or undefined for anything that is not shaped like one. Its signature has not been looked at. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  try {
    const read = JSON.parse(text) as Partial<Checkpoint> | null
    const whole =
      Number.isSafeInteger(read?.size) &&
      [read?.root, read?.head, read?.log, read?.time, read?.keyId].every((word) => typeof word === 'string')
    return whole ? (read as Checkpoint) : undefined
  } catch {
    return undefined
  }
}
