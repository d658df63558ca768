/** What a person decides about a pin, and when their word alone is not enough (approver ≠ requester). */
import type { Decision, Pin } from './pin.ts'

export type Wish = 'approve' | 'reject' | 'revoke'

export interface Reviewer {
  readonly by: string
  readonly at: number
  readonly reason: string
  /** One person proposes an approval, and another approves. */
  readonly twoPeople: boolean
}

/** The pin as it stands after the decision. Throws an Error that says why it cannot be decided so. */
export function decided(pin: Pin, wish: Wish, { by, at, reason, twoPeople }: Reviewer): Pin {
  const now = (standing: Decision['standing']): Pin => ({ ...pin, standing, by, at, reason })
  const name = `${pin.kind} "${pin.name}" (${pin.digest.slice(0, 12)})`
  if (wish === 'revoke') {
    if (pin.standing !== 'approved') throw new Error(`${name} is ${pin.standing}, and only what is approved can be revoked`)
    return now('revoked')
  }
  if (wish === 'reject') {
    if (pin.standing === 'approved') throw new Error(`${name} is approved; to take that back: sekisho pins revoke`)
    return now('rejected')
  }
  if (pin.standing === 'approved') throw new Error(`${name} is approved already`)
  if (!twoPeople) return now('approved')
  if (pin.standing !== 'proposed') return now('proposed')
  if (pin.by === by) throw new Error(`${name} was proposed by ${by}; somebody else has to approve it`)
  return now('approved')
}

/** The version that a person means who gives only a name: the newest that waits for a decision, else the newest that is approved. */
export function meant(versions: readonly Pin[], wish: Wish): Pin | undefined {
  const newest = (...standings: readonly Pin['standing'][]): Pin | undefined =>
    versions.filter(({ standing }) => standings.includes(standing)).toSorted((a, b) => b.seenAt - a.seenAt || b.at - a.at)[0]
  if (wish === 'revoke') return newest('approved')
  const decidedAgainst = versions.filter(({ standing }) => standing === 'rejected' || standing === 'revoked')
  // Of several that people have said no to, nobody means one by not saying which.
  return newest('held', 'proposed') ?? (wish === 'approve' && decidedAgainst.length === 1 ? decidedAgainst[0] : undefined)
}
