/** The vault of a configuration: its key providers, in the order in which they are asked. */
import type { Clock } from '../lib/clock.ts'
import { VaultKeyRefused } from './errors.ts'
import type { KeyProvider } from './key-provider.ts'
import { environmentProvider } from './key-providers/environment.ts'
import { fileProvider } from './key-providers/file.ts'
import { keyVaultProvider } from './key-providers/key-vault.ts'
import type { KeyVaultAccess } from './key-providers/key-vault-client.ts'
import { passphraseProvider } from './key-providers/passphrase.ts'
import { VaultKeys } from './keys.ts'
import type { VaultRecords } from './records.ts'
import type { KeyProviderConfig, VaultConfig } from './schema.ts'
import { Vault } from './vault.ts'

export interface OpenVaultOptions {
  readonly config: VaultConfig
  readonly records: VaultRecords
  readonly clock: Clock
  /** Needed where a provider is `key-vault`. */
  readonly keyVault?: KeyVaultAccess | undefined
}

export interface OpenedVault {
  readonly vault: Vault
  /** For an operator's verbs. */
  readonly keys: VaultKeys
}

/** Asks nobody yet; the first use does, or {@link Vault.check}. Throws VaultKeyRefused where a provider cannot be had. */
export function openVault({ config, records, clock, keyVault }: OpenVaultOptions): OpenedVault {
  const providerOf = (provider: KeyProviderConfig): KeyProvider => {
    switch (provider.kind) {
      case 'file':
        return fileProvider(config.keyFile)
      case 'environment':
        return environmentProvider(provider.secret)
      case 'passphrase':
        return passphraseProvider(provider.passphrase)
      case 'key-vault':
        if (keyVault === undefined)
          throw new VaultKeyRefused(
            `nobody here has a credential for Azure, and the vault's key is ${provider.key}`,
            'give createGateway "keyVault" (the command line has no credential for Azure yet), or take another "vault.keyProvider"',
          )
        return keyVaultProvider({ ...provider, clock, access: keyVault })
    }
  }
  const kept = [config.keyProvider, ...config.previousKeyProviders]
  // The key file is always known, so that whoever leaves it for another provider need not name it.
  if (!kept.some(({ kind }) => kind === 'file')) kept.push({ kind: 'file' })
  const [first, ...others] = kept.map(providerOf)
  const keys = new VaultKeys(records, [first as KeyProvider, ...others], clock)
  return { vault: new Vault(records, keys, clock), keys }
}
