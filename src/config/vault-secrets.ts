/** The vault's key providers with the secrets that they refer to. What is no key, or too little of one, is complained of here. */
import { Secret } from '../lib/secret.ts'
import type { MachineCredential } from '../outbound/credentials/schema.ts'
import { keyFix, keyIn } from '../vault/key-providers/environment.ts'
import type { KeyProviderConfig, KeyProviderDraft, VaultConfig } from '../vault/schema.ts'
import { withCredentialSecrets } from './credential-secrets.ts'
import type { Environment } from './environment.ts'
import type { Complaint, Path } from './problem.ts'
import { fetchSecret } from './secrets.ts'

/** NIST SP 800-63B-4, section 3.1.1.2, asks for 15 of a password that stands alone. */
const passphraseCharsMin = 15

export interface VaultDraft {
  readonly keyFile: string
  readonly keyProvider: KeyProviderDraft<MachineCredential>
  readonly previousKeyProviders: readonly KeyProviderDraft<MachineCredential>[]
}

/** Without an environment the secrets cannot be revealed. */
export function withVaultSecrets(
  vault: VaultDraft,
  folder: string,
  environment: Environment | undefined,
  complaints: Complaint[],
): VaultConfig<MachineCredential> {
  const resolved = (provider: KeyProviderDraft<MachineCredential>, path: Path): KeyProviderConfig<MachineCredential> => {
    if (provider.kind === 'environment')
      return { kind: 'environment', secret: secretAt(provider.secret, [...path, 'secret'], keyFault) }
    if (provider.kind === 'passphrase')
      return { kind: 'passphrase', passphrase: secretAt(provider.passphrase, [...path, 'passphrase'], passphraseFault) }
    if (provider.kind === 'file' || provider.credential === undefined) return provider
    const { credential } = provider
    const at = [...path, 'credential']
    return { ...provider, credential: withCredentialSecrets(credential, at, folder, environment, complaints) }
  }
  const secretAt = (reference: string, path: Path, faultOf: (value: string) => Omit<Complaint, 'path'> | undefined): Secret => {
    if (environment === undefined) return new Secret(reference)
    const fetched = fetchSecret(reference, folder, environment)
    const fault = 'message' in fetched ? fetched : faultOf(fetched.value)
    if (fault !== undefined) complaints.push({ path, ...fault })
    return new Secret(reference, 'value' in fetched ? fetched.value : undefined)
  }
  return {
    keyFile: vault.keyFile,
    keyProvider: resolved(vault.keyProvider, ['vault', 'keyProvider']),
    previousKeyProviders: vault.previousKeyProviders.map((provider, at) =>
      resolved(provider, ['vault', 'previousKeyProviders', at]),
    ),
  }
}

const keyFault = (value: string): Omit<Complaint, 'path'> | undefined =>
  keyIn(value) === undefined ? { message: 'refers to a text that is not 32 bytes in base64url', fix: keyFix } : undefined

const passphraseFault = (value: string): Omit<Complaint, 'path'> | undefined =>
  value.length < passphraseCharsMin
    ? {
        message: `refers to a passphrase of fewer than ${passphraseCharsMin} characters`,
        fix: 'take six random words or more; whoever has the store can guess as often as they like',
      }
    : undefined
