import { Refusal } from '../pipeline/refusal.ts'

/** Entries that reach the disk together. */
export class Batch {
  lines = ''
  count = 0
  /** Whether somebody waits for it; a batch of outcomes alone can wait for company. */
  urgent = false
  #state: 'open' | 'stored' | 'failed' = 'open'
  #waiting: PromiseWithResolvers<void> | undefined

  add(text: string): void {
    this.lines += `${text}\n`
    this.count++
  }

  /** Undefined when it is on disk already. Rejects with AUDIT_UNAVAILABLE when it will never be. */
  whenStored(): Promise<void> | undefined {
    if (this.#state === 'stored') return undefined
    if (this.#state === 'failed') return Promise.reject(new Refusal('AUDIT_UNAVAILABLE'))
    if (this.#waiting === undefined) {
      this.#waiting = Promise.withResolvers()
      this.#waiting.promise.catch(() => {}) // somebody who stopped waiting is not an unhandled rejection
    }
    return this.#waiting.promise
  }

  stored(): void {
    this.#state = 'stored'
    this.lines = ''
    this.#waiting?.resolve()
  }

  failed(): void {
    this.#state = 'failed'
    this.lines = ''
    this.#waiting?.reject(new Refusal('AUDIT_UNAVAILABLE'))
  }
}
