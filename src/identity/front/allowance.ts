/**
 * How often each address may do what anybody may do: a bucket that fills at a steady rate. An IPv6 network of 64 bits is one
 * address, because one subscriber has all of it. Whoever was not seen for longest makes room.
 */
export interface AllowanceOptions {
  readonly burst: number
  readonly perMinute: number
}

interface Bucket {
  left: number
  at: number
}

const addressesMax = 10_000
const minuteMs = 60_000

export class Allowance {
  readonly #options: AllowanceOptions
  readonly #buckets = new Map<string, Bucket>()
  constructor(options: AllowanceOptions) {
    this.#options = options
  }

  /** Seconds to wait, or 0 for now. */
  take(remote: string | undefined, now: number): number {
    const { burst, perMinute } = this.#options
    const key = networkOf(remote)
    const { left, at } = this.#buckets.get(key) ?? { left: burst, at: now }
    const filled = Math.min(burst, left + (Math.max(0, now - at) * perMinute) / minuteMs)
    const isEnough = filled >= 1
    this.#buckets.delete(key)
    this.#buckets.set(key, { left: isEnough ? filled - 1 : filled, at: now })
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > addressesMax && oldest !== undefined) this.#buckets.delete(oldest)
    return isEnough ? 0 : Math.max(1, Math.ceil(((1 - filled) * 60) / perMinute))
  }

  /** What was taken last has turned out to be nothing to count. */
  giveBack(remote: string | undefined): void {
    const bucket = this.#buckets.get(networkOf(remote))
    if (bucket !== undefined) bucket.left = Math.min(this.#options.burst, bucket.left + 1)
  }
}

function networkOf(remote = 'nowhere'): string {
  if (!remote.includes(':')) return remote
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remote)?.[1]
  if (mapped !== undefined) return mapped
  const [head = '', tail] = remote.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const whole = [...groups, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...(tail?.split(':') ?? [])]
  return whole.slice(0, 4).join(':')
}
