/**
 * Calls that wait at a legacy server for an answer that a modern client brings with its next request. Held in this
 * process only, by an unguessable name inside the sealed requestState; each can be taken once, by the principal it is for.
 */
import { unguessable } from '../lib/random.ts'
import type { Stop } from '../lib/stop.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Flight } from './flight.ts'

export interface Hold {
  readonly flight: Flight
  /** Goes on with the call, over the link that it waits on, whichever link the answer came by. */
  resume(call: Cleared, answers: readonly Cleared[], stop: Stop): Flow
}

const holdMs = 5 * 60_000
const holdsPerPrincipalMax = 64

export class Suspended {
  readonly #holds = new Map<string, { hold: Hold; principal: string; timer: NodeJS.Timeout }>()

  put(hold: Hold, principal: string): string {
    let held = 0
    for (const entry of this.#holds.values()) if (entry.principal === principal) held++
    if (held >= holdsPerPrincipalMax)
      throw new Refusal('RATE_LIMITED', { detail: 'calls that wait for an answer', retryAfterS: 60 })
    const name = unguessable()
    const timer = setTimeout(() => void this.#take(name)?.flight.close(), holdMs)
    timer.unref()
    this.#holds.set(name, { hold, principal, timer })
    return name
  }

  /** Throws STATE_REFUSED when the call was taken before, has expired, or is somebody else's. */
  take(name: string, principal: string): Hold {
    const hold = this.#holds.get(name)?.principal === principal ? this.#take(name) : undefined
    if (!hold) throw new Refusal('STATE_REFUSED')
    return hold
  }

  async close(): Promise<void> {
    await Promise.all([...this.#holds.keys()].map((name) => this.#take(name)?.flight.close()))
  }

  #take(name: string): Hold | undefined {
    const entry = this.#holds.get(name)
    this.#holds.delete(name)
    clearTimeout(entry?.timer)
    return entry?.hold
  }
}
