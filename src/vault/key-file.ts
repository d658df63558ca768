/**
 * Our own key: 32 random bytes in a file that only we may read. Everything else is derived from it by purpose, so that a
 * seal for cursors never opens as a requestState. Whoever loses it loses sealed states, and has to begin a new
 * audit log: the old one can still be verified, but no longer be continued.
 */
import { createCipheriv, createDecipheriv, createPrivateKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { link, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makePrivateFolder } from '../lib/private-files.ts'

export interface KeyRing {
  /** 32 bytes that depend on the key and the purpose (HKDF-SHA256). */
  derive(purpose: string): Buffer
  /** Ed25519. */
  signingKey(): KeyObject
  /** AES-256-GCM; `associatedData` is not in the result and has to be the same when it is opened. */
  seal(purpose: string, plaintext: string, associatedData: string): string
  /** The plaintext, or undefined for anything that seal() did not make for this purpose and data. */
  open(purpose: string, sealed: string, associatedData: string): string | undefined
}

export class KeyFileRefused extends Error {
  override readonly name = 'KeyFileRefused'
  readonly fix: string
  constructor(message: string, fix: string) {
    super(message)
    this.fix = fix
  }
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const version = 'v1.'

/**
 * Reads the key in `path`, making it on the first start. Throws {@link KeyFileRefused}. `needed`: something is sealed with it
 * already, so that a new one in its place would open nothing.
 */
export async function openKeyFile(path: string, { needed = false } = {}): Promise<KeyRing> {
  const key = await readKey(path)
  if (key === undefined && needed)
    throw new KeyFileRefused(
      `the key file ${path} is not there, and what the vault keeps is sealed with it`,
      'restore it from a copy; if it is lost, purge what cannot be opened any more: sekisho vault purge --older-than 0s',
    )
  return keyRing(key ?? (await makeKey(path)))
}

/** The 32 bytes in `path`; undefined where there is no file. Throws {@link KeyFileRefused}. */
export async function readKey(path: string): Promise<Buffer | undefined> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new KeyFileRefused(
      `the key file ${path} cannot be read: ${(error as Error).message}`,
      'check its path, owner and permissions',
    )
  }
  try {
    const { mode, size } = await file.stat()
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new KeyFileRefused(`others may read the key file ${path} (mode ${(mode & 0o777).toString(8)})`, `chmod 600 ${path}`)
    const key = size === keyBytes ? await file.readFile() : Buffer.alloc(0)
    if (key.length !== keyBytes)
      throw new KeyFileRefused(
        `the key file ${path} has ${size} bytes and needs ${keyBytes}`,
        'restore it, or remove it to get a new key',
      )
    return key
  } finally {
    await file.close()
  }
}

/** Written in full under another name first, so that no process ever reads half a key; the first of two processes wins. */
export async function makeKey(path: string): Promise<Buffer> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  try {
    makePrivateFolder(dirname(path))
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(randomBytes(keyBytes))
      await file.sync()
    } finally {
      await file.close()
    }
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } catch (error) {
    throw new KeyFileRefused(
      `the key file ${path} cannot be made: ${(error as Error).message}`,
      'make the folder writable for the gateway',
    )
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
  const key = await readKey(path)
  if (key === undefined) throw new KeyFileRefused(`the key file ${path} vanished`, 'start again')
  return key
}

/** The key ring of 32 bytes, wherever they are kept. */
export function keyRing(key: Buffer): KeyRing {
  const derived = new Map<string, Buffer>()
  const derive = (purpose: string): Buffer => {
    let known = derived.get(purpose)
    if (known === undefined) derived.set(purpose, (known = Buffer.from(hkdfSync('sha256', key, 'sekisho', purpose, keyBytes))))
    return known
  }
  return {
    derive: (purpose) => Buffer.from(derive(purpose)),
    signingKey: () => ed25519(derive('signing/ed25519')),
    seal(purpose, plaintext, associatedData) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', derive(`seal/${purpose}`), nonce)
      cipher.setAAD(Buffer.from(version + associatedData, 'utf8'))
      return (
        version +
        Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
      )
    },
    open(purpose, sealed, associatedData) {
      const bytes = Buffer.from(sealed.slice(version.length), 'base64url')
      // One seal has one spelling: what is remembered as used cannot come back in other letters.
      if (sealed !== version + bytes.toString('base64url') || bytes.length < nonceBytes + tagBytes) return undefined
      const decipher = createDecipheriv('aes-256-gcm', derive(`seal/${purpose}`), bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(Buffer.from(version + associatedData, 'utf8'))
      decipher.setAuthTag(bytes.subarray(-tagBytes))
      try {
        return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** RFC 8410: a private key of 32 bytes in PKCS #8. */
function ed25519(seed: Buffer): KeyObject {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' })
}
