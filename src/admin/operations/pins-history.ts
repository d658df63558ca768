import type { Decision, PinId } from '../../trust/pin.ts'
import type { PinsAtHand } from '../with-pins.ts'

export type PinDecision = PinId & Omit<Decision, 'at'> & { readonly at: string }

/** Every decision about the definitions of a server, or about one name, the newest first. */
export async function pinsHistory(
  { whereabouts, store }: PinsAtHand,
  server: string,
  name?: string,
): Promise<readonly PinDecision[]> {
  whereabouts(server)
  return (await store.pinDecisions(server, name)).map((one) => ({ ...one, at: new Date(one.at).toISOString() }))
}
