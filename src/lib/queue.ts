/**
 * Values in order from whoever pushes to one reader who waits. Ends once; what was pushed before the end is still read,
 * unless the reader has gone.
 */
export class Queue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #ends: () => void
  #values: { readonly value: T; readonly weight: number }[] = []
  /** Of what has not been read. */
  weight = 0
  #waiting: { resolve(step: IteratorResult<T, undefined>): void; reject(error: unknown): void } | undefined
  #ended = false
  #error: unknown

  /** `ends` is told once, when nothing more is taken. */
  constructor(ends: () => void = () => undefined) {
    this.#ends = ends
  }

  push(value: T, weight = 0): void {
    if (this.#ended) return
    const reader = this.#waiting
    this.#waiting = undefined
    if (reader) reader.resolve({ done: false, value })
    else {
      this.#values.push({ value, weight })
      this.weight += weight
    }
  }

  /** No more values; with an error, the reader gets it after the last value. */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#ends()
    const reader = this.#waiting
    this.#waiting = undefined
    if (error !== undefined) reader?.reject(error)
    else reader?.resolve({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const first = this.#values.shift()
    if (first) {
      this.weight -= first.weight
      return Promise.resolve({ done: false, value: first.value })
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /** The reader goes: nothing is kept for it any more. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#values = []
    this.weight = 0
    this.end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
