/**
 * One version of one definition, and what was decided about it. Of one name several versions may be approved at once: a
 * server may tell different people different things, and each of them has been looked at.
 */
import { createHmac, hash } from 'node:crypto'
import type { DefinitionKind } from './definition.ts'

/**
 * `held`: seen, and kept back until a person has decided. `proposed`: one person has approved it, and another has to.
 * `rejected` and `revoked` are kept back for good; the second was approved before.
 */
export const standings = ['approved', 'held', 'proposed', 'rejected', 'revoked'] as const
export type Standing = (typeof standings)[number]

export interface PinId {
  readonly server: string
  readonly kind: DefinitionKind
  readonly name: string
  /** See digestOf(). */
  readonly digest: string
}
export interface Decision {
  readonly standing: Standing
  /** Who: `cli:alice`; {@link gatewayDecides} or {@link manifestDecides} where it was no person of this gateway. */
  readonly by: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly reason: string
}
/** What the configuration decides. */
export const gatewayDecides = 'gateway'
/** What a signed manifest approves: it counts as long as the manifest does. */
export const manifestDecides = 'manifest'

export interface Pin extends PinId, Decision {
  /** Canonical JSON of what is pinned. */
  readonly text: string
  readonly seenAt: number
}

/** The server that the pins of an id are about: where it is, or how it is started. */
export interface Identity {
  readonly server: string
  readonly identity: string
}

/** One person takes another server for the one that was approved, and somebody else has to say so too. */
export interface Proposal extends Identity {
  readonly by: string
}

/** Says that what the store holds of a pin or an identity was written by somebody with our key. */
export type Seal = (text: string) => string
/** HMAC-SHA256, in base64url. */
export const sealedWith =
  (key: Buffer): Seal =>
  (text) =>
    createHmac('sha256', key).update(text).digest('base64url')
/** What the key is derived for. */
export const sealPurpose = 'trust/pins'

export interface SealedPin extends Pin {
  readonly seal: string
}
export interface SealedIdentity extends Identity {
  readonly seal: string
}
export interface SealedProposal extends Proposal {
  readonly seal: string
}
export interface PinnedServer extends SealedIdentity {
  /** What stood under the id last, where it was not the one that was approved. */
  readonly stranger: string | undefined
}

/** A list that has been read whole once: what comes later is an addition. */
export interface SealedList {
  readonly server: string
  readonly kind: DefinitionKind
  readonly seal: string
}

/** Everything that is kept of decisions, as it stands in the store. */
export interface Kept {
  /** Moves with every change of what is below. */
  readonly revision: number
  readonly pins: readonly SealedPin[]
  readonly lists: readonly SealedList[]
  readonly servers: readonly PinnedServer[]
  /** See {@link wholeSeal}; empty before anything was kept. */
  readonly whole: string
}

/**
 * Says of all rows together that they are those that were written last, and that none was removed or put back. Whoever can put
 * back the whole store as it once was is not found out by this.
 */
export const wholeSeal = (seals: readonly string[], revision: number, seal: Seal): string =>
  seal(JSON.stringify(['whole', revision, hash('sha256', seals.toSorted().join(' '), 'base64url')]))

/** Kept by storage/. Each decision leaves an act for the audit log. What was not whole before is not made so by a change. */
export interface PinStore {
  pinsRevision(): Promise<number>
  /** All of it at one moment. */
  keptPins(): Promise<Kept>
  /** Keeps what is not known yet, and leaves the rest as it is. `list`: it has been read whole. */
  seePins(pins: readonly Pin[], seal: Seal, list?: Omit<SealedList, 'seal'>): Promise<void>
  /** Decides about pins that are known. */
  decidePins(pins: readonly Pin[], seal: Seal): Promise<void>
  /** The proposal that waits for somebody else; one at a time. */
  proposedServer(server: string): Promise<SealedProposal | undefined>
  proposeServer(proposal: SealedProposal, decision: Omit<Decision, 'standing' | 'by'>): Promise<void>
  /** Another server stands under this id, and is taken for the one that was approved. Ends a proposal. */
  setPinnedServer(identity: Identity, decision: Omit<Decision, 'standing'>, seal: Seal): Promise<void>
  /** Makes whole what is not, with these in place of what is known of the same definitions. */
  resealPins(pins: readonly Pin[], servers: readonly Identity[], by: Omit<Decision, 'standing'>, seal: Seal): Promise<void>
  /** Another server stands under this id, and nobody has said yet that it may. */
  noteStranger(server: string, identity: string): Promise<void>
  /** Newest first. */
  pinDecisions(server: string, name?: string): Promise<readonly (PinId & Decision)[]>
}

export const sealTextOf = ({ server, kind, name, digest, standing, by, at, reason }: Pin): string =>
  JSON.stringify(['pin', server, kind, name, digest, standing, by, at, reason])
export const sealTextOfServer = ({ server, identity }: Identity): string => JSON.stringify(['server', server, identity])
export const sealTextOfProposal = ({ server, identity, by }: Proposal): string =>
  JSON.stringify(['server proposed', server, identity, by])

export const sealTextOfList = ({ server, kind }: Omit<SealedList, 'seal'>): string => JSON.stringify(['list', server, kind])

export const sealedPin = (pin: Pin, seal: Seal): SealedPin => ({ ...pin, seal: seal(sealTextOf(pin)) })
export const sealedServer = (identity: Identity, seal: Seal): SealedIdentity => ({
  ...identity,
  seal: seal(sealTextOfServer(identity)),
})
export const sealedProposal = (proposal: Proposal, seal: Seal): SealedProposal => ({
  ...proposal,
  seal: seal(sealTextOfProposal(proposal)),
})

/** What people are told about a name: its versions taken together. */
export type PinState = 'new' | 'approved' | 'changed' | 'rejected' | 'revoked'
export function stateOf(versions: readonly Pick<Pin, 'standing'>[]): PinState {
  const has = (...wanted: Standing[]): boolean => versions.some(({ standing }) => wanted.includes(standing))
  if (has('held', 'proposed')) return has('approved', 'revoked', 'rejected') ? 'changed' : 'new'
  if (has('approved')) return 'approved'
  return has('revoked') ? 'revoked' : 'rejected'
}
