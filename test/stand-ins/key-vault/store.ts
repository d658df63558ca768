/** What lies in the vault: RSA keys and secrets, each with its versions. A version never changes; a new one takes its place. */
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto'

export interface Version<T> {
  /** 32 hexadecimal digits. */
  readonly id: string
  readonly content: T
  readonly createdAtMs: number
  enabled: boolean
}
export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}
export interface Shelf<T> {
  /** The newest without a version. */
  get(name: string, version?: string): Version<T> | undefined
  add(name: string, content: T, nowMs: number): string
  /** Every version without one. */
  enable(name: string, enabled: boolean, version?: string): void
}

export function shelf<T>(): Shelf<T> {
  const items = new Map<string, Version<T>[]>()
  return {
    get: (name, version) => {
      const versions = items.get(name)
      return version === undefined ? versions?.at(-1) : versions?.find(({ id }) => id === version)
    },
    add: (name, content, createdAtMs) => {
      const id = randomBytes(16).toString('hex')
      items.set(name, [...(items.get(name) ?? []), { id, content, createdAtMs, enabled: true }])
      return id
    },
    enable: (name, enabled, version) => {
      const versions = (items.get(name) ?? []).filter(({ id }) => version === undefined || id === version)
      if (versions.length === 0)
        throw new Error(`the vault has no ${name}${version === undefined ? '' : ` of version ${version}`}`)
      for (const one of versions) one.enabled = enabled
    },
  }
}

export const makeKey = (modulusBits: number): KeyPair => generateKeyPairSync('rsa', { modulusLength: modulusBits })

/** RFC 7518, 4.3: the hash of OAEP, by the name of the algorithm. */
const hashes: Readonly<Record<string, string>> = { 'RSA-OAEP-256': 'sha256', 'RSA-OAEP': 'sha1' }
const padding = constants.RSA_PKCS1_OAEP_PADDING

/** Undefined for an algorithm that is not known, or a value that does not fit. */
export function crypt(
  how: 'wrapkey' | 'unwrapkey',
  { publicKey, privateKey }: KeyPair,
  algorithm: string,
  value: string,
): string | undefined {
  const oaepHash = hashes[algorithm]
  if (oaepHash === undefined || !/^[\w-]+$/.test(value)) return undefined
  const bytes = Buffer.from(value, 'base64url')
  try {
    const result =
      how === 'wrapkey'
        ? publicEncrypt({ key: publicKey, padding, oaepHash }, bytes)
        : privateDecrypt({ key: privateKey, padding, oaepHash }, bytes)
    return result.toString('base64url')
  } catch {
    return undefined
  }
}
