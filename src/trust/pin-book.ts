/**
 * What has been decided about every definition, as an immutable view that is asked in the middle of a call. A pin that was
 * not sealed with our key was not decided by us: it counts as held, whatever it says.
 */
import { hash, timingSafeEqual } from 'node:crypto'
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
  type Kept,
  manifestDecides,
  type Pin,
  type Seal,
  type Standing,
  sealTextOf,
  sealTextOfServer,
  wholeSeal,
} from './pin.ts'
import type { Neighbour } from './scan/finding.ts'

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
  readonly #rows = new Map<string, Row>()
  readonly #counts = new Map<string, number>()
  /** What somebody without our key has done to the store; undefined where nothing is to be seen of it. */
  readonly tampered: string | undefined
  /** Milliseconds since 1970: from then on, another book has to be made of the same pins. */
  readonly expiresAt: number

  /** `before`: rows that are as they were there are not looked at again. */
  constructor(kept: Kept, seal: Seal, approvals = noApprovals, before?: PinBook) {
    this.#approvals = approvals
    const ends = [...approvals.values()].flatMap((one) => (one.outcome === 'verified' ? [one.expiresAt] : []))
    this.expiresAt = Math.min(Number.POSITIVE_INFINITY, ...ends)
    const isWhole = isWholeStore(kept, seal)
    this.#lists = new Set(kept.lists.map(({ server, kind }) => `${server} ${kind}`))
    let forged = 0
    for (const { server, identity, seal: made, stranger } of kept.servers) {
      const isOurs = isSealed(seal, sealTextOfServer({ server, identity }), made)
      if (!isOurs) forged++
      this.#identities.set(server, isOurs ? identity : 'nobody knows where: its record in the store is not ours')
      this.#strangers.set(server, stranger)
    }
    for (const { seal: made, ...pin } of kept.pins) {
      const row = before?.rowOf(pin, made) ?? rowOf(pin, made, seal)
      this.#rows.set(idOf(pin), row)
      if (!row.isOurs) forged++
      const counts = row.isOurs ? inForce(pin, approvals.get(pin.server)) : held(pin, notOurs)
      this.#add(isWhole || counts.standing !== 'approved' ? counts : held(pin, notWhole), row)
    }
    const told = [
      ...(forged > 0 ? [`${forged} records were not sealed with our key`] : []),
      ...(isWhole ? [] : ['records were removed or put back, so nothing counts as approved: sekisho pins reseal']),
    ]
    this.tampered = told.length === 0 ? undefined : told.join('; ')
  }

  /** What is known of a row that is as it was. */
  rowOf(pin: Pin, made: string): Row | undefined {
    const row = this.#rows.get(idOf(pin))
    return row?.made === made && row.text === pin.text && row.sealed === sealTextOf(pin) ? row : undefined
  }

  #add(pin: Pin, row: Row): void {
    const kinds = this.#servers.get(pin.server) ?? new Map<DefinitionKind, Map<string, Versions>>()
    this.#servers.set(pin.server, kinds)
    const names = kinds.get(pin.kind) ?? new Map<string, Versions>()
    kinds.set(pin.kind, names)
    const { byDigest, approved } = names.get(pin.name) ?? { byDigest: new Map(), approved: [] }
    const body = pin.standing === 'approved' ? [{ digest: pin.digest, isApproved: true as const, body: row.body() }] : []
    names.set(pin.name, { byDigest: new Map([...byDigest, [pin.digest, pin]]), approved: [...approved, ...body] })
    this.#counts.set(pin.server, (this.#counts.get(pin.server) ?? 0) + 1)
  }

  /** How many versions of definitions are kept of a server. */
  countOf = (server: string): number => this.#counts.get(server) ?? 0

  /** The list of this kind has been read whole once. */
  isListed = (server: string, kind: DefinitionKind): boolean => this.#lists.has(`${server} ${kind}`)

  /** What the server was approved for does not include it: it said that it has no such thing. */
  isDenied(server: string, kind: ListedKind): boolean {
    const approved = this.versionsOf(server, 'capabilities', '').filter(({ standing }) => standing === 'approved')
    const has = ({ text }: Pin): boolean =>
      (JSON.parse(text) as { readonly capabilities: readonly string[] }).capabilities.includes(capabilityOf[kind])
    return approved.length > 0 && !approved.some(has)
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

/** What was found out about a row of the store. */
interface Row {
  readonly made: string
  readonly sealed: string
  readonly text: string
  /** Sealed with our key, and its text is what the digest says. */
  readonly isOurs: boolean
  body(): JsonObject
}

function rowOf(pin: Pin, made: string, seal: Seal): Row {
  const sealed = sealTextOf(pin)
  const isOurs = isSealed(seal, sealed, made) && hash('sha256', pin.text, 'base64url') === pin.digest
  let body: JsonObject | undefined
  return { made, sealed, text: pin.text, isOurs, body: () => (body ??= parseStrict(pin.text) as JsonObject) }
}

const notOurs = 'its record was not written by us'
const notWhole = 'records of the store were removed or put back'
const held = (pin: Pin, reason: string): Pin => ({ ...pin, standing: 'held', by: gatewayDecides, reason })
const idOf = ({ server, kind, name, digest }: Pin): string => JSON.stringify([server, kind, name, digest])

/** Nothing at all is whole, as long as nothing was ever written. */
function isWholeStore({ revision, pins, lists, servers, whole }: Kept, seal: Seal): boolean {
  const seals = [...pins, ...servers, ...lists].map((one) => one.seal)
  return revision === 0 ? seals.length === 0 : isEqual(wholeSeal(seals, revision, seal), whole)
}

function isSealed(seal: Seal, text: string, kept: string): boolean {
  return isEqual(seal(text), kept)
}

function isEqual(one: string, other: string): boolean {
  const [wanted, given] = [Buffer.from(one), Buffer.from(other)]
  return wanted.length === given.length && timingSafeEqual(wanted, given)
}
