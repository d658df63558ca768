import { systemClock } from '../../lib/clock.ts'
import type { Pin } from '../../trust/pin.ts'
import type { PinsAtHand } from '../with-pins.ts'

/**
 * After somebody without our key has removed records or put old ones back: what is there is ours again, and none of it is approved any
 * more. What a person has decided against stays so. Throws an Error where nothing is wrong.
 */
export async function pinsReseal({ store, book, seal }: PinsAtHand, by: string, reason = ''): Promise<readonly Pin[]> {
  if (book.tampered === undefined) throw new Error('nothing is wrong with what is kept of decisions')
  const at = systemClock.now()
  const pins = book.servers.flatMap((server) => book.pinsOf(server))
  const after = pins.map((pin): Pin => {
    const isNo = pin.standing === 'revoked' || pin.standing === 'rejected'
    return isNo ? pin : { ...pin, standing: 'held', by, at, reason: reason || 'resealed' }
  })
  const servers = book.servers.flatMap((server) => {
    const identity = book.identityOf(server)
    return identity === undefined ? [] : [{ server, identity }]
  })
  await store.resealPins(after, servers, { by, at, reason }, seal)
  return after
}
