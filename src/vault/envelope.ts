/** AES-256-GCM (NIST SP 800-38D): a random nonce of 96 bits, the ciphertext, a tag of 128 bits. */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'

export const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** `binding` is not in the result, and has to be the same when it is opened. */
export function seal(key: KeyObject | Buffer, plaintext: Uint8Array, binding: string): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(binding, 'utf8'))
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** The plaintext, or undefined for anything that was not sealed with this key for this binding. Wipe it after use. */
export function unseal(key: KeyObject | Buffer, sealed: Uint8Array, binding: string): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(binding, 'utf8'))
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  const plaintext = decipher.update(sealed.subarray(nonceBytes, -tagBytes))
  try {
    decipher.final() // GCM has nothing left to give; it only says whether it was right
    return plaintext
  } catch {
    plaintext.fill(0)
    return undefined
  }
}
