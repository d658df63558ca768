/** Seeded randomness: the same seed and the same case number give the same case, on any machine. Never used outside tests. */

/** sfc32: small, fast, passes PractRand. */
export class Random {
  #a: number
  #b: number
  #c: number
  #d = 1

  /** One stream of numbers for each pair of seed and case. */
  constructor(seed: number, at = 0) {
    this.#a = seed | 0
    this.#b = (seed / 0x1_0000_0000) | 0
    this.#c = at | 0
    for (let round = 0; round < 12; round++) this.next()
  }

  /** 32 bits. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (this.#c << 21) | (this.#c >>> 11)
    this.#c = (this.#c + sum) | 0
    return sum >>> 0
  }

  /** A whole number from 0 to `end` - 1. */
  below(end: number): number {
    return end <= 1 ? 0 : Math.floor((this.next() / 0x1_0000_0000) * end)
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }

  /** Small numbers often, large ones seldom: 0 half of the time, 1 a quarter of it … at most `max`. */
  few(max: number): number {
    let count = 0
    while (count < max && this.once(2)) count++
    return count
  }
}
