/** Writes down what was decided about a server that comes in, before it can be reached: who it is, and each of its definitions. */
import { type ListedKind, lists } from '../../trust/definition.ts'
import type { Pin, PinStore, Seal } from '../../trust/pin.ts'
import type { PinBook } from '../../trust/pin-book.ts'
import { decided, type Reviewer } from '../../trust/review.ts'

export interface PinDown {
  readonly store: PinStore
  readonly seal: Seal
  readonly book: PinBook
  readonly id: string
  /** Where it stands, or how it is started. */
  readonly identity: string
  readonly pins: readonly Pin[]
  /** A person said yes to all of them; otherwise each waits. */
  readonly isApproved: boolean
  readonly reviewer: Reviewer
}

/** The pins as they stand now. What was approved of another server under this id is revoked. */
export async function pinDown({ store, seal, book, id, identity, pins, isApproved, reviewer }: PinDown): Promise<readonly Pin[]> {
  const { by, at, reason } = reviewer
  const after = pins.map((pin): Pin => {
    const held: Pin = { ...pin, server: id, standing: 'held', by, at, reason }
    return isApproved ? decided(held, 'approve', reviewer) : held
  })
  const keyOf = ({ kind, name, digest }: Pin): string => JSON.stringify([kind, name, digest])
  const wanted = new Set(after.map(keyOf))
  const earlier = book.pinsOf(id)
  const known = new Set(earlier.map(keyOf))
  const gone = earlier
    .filter((pin) => pin.standing === 'approved' && !wanted.has(keyOf(pin)))
    .map((pin) => decided(pin, 'revoke', { ...reviewer, reason: 'the id was given to a server that was added anew' }))
  await store.decidePins([...gone, ...after.filter((pin) => known.has(keyOf(pin)))], seal)
  await store.seePins(
    after.filter((pin) => !known.has(keyOf(pin))),
    seal,
  )
  // Every list has been read once: what is in none of them comes later, and is held against `pins.additions`.
  for (const kind of Object.keys(lists) as ListedKind[]) await store.seePins([], seal, { server: id, kind })
  await store.setPinnedServer({ server: id, identity }, { by, at, reason }, seal)
  return after
}
