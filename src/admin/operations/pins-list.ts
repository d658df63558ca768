import type { DefinitionKind } from '../../trust/definition.ts'
import { type Pin, type PinState, stateOf } from '../../trust/pin.ts'
import type { PinsAtHand } from '../with-pins.ts'

export interface PinRow {
  readonly server: string
  readonly kind: DefinitionKind
  readonly name: string
  readonly state: PinState
  readonly versions: number
  /** ISO 8601: the newest decision about it, or when it was seen. */
  readonly at: string
  readonly by: string
  readonly reason: string
}

/** Every name that is known of one server or of all, the ones that wait for a decision first. */
export function pinsList({ servers, whereabouts, book }: PinsAtHand, server?: string): readonly PinRow[] {
  if (server !== undefined) whereabouts(server)
  const ids = server === undefined ? servers : [server]
  const rows = ids.flatMap((id) => {
    const names = Map.groupBy(book.pinsOf(id), ({ kind, name }) => `${kind} ${name}`)
    return [...names.values()].map(rowOf)
  })
  return rows.toSorted((a, b) => waiting(b) - waiting(a))
}

const waiting = ({ state }: PinRow): number => (state === 'changed' || state === 'new' ? 1 : 0)

function rowOf(versions: readonly Pin[]): PinRow {
  const [{ server, kind, name, by, at, reason }] = versions.toSorted((a, b) => b.at - a.at) as [Pin]
  return { server, kind, name, state: stateOf(versions), versions: versions.length, at: new Date(at).toISOString(), by, reason }
}
