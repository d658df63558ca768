/** The part of the configuration that says where our own key is kept, and where the keys of the vault come from. */
import { z } from 'zod'
import type { Secret } from '../lib/secret.ts'

const keyUrl = z.string().refine(isKeyUrl, {
  error: 'is not the address of a key in Azure Key Vault',
  params: { fix: 'write https://VAULT.vault.azure.net/keys/KEY, without a version' },
})

const providerSchema = z
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
    }),
  ])
  .readonly()

export const vaultSchema = z
  .strictObject({
    keyFile: z
      .string()
      .min(1)
      .optional()
      .describe('32 bytes that only we may read; made on the first start; default beside the store'),
    keyProvider: providerSchema.default({ kind: 'file' }).describe('Where the key is that wraps the keys of the vault’s records'),
    previousKeyProviders: z
      .array(providerSchema)
      .default([])
      .readonly()
      .describe('Where it was before; needed until sekisho vault rotate has been run'),
  })
  .prefault({})

type Draft = z.output<typeof providerSchema>
/** With its secret resolved. */
export type KeyProviderConfig =
  | Exclude<Draft, { kind: 'environment' | 'passphrase' }>
  | { readonly kind: 'environment'; readonly secret: Secret }
  | { readonly kind: 'passphrase'; readonly passphrase: Secret }
export type KeyProviderDraft = Draft

export interface VaultConfig {
  readonly keyFile: string
  readonly keyProvider: KeyProviderConfig
  readonly previousKeyProviders: readonly KeyProviderConfig[]
}

function isKeyUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.protocol !== 'https:' || url.username !== '' || url.password !== '') return false
  return url.search === '' && url.hash === '' && /^\/keys\/[0-9A-Za-z-]{1,127}$/.test(url.pathname) && !text.endsWith('/')
}
