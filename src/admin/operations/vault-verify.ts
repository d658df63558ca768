import { type VaultVerification, type VerificationOptions, verifyVault } from '../../vault/verification.ts'

export type { VaultVerification } from '../../vault/verification.ts'

/** Does everything in the vault open? See vault/verification.ts. */
export const vaultVerify = (options: VerificationOptions): Promise<VaultVerification> => verifyVault(options)
