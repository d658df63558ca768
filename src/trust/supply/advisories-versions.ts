/**
 * Which of two versions is later, as the ecosystem says: npm by Semantic Versioning 2.0 (section 11), PyPI by PEP 440. What is no
 * version there compares with nothing, and so nothing is concluded from it.
 */
export type Ecosystem = 'npm' | 'pypi'

/** Something to compare with `<`; undefined for what is no version. */
export function readVersion(ecosystem: Ecosystem, text: string): Version | undefined {
  return text.length > textMax ? undefined : ecosystem === 'npm' ? semver(text) : pep440(text)
}

/** Compared place by place. Numbers come before texts, and a shorter list before a longer one that begins with it. */
export type Version = readonly Part[]
type Part = bigint | string | Version

const textMax = 256

/** Negative, zero or positive. */
export function compareVersions(one: Version, two: Version): number {
  for (let at = 0; at < Math.max(one.length, two.length); at++) {
    const [a, b] = [one[at], two[at]]
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1
    const order = compareParts(a, b)
    if (order !== 0) return order
  }
  return 0
}

function compareParts(a: Part, b: Part): number {
  if (Array.isArray(a) && Array.isArray(b)) return compareVersions(a, b)
  const rank = (part: Part): number => (typeof part === 'bigint' ? 0 : typeof part === 'string' ? 1 : 2)
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  return a < b ? -1 : a > b ? 1 : 0
}

/** After every number and every text. */
const last: Part = []

function semver(text: string): Version | undefined {
  const [, major, minor, patch, before] =
    /^[v=\s]*(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text.trim()) ?? []
  if (major === undefined || minor === undefined || patch === undefined) return undefined
  const identifiers = before?.split('.').map((one) => (/^\d+$/.test(one) ? BigInt(one) : one))
  return [BigInt(major), BigInt(minor), BigInt(patch), identifiers ?? [last]]
}

const pattern =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|alpha|b|beta|c|rc|pre|preview)[-_.]?(\d*))?(?:(?:-(\d+))|(?:[-_.]?(post|rev|r)[-_.]?(\d*)))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/

/** PEP 440, "Summary of permitted suffixes and relative ordering". */
function pep440(text: string): Version | undefined {
  const found = pattern.exec(text.trim().toLowerCase())
  if (found === null) return undefined
  const [, epoch, release = '', phase, phaseNumber, implicit, post, postNumber, dev, devNumber, local] = found
  const number = (digits: string | undefined): bigint => BigInt(digits || '0')
  const numbers = release.split('.').map(BigInt)
  while (numbers.length > 1 && numbers.at(-1) === 0n) numbers.pop()
  const isPost = implicit !== undefined || post !== undefined
  const phases: Readonly<Record<string, string>> = { alpha: 'a', beta: 'b', c: 'rc', pre: 'rc', preview: 'rc' }
  const isEarliest = phase === undefined && !isPost && dev !== undefined
  const pre: Version = phase !== undefined ? [0n, phases[phase] ?? phase, number(phaseNumber)] : [isEarliest ? -1n : 1n]
  return [
    number(epoch),
    numbers,
    pre,
    isPost ? number(implicit ?? postNumber) : -1n,
    dev === undefined ? last : number(devNumber),
    local === undefined ? [] : local.split(/[-_.]/).map((one) => (/^\d+$/.test(one) ? [1n, BigInt(one)] : [0n, one])),
  ]
}
