/** How long a value is, roughly; it stops counting soon after `enough`. */
export function charsOf(value: unknown, enough: number): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 8
  let chars = 2
  for (const [key, member] of Object.entries(value)) {
    chars += key.length + charsOf(member, enough - chars)
    if (chars > enough) break
  }
  return chars
}
