/**
 * Requests for access and logins that somebody has begun and not ended. Anybody can begin one, and each is kept for minutes:
 * there is room for so many of them, of all strangers together. In memory; after a restart those of before are not counted.
 */
export class Waiting {
  readonly #max: number
  readonly #lifetimeMs: number
  /** The moment each ends at by itself, oldest first. */
  readonly #untils = new Map<string, number>()
  constructor(max: number, lifetimeMs: number) {
    this.#max = max
    this.#lifetimeMs = lifetimeMs
  }

  hasRoom(now: number): boolean {
    for (const [name, until] of this.#untils) {
      if (until > now) break
      this.#untils.delete(name)
    }
    return this.#untils.size < this.#max
  }

  begun(name: string, now: number): void {
    this.#untils.delete(name)
    this.#untils.set(name, now + this.#lifetimeMs)
  }

  ended(name: string): void {
    this.#untils.delete(name)
  }
}
