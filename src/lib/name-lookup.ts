/** Names to addresses, as the machine resolves them. */
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import type { Stop } from './stop.ts'

/** All addresses of a name. Rejects when there are none. */
export type NameLookup = (name: string) => Promise<readonly LookupAddress[]>

export const systemLookup: NameLookup = (name) => lookup(name, { all: true, order: 'verbatim' })

/**
 * The same, not more than `lookupsMax` at a time. A lookup cannot be called off, and each takes one of the four threads that also
 * read our files: whoever names many hosts whose name servers never answer would bring the rest of the program to a halt.
 */
export function atMostAtOnce(lookupsMax: number, look: NameLookup): (name: string, stop: Stop) => ReturnType<NameLookup> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (name, stop) => {
    while (running >= lookupsMax) await new Promise<void>((resolve) => waiting.push(resolve))
    if (stop.stopped) {
      waiting.shift()?.()
      throw stop.reason
    }
    running += 1
    try {
      return await look(name)
    } finally {
      running -= 1
      waiting.shift()?.()
    }
  }
}
