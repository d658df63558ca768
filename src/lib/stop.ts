/**
 * "Stop now, and why", told to whoever has to know. An AbortController in little: no events, no allocation until somebody
 * listens, because every message in the house carries one.
 */
export class Stop {
  #reason: unknown
  #listeners: Set<() => void> | undefined

  get stopped(): boolean {
    return this.#reason !== undefined
  }

  /** Why; undefined while it has not been stopped. */
  get reason(): unknown {
    return this.#reason
  }

  /** The first reason counts. */
  stop(reason: unknown): void {
    if (this.#reason !== undefined) return
    this.#reason = reason ?? new Error('stopped')
    for (const listener of this.#listeners ?? []) listener()
    this.#listeners = undefined
  }

  /** Calls back once when stopped; at once when it already is. */
  onStop(listener: () => void): void {
    if (this.stopped) listener()
    else (this.#listeners ??= new Set()).add(listener)
  }

  offStop(listener: () => void): void {
    this.#listeners?.delete(listener)
  }
}

/** For what nobody can stop. */
export const unstoppable = new Stop()

/** Waits `ms`, or until it is stopped. */
export function pause(ms: number, stop: Stop): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      stop.offStop(done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    stop.onStop(done)
  })
}

/** Runs something that is stopped with `reason()` when it takes longer than `ms`, or when what it is part of is stopped. */
export async function inTime<T>(
  ms: number,
  reason: () => Error,
  run: (stop: Stop) => Promise<T>,
  whole: Stop = unstoppable,
): Promise<T> {
  const stop = new Stop()
  const wholeStopped = (): void => stop.stop(whole.reason)
  whole.onStop(wholeStopped)
  const timer = setTimeout(() => stop.stop(reason()), ms)
  try {
    return await run(stop)
  } finally {
    clearTimeout(timer)
    whole.offStop(wholeStopped)
  }
}

/** What is wanted, or the reason to want it no longer. What was begun for it goes on by itself. */
export function unlessStopped<T>(stop: Stop, wanted: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopped = (): void => reject(stop.reason)
    stop.onStop(stopped)
    wanted.then(
      (value) => {
        stop.offStop(stopped)
        resolve(value)
      },
      (error: unknown) => {
        stop.offStop(stopped)
        reject(error)
      },
    )
  })
}
