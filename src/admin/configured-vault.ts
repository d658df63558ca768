/**
 * The vault of a configuration, whoever opens it: the gateway, or a command beside it. Where its key is in Azure Key Vault,
 * the way there and the token for it are put together here, from the credential that stands with the key.
 */
import type { Config } from '../config/schema.ts'
import { systemClock } from '../lib/clock.ts'
import { fraction } from '../lib/random.ts'
import { safeFetch } from '../lib/safe-fetch.ts'
import { loggable, TokenRefused } from '../outbound/credentials/failure.ts'
import { machineTokens } from '../outbound/credentials/machine.ts'
import type { MachineCredential } from '../outbound/credentials/schema.ts'
import { VaultKeyRefused, VaultUnavailable } from '../vault/errors.ts'
import type { KeyVaultAccess } from '../vault/key-providers/key-vault-client.ts'
import { type OpenedVault, openVault } from '../vault/open-vault.ts'
import type { VaultRecords } from '../vault/records.ts'

export interface ConfiguredVaultOptions {
  readonly config: Pick<Config, 'vault' | 'proxy'>
  readonly records: VaultRecords
  /** In place of the configured credentials. */
  readonly keyVault?: KeyVaultAccess | undefined
}

/** Asks nobody yet. Throws VaultKeyRefused where a provider cannot be had. */
export const configuredVault = ({ config: { vault, proxy }, records, keyVault }: ConfiguredVaultOptions): OpenedVault =>
  openVault({
    config: vault,
    records,
    clock: systemClock,
    keyVault: ({ key, credential }) => keyVault ?? (credential && accessTo(key, credential, proxy)),
  })

function accessTo(key: string, credential: MachineCredential, proxy: Config['proxy']): KeyVaultAccess {
  const named = [key, ...('issuer' in credential || 'tokenUrl' in credential ? [credential.issuer, credential.tokenUrl] : [])]
  const trustedOrigins = [...new Set(named.flatMap((url) => (url === undefined ? [] : [new URL(url).origin])))]
  const fetch = safeFetch({ trustedOrigins, proxy })
  const tokens = machineTokens({ service: 'key-vault', credential, fetch, clock: systemClock, random: fraction })
  return { fetch, token: (scope) => tokens(scope).catch(told) }
}

function told(error: unknown): never {
  const why = `there is no token for Azure Key Vault: ${loggable(error)}`
  if (error instanceof TokenRefused && !error.isPassing)
    throw new VaultKeyRefused(why, 'check the "credential" of the key provider, and what Azure knows of it')
  throw new VaultUnavailable(why, 'check that the place that gives tokens can be reached from here, and try again')
}
