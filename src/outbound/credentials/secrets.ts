/** Which values of a credential are secrets, and where: a change of one is a change of the credential. */
import { Secret } from '../../lib/secret.ts'
import type { CredentialConfig, MachineCredential } from './schema.ts'

export interface Found {
  readonly path: readonly string[]
  readonly secret: Secret
}

export const secretsIn = (credential: CredentialConfig | MachineCredential): readonly Found[] => within(credential, [])

const within = (part: object, path: readonly string[]): Found[] =>
  Object.entries(part).flatMap(([key, value]: [string, unknown]) => {
    if (value instanceof Secret) return [{ path: [...path, key], secret: value }]
    return typeof value === 'object' && value !== null ? within(value, [...path, key]) : []
  })

/** In plain text, to compare and for nothing else. */
export const secretsOf = (credential: CredentialConfig): readonly string[] =>
  secretsIn(credential).map(({ secret }) => secret.reveal())
