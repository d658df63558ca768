/** A key of 32 bytes in a variable, as a secret store hands it to a container. A version of it is known by its fingerprint. */

import type { Secret } from '../../lib/secret.ts'
import { keyBytes } from '../envelope.ts'
import { VaultKeyRefused } from '../errors.ts'
import { keyRing } from '../key-file.ts'
import type { KeyProvider } from '../key-provider.ts'
import { taken } from '../names.ts'
import { localProvider } from './local.ts'

const fingerprintChars = 16

export function environmentProvider(secret: Secret): KeyProvider {
  const bytes = keyIn(secret.reveal())
  if (bytes === undefined) throw new VaultKeyRefused(`${secret.reference} is not a key`, keyFix)
  const ring = keyRing(bytes)
  const id = `environment:${ring.derive('vault/fingerprint').toString('hex').slice(0, fingerprintChars)}`
  const wrapping = taken(ring.derive('vault/wrap'))
  bytes.fill(0)
  return localProvider({
    place: () => `the key in ${secret.reference}`,
    owns: (other) => other === id,
    async make(known) {
      if (known.some((key) => key.id === id))
        throw new VaultKeyRefused(
          `the key in ${secret.reference} is in use already, and this provider cannot make another`,
          'give the new key under "vault.keyProvider" and this one under "vault.previousKeyProviders", restart, and rotate again',
        )
      return { id, parameters: '{}' }
    },
    find: async () => wrapping,
    forget: async () => undefined,
  })
}

export const keyFix = 'set it to 32 random bytes in base64url: head -c 32 /dev/urandom | basenc --base64url'

/** 32 bytes, or undefined. One key has one spelling. */
export function keyIn(text: string): Buffer | undefined {
  const bare = text.replace(/=$/, '')
  const bytes = Buffer.from(bare, 'base64url')
  return bytes.length === keyBytes && bytes.toString('base64url') === bare ? bytes : undefined
}
