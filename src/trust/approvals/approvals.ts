/**
 * What a manifest says of a server, once its signature has been looked at. Where a manifest is named and does not count, it
 * approves nothing, and neither does anything else but a person.
 */
import { basename } from 'node:path'
import type { PinId } from '../pin.ts'
import { keyOf, type Manifest } from './manifest.ts'
import type { ApprovalsRefused } from './refused.ts'
import { dateOf, expired } from './signature.ts'

export type Approvals = Verified | Refused
export interface Verified {
  readonly outcome: 'verified'
  readonly file: string
  /** Thumbprint of the key that signed it. */
  readonly key: string
  readonly manifest: Manifest
  /** Milliseconds since 1970; Infinity where it holds until another takes its place. */
  readonly expiresAt: number
  approves(pin: Pick<PinId, 'kind' | 'name' | 'digest'>): boolean
}
export interface Refused {
  readonly outcome: 'refused'
  readonly file: string
  readonly why: string
  readonly fix: string
}
/** By the id of the server; only of servers for which a manifest is named. */
export type ApprovalsByServer = ReadonlyMap<string, Approvals>

export const noApprovals: ApprovalsByServer = new Map()

export function verified(file: string, key: string, manifest: Manifest): Verified {
  const keys = new Set(manifest.definitions.map(keyOf))
  const { exp } = manifest
  return {
    ...{ outcome: 'verified', file, key, manifest },
    expiresAt: exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000,
    approves: (pin) => keys.has(keyOf(pin)),
  }
}

export const refused = (file: string, { message, fix }: ApprovalsRefused): Refused => ({
  outcome: 'refused',
  file,
  why: message,
  fix,
})

/** As they stand at a time: what has expired since it was verified approves nothing any more. */
export function standingAt(approvals: ApprovalsByServer, now: number): ApprovalsByServer {
  return new Map(
    [...approvals].map(([server, one]) => [
      server,
      one.outcome === 'verified' && one.expiresAt <= now ? refused(one.file, expired(one.expiresAt / 1000)) : one,
    ]),
  )
}

/** For whoever runs the gateway and for the record: the path of the file is in it. */
export function approvalsText(one: Approvals): string {
  if (one.outcome === 'refused') return `${one.file} ${one.why}, so nothing is approved by it; ${one.fix}`
  const { file, key, manifest } = one
  const end = manifest.exp === undefined ? '' : `, until ${dateOf(manifest.exp)}`
  return `${file}: ${countText(manifest)}, signed with the key ${key}${end}`
}

const countText = ({ definitions }: Manifest): string =>
  definitions.length === 1 ? '1 definition' : `${definitions.length} definitions`

/** Why a definition is approved. Callers need not know where on this machine the file is. */
export const signedReason = ({ file, key }: Verified): string => `signed with the key ${key} in ${basename(file)}`
/** Why one is not. */
export const unsignedReason = (one: Approvals): string =>
  one.outcome === 'verified'
    ? `it is not in the manifest ${basename(one.file)}`
    : `its manifest ${basename(one.file)} does not count`
