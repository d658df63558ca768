/** The part of the configuration that says where our own key is kept, and where the keys of the vault come from. */
import { z } from 'zod'
import type { Secret } from '../lib/secret.ts'

const keyUrl = z.string().refine(isKeyUrl, {
  error: 'is not the address of a key in Azure Key Vault',
  params: { fix: 'write https://VAULT.vault.azure.net/keys/KEY, without a version' },
})

const providerSchema = <Credential extends z.ZodType>(credential: Credential) =>
  z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('file') }),
      z.strictObject({
        kind: z.literal('environment'),
        secret: z
          .string()
          .regex(/^env:[A-Za-z_][A-Za-z0-9_]*$/, { error: 'is not a variable; write env:NAME' })
          .describe('The variable with 32 random bytes in base64url, as env:NAME'),
      }),
      z.strictObject({
        kind: z.literal('passphrase'),
        passphrase: z
          .string()
          .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:(?!\/\/).+)$/, { error: 'is not a reference; write env:NAME or file:PATH' })
          .describe('Where the passphrase is, as env:NAME or file:PATH'),
      }),
      z.strictObject({
        kind: z.literal('key-vault'),
        key: keyUrl.describe('The key in Azure Key Vault'),
        cacheMs: z
          .int()
          .min(0)
          .max(86_400_000)
          .default(3_600_000)
          .describe('How long what Key Vault has unwrapped is used while it does not answer'),
        credential: credential.optional().describe('Who we are in Azure'),
      }),
    ])
    .readonly()

/** `credential`: who we are in Azure, which is another room's to say. */
export const vaultSchema = <Credential extends z.ZodType>(credential: Credential) =>
  z
    .strictObject({
      keyFile: z
        .string()
        .min(1)
        .optional()
        .describe('32 bytes that only we may read; made on the first start; default beside the store'),
      keyProvider: providerSchema(credential)
        .default({ kind: 'file' })
        .describe('Where the key is that wraps the keys of the vault’s records'),
      previousKeyProviders: z
        .array(providerSchema(credential))
        .default([])
        .readonly()
        .describe('Where it was before; needed until sekisho vault rotate has been run'),
    })
    .prefault({})

export interface KeyVaultConfig<Credential> {
  readonly kind: 'key-vault'
  readonly key: string
  readonly cacheMs: number
  readonly credential?: Credential | undefined
}
export type KeyProviderDraft<Credential = unknown> =
  | { readonly kind: 'file' }
  | { readonly kind: 'environment'; readonly secret: string }
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | KeyVaultConfig<Credential>
/** With its secret resolved. */
export type KeyProviderConfig<Credential = unknown> =
  | { readonly kind: 'file' }
  | { readonly kind: 'environment'; readonly secret: Secret }
  | { readonly kind: 'passphrase'; readonly passphrase: Secret }
  | KeyVaultConfig<Credential>

export interface VaultConfig<Credential = unknown> {
  readonly keyFile: string
  readonly keyProvider: KeyProviderConfig<Credential>
  readonly previousKeyProviders: readonly KeyProviderConfig<Credential>[]
}

function isKeyUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.protocol !== 'https:' || url.username !== '' || url.password !== '') return false
  return url.search === '' && url.hash === '' && /^\/keys\/[0-9A-Za-z-]{1,127}$/.test(url.pathname) && !text.endsWith('/')
}
