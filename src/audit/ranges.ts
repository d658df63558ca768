/** A set of whole numbers, kept as ranges: millions of neighbours cost as much as one. */
export class Ranges {
  #list: [from: number, to: number][] = []

  add(from: number, to = from): void {
    const last = this.#list.at(-1)
    if (last !== undefined && from === last[1] + 1) last[1] = to
    else this.#list.push([from, to])
  }

  /** Whether it was there. */
  remove(value: number): boolean {
    const at = this.#list.findIndex(([from, to]) => from <= value && value <= to)
    if (at === -1) return false
    const [from, to] = this.#list[at] as [number, number]
    const rest: [number, number][] = [
      [from, value - 1],
      [value + 1, to],
    ]
    this.#list.splice(at, 1, ...rest.filter(([start, end]) => start <= end))
    return true
  }

  get count(): number {
    return this.#list.length
  }

  *[Symbol.iterator](): IterableIterator<readonly [from: number, to: number]> {
    yield* this.#list
  }
}
