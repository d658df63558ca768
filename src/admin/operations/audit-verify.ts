import { createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Progress, type Verification, verify } from '../../audit/verify.ts'

export type { Verification } from '../../audit/verify.ts'

export interface AuditVerifyOptions {
  readonly path: string
  readonly anchor: string
  /** A PEM file with the public key that must have signed; without it, the key that the anchor names. */
  readonly publicKeyFile?: string | undefined
}

/** Is the log what was written? See audit/verify.ts for what it can and cannot find. */
export async function auditVerify(
  { path, anchor, publicKeyFile }: AuditVerifyOptions,
  progress?: Progress,
): Promise<Verification> {
  const publicKey = publicKeyFile === undefined ? undefined : createPublicKey(await readFile(publicKeyFile))
  if (publicKey !== undefined && publicKey.asymmetricKeyType !== 'ed25519')
    throw new TypeError(`${publicKeyFile} is not an Ed25519 key`)
  return verify(path, anchor, publicKey, progress)
}
