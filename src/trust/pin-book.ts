/**
 * What has been decided about every definition, as an immutable view that is asked in the middle of a call. A pin that was
 * not sealed with our key was not decided by us: it counts as held, whatever it says.
 */
import { timingSafeEqual } from 'node:crypto'
import { type JsonObject, parseStrict } from '../lib/strict-json.ts'
import { type Approvals, type ApprovalsByServer, noApprovals, signedReason, unsignedReason } from './approvals/approvals.ts'
import {
  capabilityOf,
  type Definition,
  type DefinitionKind,
  digestOf,
  isSameJson,
  type ListedKind,
  pinned,
} from './definition.ts'
import {
  gatewayDecides,
  manifestDecides,
  type Pin,
  type PinnedServer,
  type Seal,
  type SealedPin,
  type Standing,
  sealTextOf,
  sealTextOfServer,
} from './pin.ts'
import type { Neighbour } from './scan/finding.ts'

export interface Kept {
  readonly pins: readonly SealedPin[]
  readonly lists: readonly { readonly server: string; readonly kind: DefinitionKind }[]
  readonly servers: readonly PinnedServer[]
}

/** The versions of one name. */
interface Versions {
  readonly byDigest: ReadonlyMap<string, Pin>
  /** What is approved, to be compared without a digest. */
  readonly approved: readonly { readonly digest: string; readonly isApproved: true; readonly body: JsonObject }[]
}

export class PinBook {
  readonly #servers = new Map<string, Map<DefinitionKind, Map<string, Versions>>>()
  readonly #lists: ReadonlySet<string>
  readonly #identities = new Map<string, string>()
  readonly #strangers = new Map<string, string | undefined>()
  readonly #approvals: ApprovalsByServer
  /** Rows that were not sealed with our key: somebody has written into the store. */
  readonly forged: readonly Pin[]
  /** Milliseconds since 1970: from then on, another book has to be made of the same pins. */
  readonly expiresAt: number

  constructor({ pins, lists, servers }: Kept, seal: Seal, approvals = noApprovals) {
    this.#approvals = approvals
    const ends = [...approvals.values()].flatMap((one) => (one.outcome === 'verified' ? [one.expiresAt] : []))
    this.expiresAt = Math.min(Number.POSITIVE_INFINITY, ...ends)
    this.#lists = new Set(lists.map(({ server, kind }) => `${server} ${kind}`))
    for (const { server, identity, seal: kept, stranger } of servers) {
      if (isSealed(seal, sealTextOfServer({ server, identity }), kept)) this.#identities.set(server, identity)
      this.#strangers.set(server, stranger)
    }
    const forged: Pin[] = []
    for (const { seal: kept, ...pin } of pins) {
      const isOurs = isSealed(seal, sealTextOf(pin), kept)
      if (!isOurs) forged.push(pin)
      this.#add(isOurs ? inForce(pin, approvals.get(pin.server)) : { ...pin, standing: 'held' })
    }
    this.forged = forged
  }

