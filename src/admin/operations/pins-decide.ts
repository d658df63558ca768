import { timingSafeEqual } from 'node:crypto'
import { systemClock } from '../../lib/clock.ts'
import { type DefinitionKind, definitionKinds } from '../../trust/definition.ts'
import { type Identity, type Pin, sealedProposal } from '../../trust/pin.ts'
import { decided, meant, type Wish } from '../../trust/review.ts'
import type { PinsAtHand } from '../with-pins.ts'

export { definitionKinds }

export interface PinsDecide {
  readonly server: string
  readonly wish: Wish
  /** Empty with `all`. */
  readonly names: readonly string[]
  /** Everything that waits for a decision; to revoke, everything that is approved. */
  readonly all?: boolean
  /** Where a name is of more than one kind. */
  readonly kind?: DefinitionKind | undefined
  /** The beginning of the digest of one version. */
  readonly digest?: string | undefined
  /** Who decides: `cli:alice`. */
  readonly by: string
  readonly reason?: string | undefined
}

export interface PinsDecided {
  readonly pins: readonly Pin[]
  /** With `all`: another server stood under the id, and is taken for the one that was approved. */
  readonly accepted: Accepted | undefined
}
export interface Accepted {
  readonly before: string | undefined
  readonly now: string
  /** Somebody else has to say so too. */
  readonly isProposed: boolean
}

/**
 * Approves, rejects or revokes definitions. A running gateway obeys at once, and no client has to be started again. To approve all
 * that waits is to approve the server itself too, where it is another one than before: so an upgrade is one decision.
 */
export async function pinsDecide(hand: PinsAtHand, wanted: PinsDecide): Promise<PinsDecided> {
  const { store, book, seal, twoPeople } = hand
  const { server, wish, by, reason = '', all = false } = wanted
  hand.whereabouts(server)
  if (all ? wanted.names.length > 0 : wanted.names.length === 0)
    throw new Error(`name what you decide about, or say --all for everything that ${wish === 'revoke' ? 'is approved' : 'waits'}`)
  const isKnown = book.identityOf(server) !== undefined
  const isMoved = isKnown && all && wish === 'approve' && strangerAt(hand, server) !== undefined
  const concerned = wish === 'revoke' ? approvedNow : waiting
  const pins = all ? concerned(book.pinsOf(server)) : wanted.names.map((name) => named(hand, wanted, name))
  if (pins.length === 0 && !isMoved)
    throw new Error(`nothing of the server "${server}" ${wish === 'revoke' ? 'is approved' : 'waits for a decision'}`)
  const reviewer = { by, at: systemClock.now(), reason, twoPeople }
  const after = pins.map((pin) => decided(pin, wish, reviewer))
  await store.decidePins(after, seal)
  return {
    pins: after,
    accepted: isMoved ? await takeServer(hand, { server, by, reason, isFineAgain: pins.length > 0 }) : undefined,
  }
}

const approvedNow = (pins: readonly Pin[]): readonly Pin[] => pins.filter(({ standing }) => standing === 'approved')

const waiting = (pins: readonly Pin[]): readonly Pin[] =>
  [...Map.groupBy(pins, ({ kind, name }) => `${kind} ${name}`).values()].flatMap(
    (versions) =>
      meant(
        versions.filter(({ standing }) => standing === 'held' || standing === 'proposed'),
        'approve',
      ) ?? [],
  )

function named({ book }: PinsAtHand, { server, wish, kind, digest }: PinsDecide, name: string): Pin {
  const versions = book.pinsOf(server).filter((pin) => pin.name === name && (kind === undefined || pin.kind === kind))
  if (versions.length === 0)
    throw new Error(`nothing is known of "${name}" of the server "${server}"; see: sekisho pins list ${server}`)
  refuseTwoKinds(name, versions)
  const pin = digest === undefined ? meant(versions, wish) : versions.find((one) => one.digest.startsWith(digest))
  if (pin === undefined)
    throw new Error(
      digest === undefined
        ? `it is not clear which version of "${name}" is meant; see them, and say --digest: sekisho pins show ${server} ${name}`
        : `no version of "${name}" begins with ${digest}; see: sekisho pins show ${server} ${name}`,
    )
  return pin
}

