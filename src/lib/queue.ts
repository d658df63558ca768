/** Values in order from whoever pushes to one reader who waits. Ends once; what was pushed before the end is still read. */
export class Queue<T> implements AsyncIterable<T> {
  readonly #values: T[] = []
  #waiting: { resolve(step: IteratorResult<T, undefined>): void; reject(error: unknown): void } | undefined
  #ended = false
  #error: unknown

  get length(): number {
    return this.#values.length
  }

  push(value: T): void {
    if (this.#ended) return
    const reader = this.#waiting
    this.#waiting = undefined
    if (reader) reader.resolve({ done: false, value })
    else this.#values.push(value)
  }

  /** No more values; with an error, the reader gets it after the last value. */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    const reader = this.#waiting
    this.#waiting = undefined
    if (error !== undefined) reader?.reject(error)
    else reader?.resolve({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#values.length > 0) return Promise.resolve({ done: false, value: this.#values.shift() as T })
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.next() }
  }
}