  #add(pin: Pin): void {
    const kinds = this.#servers.get(pin.server) ?? new Map<DefinitionKind, Map<string, Versions>>()
    this.#servers.set(pin.server, kinds)
    const names = kinds.get(pin.kind) ?? new Map<string, Versions>()
    kinds.set(pin.kind, names)
    const { byDigest, approved } = names.get(pin.name) ?? { byDigest: new Map(), approved: [] }
    const body =
      pin.standing === 'approved'
        ? [{ digest: pin.digest, isApproved: true as const, body: parseStrict(pin.text) as JsonObject }]
        : []
    names.set(pin.name, { byDigest: new Map([...byDigest, [pin.digest, pin]]), approved: [...approved, ...body] })
  }

  /** The list of this kind has been read whole once. */
  isListed = (server: string, kind: DefinitionKind): boolean => this.#lists.has(`${server} ${kind}`)

  /** What the server was approved for does not include it: it said that it has no such thing. */
  isDenied(server: string, kind: ListedKind): boolean {
    const approved = this.versionsOf(server, 'capabilities', '').filter(({ standing }) => standing === 'approved')
    const named = new RegExp(`"${capabilityOf[kind]}"`)
    return approved.length > 0 && !approved.some(({ text }) => named.test(text))
  }

  /** Where the server stood, or how it was started, when it was taken for what it is; undefined for a new one. */
  identityOf = (server: string): string | undefined => this.#identities.get(server)

  /** What stood under the id last, where it was not the one that was approved. */
  strangerOf = (server: string): string | undefined => this.#strangers.get(server)

  /** What the manifest of a server says, where one is named for it. */
  approvalsOf = (server: string): Approvals | undefined => this.#approvals.get(server)

  /** Every server that something is known of. */
  get servers(): readonly string[] {
    return [...new Set([...this.#identities.keys(), ...this.#servers.keys()])].sort()
  }

  standingOf(server: string, kind: DefinitionKind, name: string, digest: string): Standing | undefined {
    return this.#versions(server, kind, name)?.byDigest.get(digest)?.standing
  }

  /** The digest of a definition, and whether it is approved. The usual one is found by comparison with what is. */
  find(server: string, definition: Definition): { readonly digest: string; readonly isApproved: boolean } {
    const versions = this.#versions(server, definition.kind, definition.name)
    const body = definition.kind === 'resource' ? pinned(definition) : definition.body
    if (versions !== undefined) for (const one of versions.approved) if (isSameJson(one.body, body)) return one
    return { digest: digestOf(definition), isApproved: false }
  }

  /** Every version of a name, the oldest first. */
  versionsOf(server: string, kind: DefinitionKind, name: string): readonly Pin[] {
    return [...(this.#versions(server, kind, name)?.byDigest.values() ?? [])]
  }

  /** Every version of every name. */
  pinsOf(server: string): readonly Pin[] {
    const names = [...(this.#servers.get(server)?.values() ?? [])].flatMap((kind) => [...kind.values()])
    return names.flatMap(({ byDigest }) => [...byDigest.values()])
  }

  /** What other servers are approved for: a name that one of them has already is taken. */
  neighboursOf(server: string): readonly Neighbour[] {
    return [...this.#servers.keys()]
      .filter((other) => other !== server)
      .flatMap((other) => this.pinsOf(other))
      .filter(({ standing }) => standing === 'approved')
      .map(({ server, kind, name, digest }) => ({ server, kind, name, digest }))
  }

  #versions(server: string, kind: DefinitionKind, name: string): Versions | undefined {
    return this.#servers.get(server)?.get(kind)?.get(name)
  }
}

/**
 * A decision as it counts now. What a person has decided here stands, whoever signed something else. What the configuration
 * decided counts where no manifest is named, and what a manifest approved counts as long as that does.
 */
function inForce(pin: Pin, approvals: Approvals | undefined): Pin {
  const { standing, by } = pin
  const isByPerson = by !== gatewayDecides && by !== manifestDecides
  if (standing === 'revoked' || standing === 'rejected' || (standing === 'approved' && isByPerson)) return pin
  if (approvals?.outcome === 'verified' && approvals.approves(pin))
    return { ...pin, standing: 'approved', by: manifestDecides, reason: signedReason(approvals) }
  if (standing !== 'approved' || (approvals === undefined && by === gatewayDecides)) return pin
  const reason = approvals === undefined ? 'its manifest is not named any more' : unsignedReason(approvals)
  return { ...pin, standing: 'held', by: gatewayDecides, reason }
}

function isSealed(seal: Seal, text: string, kept: string): boolean {
  const [wanted, given] = [Buffer.from(seal(text)), Buffer.from(kept)]
  return wanted.length === given.length && timingSafeEqual(wanted, given)
}
