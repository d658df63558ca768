/**
 * The signature of a lock: Ed25519 over the canonical JSON (RFC 8785) of everything but its value, with a key that the team keeps
 * and the gateway only knows the public half of.
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import { canonicalJson } from '../../lib/canonical-json.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Lock } from './lock.ts'
import { NotAdmitted } from './not-admitted.ts'

/** The first 16 hex digits of the SHA-256 of the public key (SPKI, DER). */
const keyIdOf = (publicKey: KeyObject): string =>
  hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex').slice(0, 16)

/** Says what kind of statement was signed, so that no other use of the key can be passed off as one. */
const statementOf = ({ signature, ...rest }: Lock): Buffer => {
  const { value: _, ...about } = signature ?? { value: '' }
  return Buffer.from(canonicalJson({ kind: 'sekisho-lock', ...rest, signature: about }))
}

export function signLock(lock: Lock, key: KeyObject, clock: Pick<Clock, 'now'>, validMs?: number): Lock {
  const made = clock.now()
  const about = {
    algorithm: 'ed25519' as const,
    key: keyIdOf(createPublicKey(key)),
    made: new Date(made).toISOString(),
    ...(validMs !== undefined && { expires: new Date(made + validMs).toISOString() }),
  }
  const unsigned: Lock = { lock: lock.lock, servers: lock.servers, signature: { ...about, value: '' } }
  return { ...unsigned, signature: { ...about, value: sign(null, statementOf(unsigned), key).toString('base64url') } }
}

/** Throws {@link NotAdmitted} unless one of `keys` has signed the lock and the signature has not expired. */
export function mustBeSigned(lock: Lock, keys: readonly KeyObject[], clock: Clock, file: string): void {
  const refuse = (why: string, fix: string): NotAdmitted => new NotAdmitted({ file, why, fix })
  const { signature } = lock
  if (signature === undefined) throw refuse('is not signed', 'sign it with: sekisho supply lock --sign KEY.pem')
  const key = keys.find((one) => keyIdOf(one) === signature.key)
  if (key === undefined)
    throw refuse(`is signed with the key ${signature.key}, which is not in "supply.keys"`, 'let somebody sign it whose key is')
  if (!verify(null, statementOf(lock), key, Buffer.from(signature.value, 'base64url')))
    throw refuse('was changed after it was signed', 'find out who changed it; then review it and sign it again')
  if (signature.expires !== undefined && Date.parse(signature.expires) <= clock.now())
    throw refuse(`was signed until ${signature.expires}`, 'review it and sign it again: sekisho supply lock --sign KEY.pem')
}

/**
 * As {@link mustBeSigned}, before anything of a lock is signed again: whoever signs vouches for all of it, and what somebody has changed
 * in the file meanwhile would be signed unseen.
 */
export function mustBeVouchedFor(lock: Lock, keys: readonly KeyObject[], clock: Clock, file: string): void {
  try {
    mustBeSigned(lock, keys, clock, file)
  } catch (error) {
    if (!(error instanceof NotAdmitted)) throw error
    const why = `${error.why}, so that what stands in it already cannot be signed with the rest`
    throw new NotAdmitted({ file, why, fix: 'review it, and lock all of them again: sekisho supply lock --sign KEY.pem' })
  }
}
