/**
 * What people say of a component that no program can check: red-team results, the source of training data, an agreement about
 * service. It has an owner and an end, and it may be signed: a JWS in compact form (RFC 7515) with Ed25519 (RFC 8037), over the
 * statement and the very component, so that it cannot be moved to another one.
 */
import type { KeyObject } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'
import type { Attestation } from './inventory-component.ts'

const type = 'sekisho-attestation+jws'
const dayMs = 86_400_000

export type AttestationVerdict =
  | { readonly outcome: 'verified' | 'unsigned' }
  | { readonly outcome: 'failed' | 'expired'; readonly why: string }

type Statement = Omit<Attestation, 'signature'>

const payloadOf = (ref: string, { by, owner, statement, expires }: Statement): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ component: ref, by, owner, statement, expires }))

/** `key`: Ed25519. */
export const signAttestation = (ref: string, statement: Statement, key: KeyObject): Promise<string> =>
  new CompactSign(payloadOf(ref, statement)).setProtectedHeader({ alg: 'EdDSA', typ: type }).sign(key)

/** `signature`: the JWS, or undefined where there is none. It counts to the end of its last day, UTC. */
export async function verifyAttestation(
  ref: string,
  statement: Statement,
  signature: string | undefined,
  keys: readonly KeyObject[],
  now: number,
): Promise<AttestationVerdict> {
  if (now >= Date.parse(`${statement.expires}T00:00:00Z`) + dayMs)
    return { outcome: 'expired', why: `it ended on ${statement.expires}` }
  if (signature === undefined) return { outcome: 'unsigned' }
  for (const key of keys) {
    const read = await compactVerify(signature.trim(), key, { algorithms: ['EdDSA', 'Ed25519'] }).catch(() => undefined)
    if (read === undefined) continue
    if (read.protectedHeader.typ !== type) return { outcome: 'failed', why: 'what is signed is no attestation' }
    return Buffer.from(read.payload).equals(payloadOf(ref, statement))
      ? { outcome: 'verified' }
      : { outcome: 'failed', why: 'what is signed is another statement, or is about another component' }
  }
  return {
    outcome: 'failed',
    why: keys.length === 0 ? 'there is no key to check it with' : 'no key that is trusted has signed it',
  }
}
