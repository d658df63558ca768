/**
 * The signature of a manifest: a JWS (RFC 7515) with Ed25519 (RFC 8037), by a key that the gateway only knows the public half
 * of. The key is named by its thumbprint (RFC 7638); keys that a file brings along are not looked at.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, FlattenedSign, flattenedVerify } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import { type JsonObject, parseStrict } from '../../lib/strict-json.ts'
import { isObject } from '../../protocol/json-rpc.ts'
import { type Manifest, type ManifestFile, payloadOf } from './manifest.ts'
import { ApprovalsRefused } from './refused.ts'

/** Says what kind of statement was signed, so that no other use of the key can be passed off as one (RFC 8725, 3.11). */
const type = 'sekisho-pins+jws'
/** `EdDSA` as RFC 8037 calls it, `Ed25519` as RFC 9864 does. */
const algorithms = ['EdDSA', 'Ed25519']
/** By how much the clock of whoever signed may be ahead of ours. */
const skewS = 300

/** The thumbprint of an Ed25519 key, private or public. */
export const keyIdOf = (key: KeyObject): Promise<string> =>
  calculateJwkThumbprint((key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' }))

/** `validMs` undefined: until another takes its place. */
export async function signManifest(unsigned: Manifest, key: KeyObject, clock: Clock, validMs?: number): Promise<ManifestFile> {
  const iat = Math.floor(clock.now() / 1000)
  const { exp: _, ...rest } = unsigned
  const manifest: Manifest = { ...rest, iat, ...(validMs !== undefined && { exp: iat + Math.floor(validMs / 1000) }) }
  const header = { alg: 'EdDSA', kid: await keyIdOf(key), typ: type }
  const signed = await new FlattenedSign(payloadOf(manifest)).setProtectedHeader(header).sign(key)
  return { manifest, signed: { protected: signed.protected as string, signature: signed.signature } }
}

export interface Expected {
  readonly keys: readonly KeyObject[]
  readonly identity: string
  readonly clock: Clock
}

/** The thumbprint of the key that signed it. Rejects with {@link ApprovalsRefused} where there is any doubt. */
export async function verifyManifest({ manifest, signed }: ManifestFile, { keys, identity, clock }: Expected): Promise<string> {
  if (signed === undefined) throw new ApprovalsRefused('is not signed', 'sign it with: sekisho pins sign FILE --sign KEY.pem')
  const { alg, kid, typ, crit, b64 } = headerOf(signed.protected)
  if (typeof alg !== 'string' || !algorithms.includes(alg))
    throw new ApprovalsRefused('is signed with an algorithm that is not accepted: it has to be Ed25519', resign)
  if (crit !== undefined || b64 !== undefined)
    throw new ApprovalsRefused('has a signature with extensions ("crit", "b64"), and none is known', resign)
  if (typ !== type) throw new ApprovalsRefused('has the signature of something that is no manifest of approvals', resign)
  const ids = await Promise.all(keys.map(keyIdOf))
  const key = typeof kid === 'string' ? keys[ids.indexOf(kid)] : undefined
  if (key === undefined || typeof kid !== 'string')
    throw new ApprovalsRefused(
      `is signed with ${typeof kid === 'string' ? `the key ${printed(kid)}` : 'a key without a name'}, which is not among its "keys"`,
      'let somebody sign it whose key is; or, if that key is to be trusted, add it to "keys"',
    )
  const payload = Buffer.from(payloadOf(manifest)).toString('base64url')
  await flattenedVerify({ ...signed, payload }, key, { algorithms }).catch(() => {
    throw new ApprovalsRefused('was changed after it was signed', 'find out who changed it; then review it and sign it again')
  })
  mustBeInForce(manifest, clock)
  if (manifest.identity !== identity)
    throw new ApprovalsRefused(
      `is about another server: ${printed(manifest.identity)}, and here stands ${printed(identity)}`,
      'name the manifest of this server; where its author calls it otherwise, say so with "identity"',
    )
  return kid
}
const resign = 'sign it again with: sekisho pins sign FILE --sign KEY.pem'

function mustBeInForce({ iat, exp }: Manifest, clock: Clock): void {
  const nowS = clock.now() / 1000
  if (iat === undefined) throw new ApprovalsRefused('does not say when it was signed ("iat")', resign)
  if (iat - skewS > nowS)
    throw new ApprovalsRefused(
      `was signed at ${dateOf(iat)}, which is still to come`,
      'set the clock of this machine, or of the one that signed',
    )
  if (exp !== undefined && exp <= nowS) throw expired(exp)
}

export const expired = (exp: number): ApprovalsRefused =>
  new ApprovalsRefused(
    `was signed until ${dateOf(exp)}`,
    'review it and sign it again: sekisho pins sign FILE --sign KEY.pem --valid 90d',
  )

export const dateOf = (seconds: number): string => new Date(seconds * 1000).toISOString()
const printed = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)

/** Nothing in it has been verified. */
function headerOf(text: string): JsonObject {
  try {
    const header = parseStrict(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64url')), 4)
    if (isObject(header)) return header
  } catch {
    // not base64url of UTF-8 of JSON that can be read in one way
  }
  throw new ApprovalsRefused('has a signature that cannot be read', resign)
}
