/**
 * What a server was refused, told once and not a thousand times: a server that tries in a loop must not fill the audit log. The
 * same refusal is told again after a while, with how often it came in between.
 */
import type { Clock } from '../../../lib/clock.ts'
import type { EgressFault } from './destination.ts'

export interface EgressRefusal {
  readonly host: string
  readonly port: number
  readonly why: EgressFault
  /** How often since it was last told, this one included. */
  readonly times: number
}

const quietMs = 60_000
/** Different ones within that time; what comes beyond them is refused all the same, and not told. */
const differentMax = 100

export class Refusals {
  readonly #clock: Clock
  readonly #tell: (refusal: EgressRefusal) => void
  readonly #told = new Map<string, { at: number; untold: number }>()

  constructor(clock: Clock, tell: (refusal: EgressRefusal) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  add(host: string, port: number, why: EgressFault): void {
    const now = this.#clock.monotonic()
    const key = `${why} ${host}:${port}`
    for (const [one, { at, untold }] of this.#told) if (now - at >= quietMs && untold === 0 && one !== key) this.#told.delete(one)
    const before = this.#told.get(key)
    if (before === undefined && this.#told.size >= differentMax) return
    if (before !== undefined && now - before.at < quietMs) {
      before.untold++
      return
    }
    this.#told.set(key, { at: now, untold: 0 })
    this.#tell({ host, port, why, times: (before?.untold ?? 0) + 1 })
  }
}
