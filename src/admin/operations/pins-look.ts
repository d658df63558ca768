import { systemClock } from '../../lib/clock.ts'
import { heldPins } from '../../trust/fresh.ts'
import { PinBook } from '../../trust/pin-book.ts'
import type { PinsAtHand } from '../with-pins.ts'

/**
 * Asks a server what it says of itself now, before a client may: what is not approved of it waits for a decision from now on. The
 * way to see what a new version of a server brings, while nobody can call it yet.
 */
export async function pinsLook(hand: PinsAtHand, server: string, by: string): Promise<PinsAtHand> {
  const { store, seal, whereabouts, look } = hand
  whereabouts(server)
  const definitions = await look(server, by)
  const pins = heldPins({ server, book: hand.book, by, at: systemClock.now() }, definitions)
  await store.seePins(pins, seal)
  return { ...hand, book: new PinBook(await store.keptPins(), seal) }
}