/** What stands under the id now, where it is not what was approved. */
function strangerAt({ whereabouts, book }: PinsAtHand, server: string): string | undefined {
  const [now, before] = [whereabouts(server), book.identityOf(server)]
  return before === now ? undefined : now
}

/**
 * Takes the server that stands under an id now for the one whose definitions were approved. Where it takes two people, the first
 * only proposes it.
 */
export const pinsAcceptServer = (hand: PinsAtHand, server: string, by: string, reason = ''): Promise<Accepted> =>
  takeServer(hand, { server, by, reason, isFineAgain: false })

interface Taking {
  readonly server: string
  readonly by: string
  readonly reason: string
  /** Whether whoever has proposed it may say so again, which changes nothing. */
  readonly isFineAgain: boolean
}

async function takeServer(hand: PinsAtHand, { server, by, reason, isFineAgain }: Taking): Promise<Accepted> {
  const { store, book, seal, twoPeople } = hand
  const now = strangerAt(hand, server)
  if (now === undefined) throw new Error(`the server "${server}" is the one that was approved`)
  const before = book.identityOf(server)
  const decision = { at: systemClock.now(), reason }
  if (twoPeople) {
    const proposer = await proposerOf(hand, { server, identity: now })
    if (proposer === by && !isFineAgain)
      throw new Error(`the server "${server}" was proposed by ${by}, as it is now; somebody else has to approve it`)
    if (proposer === undefined) await store.proposeServer(sealedProposal({ server, identity: now, by }, seal), decision)
    if (proposer === undefined || proposer === by) return { before, now, isProposed: true }
  }
  await store.setPinnedServer({ server, identity: now }, { by, ...decision }, seal)
  return { before, now, isProposed: false }
}

/** Who has proposed this server and no other; undefined also for a proposal that was not written with our key. */
async function proposerOf({ store, seal }: PinsAtHand, { server, identity }: Identity): Promise<string | undefined> {
  const proposal = await store.proposedServer(server)
  if (proposal === undefined || proposal.identity !== identity) return undefined
  const [ours, theirs] = [sealedProposal(proposal, seal).seal, proposal.seal].map((one) => Buffer.from(one)) as [Buffer, Buffer]
  return ours.length === theirs.length && timingSafeEqual(ours, theirs) ? proposal.by : undefined
}

export interface PinsRollback {
  readonly server: string
  readonly name: string
  /** Where a name is of more than one kind. */
  readonly kind?: DefinitionKind | undefined
  readonly by: string
  readonly reason?: string | undefined
}

/** Goes back to what was approved before the newest approval. */
export async function pinsRollback(hand: PinsAtHand, wanted: PinsRollback): Promise<Pin> {
  const { store, book, seal } = hand
  const { server, name, kind, by, reason = '' } = wanted
  hand.whereabouts(server)
  const approved = book
    .pinsOf(server)
    .filter((pin) => pin.name === name && pin.standing === 'approved' && (kind === undefined || pin.kind === kind))
    .toSorted((a, b) => b.at - a.at || b.seenAt - a.seenAt)
  refuseTwoKinds(name, approved)
  const [newest, before] = approved
  if (newest === undefined || before === undefined)
    throw new Error(`"${name}" has no version that was approved before; to have none: sekisho pins revoke ${server} ${name}`)
  const reviewer = { by, at: systemClock.now(), reason, twoPeople: false }
  await store.decidePins([decided(newest, 'revoke', reviewer)], seal)
  return before
}

function refuseTwoKinds(name: string, versions: readonly Pin[]): void {
  const kinds = [...new Set(versions.map((pin) => pin.kind))]
  if (kinds.length > 1) throw new Error(`"${name}" is a ${kinds.join(' and a ')}; say which: --kind ${kinds[0]}`)
}
