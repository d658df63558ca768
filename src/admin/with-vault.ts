import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { openStore } from '../storage/embedded.ts'
import type { VaultKeys } from '../vault/keys.ts'
import type { VaultRecords } from '../vault/records.ts'
import type { Vault } from '../vault/vault.ts'
import { configuredVault } from './configured-vault.ts'

export interface VaultAtHand {
  readonly config: Config
  readonly vault: Vault
  readonly keys: VaultKeys
  readonly records: VaultRecords
}

/** Works on the vault of the configuration in `file`, whether or not a gateway is running, and closes its store. */
export async function withVault(file: string, work: (hand: VaultAtHand) => Promise<void>): Promise<void> {
  const config = await loadConfig(file, undefined, { secrets: 'vault' })
  const store = await openStore(config.store)
  try {
    const { vault, keys } = configuredVault({ config, records: store.vault })
    await work({ config, vault, keys, records: store.vault })
  } finally {
    await store.close()
  }
}
