import type { Writable } from 'node:stream'

const waits = new WeakMap<Writable, Promise<undefined>>()

/** When a full stream takes more, or is gone. All who wait for one stream wait together: it has few listeners, however many write. */
export function drained(stream: Writable): Promise<undefined> {
  if (stream.destroyed) return Promise.resolve(undefined)
  let wait = waits.get(stream)
  if (wait === undefined) {
    wait = new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done).off('close', done)
        waits.delete(stream)
        resolve(undefined)
      }
      stream.on('drain', done).on('close', done)
    })
    waits.set(stream, wait)
  }
  return wait
}
