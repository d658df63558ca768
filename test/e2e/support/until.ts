/** Waiting for something to become so, with a deadline; the only way these tests wait. */
import { setTimeout as wait } from 'node:timers/promises'

type Falsy = undefined | null | false

/** Looks every few milliseconds until `look` gives something. Throws with `what` when it never does. */
export async function until<T>(what: string, look: () => T | Falsy | Promise<T | Falsy>, deadlineMs = 15_000): Promise<T> {
  const began = performance.now()
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== null && seen !== false) return seen
    if (performance.now() - began > deadlineMs) throw new Error(`after ${deadlineMs} ms still not: ${what}`)
    await wait(20)
  }
}

/** A promise that must settle in time. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
