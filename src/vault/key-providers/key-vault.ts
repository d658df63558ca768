/**
 * A key in Azure Key Vault, RSA. It never leaves there: each record's own key is sent to be wrapped (RSA-OAEP-256) and
 * unwrapped, together with a digest of what it is bound to, since RSA-OAEP has no associated data there. What was unwrapped
 * is kept for a while. After `freshMs` Key Vault is asked again, so that a key that was disabled there stops working; while it
 * does not answer, what was kept goes on working for `cacheMs`.
 */
import { createHash, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { pause, unstoppable } from '../../lib/stop.ts'
import { keyBytes } from '../envelope.ts'
import { VaultKeyRefused, VaultUnavailable } from '../errors.ts'
import type { KeyProvider } from '../key-provider.ts'
import { taken } from '../names.ts'
import { type KeyVaultAccess, KeyVaultClient } from './key-vault-client.ts'

export interface KeyVaultOptions {
  /** The URL of the key, without a version. */
  readonly key: string
  readonly cacheMs: number
  readonly access: KeyVaultAccess
  readonly clock: Clock
  readonly wait?: ((ms: number) => Promise<void>) | undefined
}

const prefix = 'key-vault:'
const freshMs = 300_000
const cachedMax = 10_000

export function keyVaultProvider({ key, cacheMs, access, clock, wait }: KeyVaultOptions): KeyProvider {
  const client = new KeyVaultClient(access, wait ?? ((ms) => pause(ms, unstoppable)), () => clock.now())
  const cached = new Map<string, { readonly secret: KeyObject; readonly at: number }>()
  const asked = new Map<string, Promise<KeyObject | undefined>>()
  const keep = (name: string, secret: KeyObject): KeyObject => {
    cached.delete(name)
    cached.set(name, { secret, at: clock.monotonic() })
    if (cached.size > cachedMax) cached.delete(cached.keys().next().value as string)
    return secret
  }
  const ask = async (name: string, kid: string, wrapped: Uint8Array, binding: string): Promise<KeyObject | undefined> => {
    const kept = cached.get(name)
    const ageMs = kept === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() - kept.at
    if (kept !== undefined && ageMs < Math.min(freshMs, cacheMs)) return kept.secret
    const isUsable = kept !== undefined && ageMs < cacheMs
    try {
      const payload = await client.unwrap(kid, wrapped, isUsable)
      const secret = payload && secretIn(payload, binding)
      if (secret === undefined) cached.delete(name)
      return secret && keep(name, secret)
    } catch (error) {
      if (error instanceof VaultUnavailable && isUsable) return kept.secret
      cached.delete(name)
      throw error
    }
  }
  return {
    place: (id) => `the key ${id.slice(prefix.length)}`,
    owns: (id) => id.startsWith(`${prefix}${key}/`),
    async make(known) {
      const { kid, kty, operations, enabled } = await client.key(key)
      const refuse = (why: string, fix: string) => new VaultKeyRefused(`the key ${key} ${why}`, fix)
      if (!kid.startsWith(`${key}/`)) throw refuse(`is called ${kid} by its own vault`, 'write it as the vault does')
      if (!enabled) throw refuse('is disabled in Azure Key Vault', 'enable it')
      if (!kty.startsWith('RSA')) throw refuse(`is a key of type ${kty}`, 'use an RSA key: RSA-OAEP-256 is what wraps')
      if (!['wrapKey', 'unwrapKey'].every((operation) => operations.includes(operation)))
        throw refuse('may not wrap and unwrap', 'permit the operations wrapKey and unwrapKey on the key')
      if (known.some(({ id }) => id === prefix + kid))
        throw refuse(
          'has no newer version than the one in use',
          `make one, then rotate again: az keyvault key rotate --id ${key}`,
        )
      return { id: prefix + kid, parameters: '{}' }
    },
    async wrap({ id }, secret, binding) {
      const payload = Buffer.concat([secret, digestOf(binding)])
      try {
        const wrapped = await client.wrap(id.slice(prefix.length), payload)
        keep(nameOf(id, wrapped, binding), taken(Buffer.from(secret)))
        return wrapped
      } finally {
        payload.fill(0)
      }
    },
    async unwrap({ id }, wrapped, binding) {
      const name = nameOf(id, wrapped, binding)
      let answer = asked.get(name)
      if (answer === undefined) {
        asked.set(name, (answer = ask(name, id.slice(prefix.length), wrapped, binding)))
        answer.finally(() => asked.delete(name)).catch(() => undefined)
      }
      return (await answer)?.export()
    },
    forget: async () => undefined, // an older version may be needed for a copy of the store; its end is decided in Azure
  }
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
const nameOf = (id: string, wrapped: Uint8Array, binding: string): string =>
  createHash('sha256')
    .update(JSON.stringify([id, binding]))
    .update(wrapped)
    .digest('base64url')

function secretIn(payload: Buffer, binding: string): KeyObject | undefined {
  const digest = digestOf(binding)
  const isBound = payload.length === keyBytes + digest.length && timingSafeEqual(payload.subarray(keyBytes), digest)
  const secret = isBound ? taken(Buffer.from(payload.subarray(0, keyBytes))) : undefined
  payload.fill(0)
  return secret
}
