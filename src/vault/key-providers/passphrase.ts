/**
 * A key that is made from a passphrase with scrypt (RFC 7914). The salt and the costs stand in the store; they are bounded when
 * read, so that nobody who can write there makes us spend the machine's memory, or makes guessing cheap.
 */
import { type KeyObject, randomBytes, type ScryptOptions, scrypt } from 'node:crypto'
import { z } from 'zod'
import type { Secret } from '../../lib/secret.ts'
import { keyBytes } from '../envelope.ts'
import { VaultKeyMissing } from '../errors.ts'
import type { KeyProvider } from '../key-provider.ts'
import { taken } from '../names.ts'
import { localProvider } from './local.ts'

/** 128 MiB and about half a second. */
const costs = { N: 131_072, r: 8, p: 1 } as const
const memoryBytesMax = 1_100_000_000

const parametersSchema = z.strictObject({
  salt: z.base64url().min(22).max(86),
  N: z.union([131_072, 262_144, 524_288, 1_048_576].map((cost) => z.literal(cost))),
  r: z.literal(8),
  p: z.int().min(1).max(4),
})

export function passphraseProvider(passphrase: Secret): KeyProvider {
  return localProvider({
    place: () => `a key made from the passphrase in ${passphrase.reference}`,
    owns: (id) => versionOf(id) !== undefined,
    async make(known) {
      const version = Math.max(0, ...known.map(({ id }) => versionOf(id) ?? 0)) + 1
      const salt = randomBytes(16).toString('base64url')
      return { id: `passphrase:${version}`, parameters: JSON.stringify({ salt, ...costs }) }
    },
    async find({ id, parameters }) {
      const { salt, ...read } = parametersOf(id, parameters)
      return stretched(passphrase.reveal(), Buffer.from(salt, 'base64url'), { ...read, maxmem: memoryBytesMax })
    },
    forget: async () => undefined,
  })
}

function parametersOf(id: string, text: string): z.output<typeof parametersSchema> {
  try {
    return parametersSchema.parse(JSON.parse(text))
  } catch {
    throw new VaultKeyMissing(`the vault's description of the key ${id} was changed`, 'restore the store from a copy')
  }
}

function versionOf(id: string): number | undefined {
  const [, version] = /^passphrase:([1-9]\d{0,8})$/.exec(id) ?? []
  return version === undefined ? undefined : Number(version)
}

/** NFC, so that one passphrase is one key, whichever keyboard it was typed on. */
const stretched = (passphrase: string, salt: Buffer, options: ScryptOptions): Promise<KeyObject> =>
  new Promise((resolve, reject) =>
    scrypt(passphrase.normalize('NFC'), salt, keyBytes, options, (error, key) =>
      error ? reject(error) : resolve(taken(key as Buffer)),
    ),
  )
