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

interface Told extends Omit<EgressRefusal, 'times'> {
  readonly at: number
  untold: number
}

export class Refusals {
  readonly #clock: Clock
  readonly #tell: (refusal: EgressRefusal) => void
  readonly #told = new Map<string, Told>()

  constructor(clock: Clock, tell: (refusal: EgressRefusal) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  add(host: string, port: number, why: EgressFault): void {
    const now = this.#clock.monotonic()
    const key = `${why} ${host}:${port}`
    const before = this.#told.get(key)
    const isQuiet = before !== undefined && now - before.at < quietMs
    if (isQuiet) before.untold++
    else this.#told.delete(key)
    this.#makeRoom(now)
    if (isQuiet || this.#told.size >= differentMax) return
    this.#told.set(key, { host, port, why, at: now, untold: 0 })
    this.#tell({ host, port, why, times: (before?.untold ?? 0) + 1 })
  }

  /** Tells how often what was told for the last time still came. */
  close(): void {
    this.#makeRoom(Number.POSITIVE_INFINITY)
  }

  /** What was told long enough ago is forgotten; if it came since, that is told first. The oldest stand first. */
  #makeRoom(now: number): void {
    for (const [key, { at, untold, ...refused }] of this.#told) {
      if (now - at < quietMs) return
      this.#told.delete(key)
      if (untold > 0) this.#tell({ ...refused, times: untold })
    }
  }
}
