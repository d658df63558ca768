import type { Severity } from './advisories-records.ts'

const weights: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
}
const privileges: Readonly<Record<string, readonly [unchanged: number, changed: number]>> = {
  N: [0.85, 0.85],
  L: [0.62, 0.68],
  H: [0.27, 0.5],
}

/** The base score of a vector (CVSS 3.1, section 7.1) as a word; `unknown` for another version, or what is none. */
export function severityOfVector(vector: string): Severity {
  const score = baseScore(vector)
  if (score === undefined) return 'unknown'
  return score >= 9 ? 'critical' : score >= 7 ? 'high' : score >= 4 ? 'medium' : score > 0 ? 'low' : 'unknown'
}

export function baseScore(vector: string): number | undefined {
  if (!/^CVSS:3\.[01]\//.test(vector)) return undefined
  const given = new Map(vector.split('/').map((part) => part.split(':') as [string, string]))
  const weight = (name: string): number => weights[name]?.[given.get(name) ?? ''] ?? Number.NaN
  const isChanged = given.get('S') === 'C'
  const privilege = privileges[given.get('PR') ?? '']?.[isChanged ? 1 : 0] ?? Number.NaN
  const impactBase = 1 - (1 - weight('C')) * (1 - weight('I')) * (1 - weight('A'))
  const impact = isChanged ? 7.52 * (impactBase - 0.029) - 3.25 * (impactBase - 0.02) ** 15 : 6.42 * impactBase
  const exploitability = 8.22 * weight('AV') * weight('AC') * privilege * weight('UI')
  if (Number.isNaN(impact + exploitability)) return undefined
  return impact <= 0 ? 0 : roundUp(Math.min((isChanged ? 1.08 : 1) * (impact + exploitability), 10))
}

/** To one place, upwards, as appendix A of the specification does it without the faults of floating point. */
function roundUp(value: number): number {
  const whole = Math.round(value * 100_000)
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10
}
