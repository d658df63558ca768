/**
 * The Merkle tree of RFC 6962 (section 2.1), kept as its peaks only: appending costs one leaf and, on average, one inner
 * hash; the root costs one hash a peak. Leaves are the chain's hashes, so a root speaks for every entry before it.
 */
import { hash } from 'node:crypto'

const hashBytes = 32

export class MerkleTree {
  size: number
  /** Roots of the perfect subtrees that the leaves fill, largest first: one for each bit of `size`. */
  readonly #peaks: Buffer[]
  readonly #leaf = Buffer.alloc(1 + hashBytes, 0x00)
  readonly #inner = Buffer.alloc(1 + 2 * hashBytes, 0x01)

  private constructor(size: number, peaks: Buffer[]) {
    this.size = size
    this.#peaks = peaks
  }

  static empty(): MerkleTree {
    return new MerkleTree(0, [])
  }

  /** Nothing is verified here: compare root() with a signed one before believing it. Undefined where the peaks do not fit the size. */
  static fromPeaks(size: number, peaks: Uint8Array): MerkleTree | undefined {
    if (peaks.length !== hashBytes * bitsOf(size)) return undefined
    const list = Array.from({ length: peaks.length / hashBytes }, (_, at) =>
      Buffer.from(peaks.subarray(at * hashBytes, (at + 1) * hashBytes)),
    )
    return new MerkleTree(size, list)
  }

  /** Appends a hash of 32 bytes, given in hex. */
  append(hex: string): void {
    this.#leaf.write(hex, 1, 'hex')
    let node: Buffer = hash('sha256', this.#leaf, 'buffer')
    for (let rest = this.size; rest % 2 === 1; rest = Math.floor(rest / 2)) node = this.#join(this.#peaks.pop() as Buffer, node)
    this.#peaks.push(node)
    this.size++
  }

  /** In hex. */
  root(): string {
    const [last, ...above] = [...this.#peaks].reverse()
    if (last === undefined) return hash('sha256', '', 'hex')
    return above.reduce((right, left) => this.#join(left, right), last).toString('hex')
  }

  peakBytes(): Buffer {
    return Buffer.concat(this.#peaks)
  }

  #join(left: Buffer, right: Buffer): Buffer {
    left.copy(this.#inner, 1)
    right.copy(this.#inner, 1 + hashBytes)
    return hash('sha256', this.#inner, 'buffer')
  }
}

function bitsOf(size: number): number {
  let bits = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2
  return bits
}
