/** The little arithmetic the bench needs. */

/** Nearest-rank percentile of ascending values; 0 where there are none. */
export function percentile(ascending: readonly number[], percent: number): number {
  return ascending[Math.max(0, Math.ceil((percent / 100) * ascending.length) - 1)] ?? 0
}

/** The middle value, or the mean of the middle two; null where there are none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const ascending = [...values].sort((a, b) => a - b)
  const middle = ascending.length >> 1
  return ascending.length % 2 === 1 ? ascending[middle]! : (ascending[middle - 1]! + ascending[middle]!) / 2
}
