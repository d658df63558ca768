import { type Rotation, type RotationOptions, rotate } from '../../vault/rotation.ts'

export type { Rotation } from '../../vault/rotation.ts'

/** A new key for everything in the vault, while gateways run. The key and its record are one transaction. */
export const vaultRotate = (options: RotationOptions): Promise<Rotation> => rotate(options)
