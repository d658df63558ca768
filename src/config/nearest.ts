/** "Did you mean": the known word that a typing mistake most likely stood for. */

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

const fold = (word: string): string => word.toLowerCase().replace(/[_\s-]/g, '')

/** The closest of `known`, when a third of its letters or fewer differ; case, `-` and `_` do not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined
  const folded = fold(word)
  let best: { word: string; distance: number } | undefined
  for (const candidate of known) {
    const found = distance(folded, fold(candidate))
    if (
      found <= Math.max(1, Math.ceil(candidate.length / 3)) &&
      found < candidate.length &&
      (best === undefined || found < best.distance)
    )
      best = { word: candidate, distance: found }
  }
  return best?.word
}

/** What to do about an unknown word. */
export function suggest(word: string, known: readonly string[]): string {
  const close = nearest(word, known)
  if (close !== undefined) return `did you mean "${close}"?`
  return known.length === 0 ? 'remove it' : `known here: ${known.slice(0, 30).join(', ')}`
}
