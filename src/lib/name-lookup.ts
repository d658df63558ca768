/** Names to addresses, as the machine resolves them. */
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { inTime, type Stop, unlessStopped } from './stop.ts'

/** All addresses of a name. Rejects when there are none. */
export type NameLookup = (name: string) => Promise<readonly LookupAddress[]>

export const systemLookup: NameLookup = (name) => lookup(name, { all: true, order: 'verbatim' })

/** How long a name server may take, and for how long a domain whose server took longer is not asked about. */
const lateMs = 2000
const avoidedMs = 30_000

/**
 * The same, not more than `lookupsMax` at a time. A lookup cannot be called off, and each takes one of the four threads that also
 * read our files: whoever names many hosts whose name servers never answer would bring the rest of the program to a halt. Each
 * domain has one place, and they take turns, so that the names of one stranger keep only each other waiting.
 */
export function atMostAtOnce(lookupsMax: number, look: NameLookup): (name: string, stop: Stop) => ReturnType<NameLookup> {
  const waiting = new Map<string, (() => void)[]>()
  const busy = new Set<string>()
  /** Domains whose name servers are not answering. */
  const late = new Set<string>()

  /** Those who wait for a domain that can be asked about, or need not wait for it any more. */
  function proceed(): void {
    for (const [domain, turns] of waiting) {
      if (late.has(domain)) for (const turn of turns.splice(0)) turn()
      else if (busy.size < lookupsMax && !busy.has(domain)) {
        busy.add(domain)
        turns.shift()?.()
      } else continue
      waiting.delete(domain)
      // Behind the others.
      if (turns.length > 0) waiting.set(domain, turns)
    }
  }
  function leave(domain: string): void {
    busy.delete(domain)
    if (late.has(domain)) setTimeout(() => late.delete(domain), avoidedMs).unref()
    proceed()
  }
  function isLate(domain: string): void {
    late.add(domain)
    proceed()
  }

  return async (name, stop) => {
    const domain = domainOf(name)
    const turn = new Promise<void>((resolve) => {
      const turns = waiting.get(domain)
      if (turns === undefined) waiting.set(domain, [resolve])
      else turns.push(resolve)
    })
    proceed()
    await turn
    if (late.has(domain)) throw noAnswer()
    if (stop.stopped) {
      leave(domain)
      throw stop.reason
    }
    const timer = setTimeout(isLate, lateMs, domain)
    const answer = look(name).finally(() => {
      clearTimeout(timer)
      leave(domain)
    })
    return inTime(lateMs, noAnswer, (soon) => unlessStopped(soon, answer), stop)
  }
}

const noAnswer = (): Error => new Error('no answer of the name server')

/** The part of a name that somebody had to register: its last two labels, or three under `co.uk` and the like. */
function domainOf(name: string): string {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.')
  const [second = '', top = ''] = labels.slice(-2)
  return labels.slice(top.length === 2 && second.length <= 3 ? -3 : -2).join('.')
}
