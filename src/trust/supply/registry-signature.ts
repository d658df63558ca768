/**
 * The registry's signature over a package: ECDSA over `name@version:integrity` (npm documentation, About registry signatures). It says that
 * the registry had these bytes under this name. A package that has none is `absent`, which is not verified.
 */
import { verify } from 'node:crypto'
import type { SignatureFact } from './lock.ts'
import type { Failed } from './provenance.ts'
import { isValid, type RegistryKey } from './trust-root.ts'

export interface Signed {
  readonly name: string
  readonly version: string
  readonly integrity: string
  /** `dist.signatures`, as the registry gave it. */
  readonly signatures: unknown
  /** When it was published, as the registry says; undefined where it does not. */
  readonly published: number | undefined
}

/** All signatures have to be good, as npm wants it; one by a key that is not known makes it impossible to say. */
export function verifyRegistrySignature(signed: Signed, keys: readonly RegistryKey[]): SignatureFact | Failed {
  const { name, version, integrity, signatures, published } = signed
  if (!Array.isArray(signatures) || signatures.length === 0) return { status: 'absent' }
  const message = Buffer.from(`${name}@${version}:${integrity}`)
  let by = ''
  for (const one of signatures as readonly { readonly keyid?: unknown; readonly sig?: unknown }[]) {
    const key = keys.find(({ id, usage }) => usage === 'npm:signatures' && id === one?.keyid)
    if (key === undefined)
      return { status: 'not checked', why: `it is signed with the key ${String(one?.keyid).slice(0, 80)}, which is not known` }
    if (typeof one.sig !== 'string' || !verify('sha256', message, key.key, Buffer.from(one.sig, 'base64')))
      return { status: 'failed', why: 'the signature of the registry is wrong' }
    if (published === undefined && key.until < Date.parse('9999-01-01'))
      return { status: 'not checked', why: 'its key has run out, and when it was published is not known' }
    if (published !== undefined && !isValid(key, published))
      return { status: 'failed', why: 'it was published after the key that signed it had run out' }
    by = key.id
  }
  return { status: 'verified', key: by }
}
