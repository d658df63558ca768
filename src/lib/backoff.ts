import { pause, type Stop } from './stop.ts'

const waitMsMin = 1000
const waitMsMax = 30_000

/** How long to wait before something that failed is tried again: longer each time, until it has succeeded. */
export class Backoff {
  #waitMs = waitMsMin

  /** Resolves early when it is stopped. */
  wait(stop: Stop): Promise<void> {
    const waitMs = this.#waitMs
    this.#waitMs = Math.min(2 * waitMs, waitMsMax)
    return pause(waitMs, stop)
  }

  succeeded(): void {
    this.#waitMs = waitMsMin
  }
}
