import { systemClock } from '../../lib/clock.ts'
import type { DefinitionKind } from '../../trust/definition.ts'
import type { Pin } from '../../trust/pin.ts'
import { decided, meant, type Wish } from '../../trust/review.ts'
import type { PinsAtHand } from '../with-pins.ts'

export interface PinsDecide {
  readonly server: string
  readonly wish: Wish
  /** Empty with `all`. */
  readonly names: readonly string[]
  /** Everything that waits for a decision. */
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
    throw new Error('name what you decide about, or say --all for everything that waits')
  const isKnown = book.identityOf(server) !== undefined
  const isMoved = isKnown && all && wish === 'approve' && strangerAt(hand, server) !== undefined
  const pins = all ? waiting(book.pinsOf(server)) : wanted.names.map((name) => named(hand, wanted, name))
  if (pins.length === 0 && !isMoved) throw new Error(`nothing of the server "${server}" waits for a decision`)
  const reviewer = { by, at: systemClock.now(), reason, twoPeople }
  const after = pins.map((pin) => decided(pin, wish, reviewer))
  await store.decidePins(after, seal)
  // What one person has only proposed lets no server in.
  const isProposed = after.some(({ standing }) => standing === 'proposed')
  return { pins: after, accepted: isMoved && !isProposed ? await pinsAcceptServer(hand, server, by, reason) : undefined }
}

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
  const kinds = [...new Set(versions.map((pin) => pin.kind))]
  if (kinds.length === 0)
    throw new Error(`nothing is known of "${name}" of the server "${server}"; see: sekisho pins list ${server}`)
  if (kinds.length > 1) throw new Error(`"${name}" is a ${kinds.join(' and a ')}; say which: --kind ${kinds[0]}`)
  const pin = digest === undefined ? meant(versions, wish) : versions.find((one) => one.digest.startsWith(digest))
  if (pin === undefined)
    throw new Error(
      digest === undefined
        ? `no version of "${name}" is to be decided so; see: sekisho pins show ${server} ${name}`
        : `no version of "${name}" begins with ${digest}; see: sekisho pins show ${server} ${name}`,
    )
  return pin
}

/** What stands under the id now, where it is not what was approved. */
function strangerAt({ whereabouts, book }: PinsAtHand, server: string): string | undefined {
  const [now, before] = [whereabouts(server), book.identityOf(server)]
  return before === now ? undefined : now
}

/** Takes the server that stands under an id now for the one whose definitions were approved. */
export async function pinsAcceptServer(hand: PinsAtHand, server: string, by: string, reason = ''): Promise<Accepted> {
  const { store, book, seal } = hand
  const now = strangerAt(hand, server)
  if (now === undefined) throw new Error(`the server "${server}" is the one that was approved`)
  await store.setPinnedServer({ server, identity: now }, { by, at: systemClock.now(), reason }, seal)
  return { before: book.identityOf(server), now }
}

/** Goes back to what was approved before the newest approval. */
export async function pinsRollback(hand: PinsAtHand, server: string, name: string, by: string, reason = ''): Promise<Pin> {
  const { store, book, seal } = hand
  hand.whereabouts(server)
  const approved = book
    .pinsOf(server)
    .filter((pin) => pin.name === name && pin.standing === 'approved')
    .toSorted((a, b) => b.at - a.at || b.seenAt - a.seenAt)
  const [newest, before] = approved
  if (newest === undefined || before === undefined)
    throw new Error(`"${name}" has no version that was approved before; to have none: sekisho pins revoke ${server} ${name}`)
  const reviewer = { by, at: systemClock.now(), reason, twoPeople: false }
  await store.decidePins([decided(newest, 'revoke', reviewer)], seal)
  return before
}
