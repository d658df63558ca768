/**
 * Glob patterns for names: `*` is any run of characters, `?` any one, everything else itself, case-sensitive.
 * No regular expression is built: a subject comes from strangers.
 */
export type Glob = (subject: string) => boolean

export function glob(pattern: string): Glob {
  if (pattern === '*') return () => true
  if (!/[*?]/.test(pattern)) return (subject) => subject === pattern
  return (subject) => matches(pattern, subject)
}

export function anyGlob(patterns: readonly string[]): Glob {
  const globs = patterns.map(glob)
  return (subject) => globs.some((one) => one(subject))
}

/** Linear in practice and at most |pattern| x |subject|: on a mismatch only the latest `*` is tried again. */
function matches(pattern: string, subject: string): boolean {
  let p = 0
  let s = 0
  let star = -1
  let retry = 0
  while (s < subject.length) {
    if (pattern[p] === '*') {
      star = p++
      retry = s
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === subject[s])) {
      p++
      s++
    } else if (star !== -1) {
      p = star + 1
      s = ++retry
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
