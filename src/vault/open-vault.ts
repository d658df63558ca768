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
import type { KeyProviderConfig, KeyVaultConfig, VaultConfig } from './schema.ts'
import { Vault } from './vault.ts'

export interface OpenVaultOptions<Credential> {
  readonly config: VaultConfig<Credential>
  readonly records: VaultRecords
  readonly clock: Clock
  /** How a provider that is `key-vault` is reached; undefined where it cannot be. */
  keyVault?(provider: KeyVaultConfig<Credential>): KeyVaultAccess | undefined
}

export interface OpenedVault {
  readonly vault: Vault
  /** For an operator's verbs. */
  readonly keys: VaultKeys
}

/** Asks nobody yet; the first use does, or {@link Vault.check}. Throws VaultKeyRefused where a provider cannot be had. */
export function openVault<Credential>({ config, records, clock, keyVault }: OpenVaultOptions<Credential>): OpenedVault {
  const providerOf = (provider: KeyProviderConfig<Credential>): KeyProvider => {
    switch (provider.kind) {
      case 'file':
        return fileProvider(config.keyFile)
      case 'environment':
        return environmentProvider(provider.secret)
      case 'passphrase':
        return passphraseProvider(provider.passphrase)
      case 'key-vault': {
        const access = keyVault?.(provider)
        if (access === undefined)
          throw new VaultKeyRefused(
            `nobody here has a credential for Azure, and the vault's key is ${provider.key}`,
            'give it a "credential", for example { kind: managed-identity }; or give createGateway "keyVault"',
          )
        return keyVaultProvider({ ...provider, clock, access })
      }
    }
  }
  const kept = [config.keyProvider, ...config.previousKeyProviders]
  // The key file is always known, so that whoever leaves it for another provider need not name it.
  if (!kept.some(({ kind }) => kind === 'file')) kept.push({ kind: 'file' })
  const [first, ...others] = kept.map(providerOf)
  const keys = new VaultKeys(records, [first as KeyProvider, ...others], clock)
  return { vault: new Vault(records, keys, clock), keys }
}
