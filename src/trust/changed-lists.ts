/** Which lists are other ones for their readers, now that somebody has decided something. */
import { type ListedKind, lists } from './definition.ts'
import type { PinBook } from './pin-book.ts'

export interface ChangedList {
  readonly server: string
  readonly kind: ListedKind
}

export function changedSince(before: PinBook, now: PinBook): readonly ChangedList[] {
  return now.servers.flatMap((server) => {
    const isAnother = before.identityOf(server) !== undefined && before.identityOf(server) !== now.identityOf(server)
    const kinds = new Set(
      now
        .pinsOf(server)
        .filter(({ kind, name, digest, standing }) => {
          const earlier = before.standingOf(server, kind, name, digest)
          return earlier !== undefined && earlier !== standing
        })
        .map(({ kind }) => kind as string),
    )
    return (Object.keys(lists) as ListedKind[]).filter((kind) => isAnother || kinds.has(kind)).map((kind) => ({ server, kind }))
  })
}
