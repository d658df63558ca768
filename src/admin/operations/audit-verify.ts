import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { openLog } from '../../audit/no-log.ts'
import { type Progress, type Verification, verify } from '../../audit/verify.ts'

export type { Verification } from '../../audit/verify.ts'

export interface AuditVerifyOptions {
  readonly path: string
  readonly anchor: string
  /** The anchor may be of another log, and says nothing of one that is not there. */
  readonly anchorIsGuessed?: boolean
  /** A PEM file with the public key that must have signed; without it, the key that the anchor names. */
  readonly publicKeyFile?: string | undefined
}

/** Is the log what was written? See audit/verify.ts for what it can and cannot find. */
export async function auditVerify(
  { path, anchor, anchorIsGuessed = false, publicKeyFile }: AuditVerifyOptions,
  progress?: Progress,
): Promise<Verification> {
  const publicKey = publicKeyFile === undefined ? undefined : publicKeyIn(publicKeyFile, await readFile(publicKeyFile))
  if (anchorIsGuessed) openLog(path).close()
  return verify(path, anchor, publicKey, progress)
}

function publicKeyIn(file: string, pem: Buffer): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPublicKey(pem)
  } catch {
    // OpenSSL has no words for people
  }
  if (key?.asymmetricKeyType !== 'ed25519') throw new TypeError(`${file} is not an Ed25519 public key in PEM`)
  return key
}
