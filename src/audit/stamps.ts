import { hash } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'

const sessionsMax = 1024

/** The two texts that most entries share with their neighbours, each made once. */
export class Stamps {
  readonly #clock: Clock
  readonly #sessions = new Map<string, string>()
  #at = Number.NaN
  #text = ''

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Now, ISO 8601 in UTC. */
  time(): string {
    const now = this.#clock.now()
    if (now !== this.#at) {
      this.#at = now
      this.#text = new Date(now).toISOString()
    }
    return this.#text
  }

  /** What the log calls a session: never its id, which opens it. */
  session(id: string | undefined): string | undefined {
    if (id === undefined) return undefined
    const known = this.#sessions.get(id)
    if (known !== undefined) return known
    const name = hash('sha256', id, 'hex').slice(0, 8)
    if (this.#sessions.size >= sessionsMax) this.#sessions.clear()
    this.#sessions.set(id, name)
    return name
  }
}
