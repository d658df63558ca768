/**
 * The keys that tokens are signed with. Several are published at once and their order means nothing; each is in a
 * self-signed certificate, carries the issuer it may sign for (as a template), and no `alg`.
 */
import { constants, createHmac, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { selfSigned, thumbprints } from '../certificates.ts'

export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly x5c: string
  /** With `{tenantid}` for any tenant; a GUID in its place is meant literally. */
  readonly issuer: string
}
/** `next` is published but does not sign yet, `retired` was removed, `foreign` may sign for another tenant only, `unknown` never was published. */
export type KeyName = 'current' | 'next' | 'retired' | 'foreign' | 'unknown'
export type Algorithm = 'RS256' | 'PS256' | 'HS256' | 'none'

export interface KeySet {
  /** Throws for `retired` before a key was, and for `foreign` before there is one. */
  named(name: KeyName): SigningKey
  /** `overlap`: the next key signs, the last stays published. `emergency`: the last is gone at once. */
  roll(how: 'overlap' | 'emergency'): void
  /** Publishes a key whose issuer is another tenant. */
  addForeign(issuer: string): SigningKey
  /** RFC 7517, with the `issuer` of v2; keys of v1 have none. */
  published(version: 1 | 2): { readonly keys: readonly Record<string, unknown>[] }
  /** Whether a published key signed it. */
  verifies(token: string): boolean
}

export function keySet(issuer: string): KeySet {
  const make = (of = issuer): SigningKey => {
    const { cert, privateKey, publicKey } = selfSigned('accounts.accesscontrol.windows.net')
    const { x5t, x5c } = thumbprints(cert)
    return { kid: x5t, privateKey, publicKey, x5c, issuer: of }
  }
  let current = make()
  let next = make()
  let standing: SigningKey[] = []
  const retired: SigningKey[] = []
  const foreign: SigningKey[] = []
  let unknown: SigningKey | undefined
  const all = (): readonly SigningKey[] => [next, ...standing, ...foreign, current]

  const published = (version: 1 | 2) => ({
    keys: all().map(({ kid, publicKey, x5c, issuer: of }) => {
      const { n, e } = publicKey.export({ format: 'jwk' })
      return { kty: 'RSA', use: 'sig', kid, x5t: kid, n, e, x5c: [x5c], ...(version === 2 ? { issuer: of } : {}) }
    }),
  })
  return {
    named: (name) => {
      const key = { current, next, retired: retired.at(-1), foreign: foreign.at(-1), unknown: (unknown ??= make()) }[name]
      if (key === undefined) throw new Error(`there is no ${name} key yet: call rollKeys() or foreignIssuerKey() first`)
      return key
    },
    roll: (how) => {
      if (how === 'overlap') standing = [...standing, current]
      else {
        retired.push(...standing, current)
        standing = []
      }
      current = next
      next = make()
    },
    addForeign: (of) => {
      const key = make(of)
      foreign.push(key)
      return key
    },
    published,
    verifies: (token) => {
      const [header = '', payload, signature = ''] = token.split('.')
      const { kid, alg } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as Record<string, unknown>
      const key = all().find((one) => one.kid === kid)
      if (key === undefined || alg !== 'RS256') return false
      return verify('sha256', Buffer.from(`${header}.${payload}`), key.publicKey, Buffer.from(signature, 'base64url'))
    },
  }
}

const encoded = (text: string): string => Buffer.from(text, 'utf8').toString('base64url')

/** A JWS in compact form (RFC 7515, 7.1) of exactly this text, whatever it is: bad tokens have to be makeable too. */
export function compact(header: object, payload: string, key: SigningKey, algorithm: Algorithm = 'RS256'): string {
  const signed = `${encoded(JSON.stringify(header))}.${encoded(payload)}`
  return `${signed}.${signatures[algorithm](Buffer.from(signed), key).toString('base64url')}`
}

const signatures: Readonly<Record<Algorithm, (signed: Buffer, key: SigningKey) => Buffer>> = {
  RS256: (signed, { privateKey }) => sign('sha256', signed, privateKey),
  PS256: (signed, { privateKey }) =>
    sign('sha256', signed, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  // The old confusion: the public key, as anybody can have it, taken for a shared secret.
  HS256: (signed, { privateKey }) =>
    createHmac('sha256', createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }))
      .update(signed)
      .digest(),
  none: () => Buffer.alloc(0),
}
