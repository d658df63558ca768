/**
 * Findings of other analysers, CodeQL first of all, as SARIF 2.1.0 (OASIS) with GitHub's conventions: `security-severity` on the rule
 * goes before `level`. Whether a component may be admitted with them is a question of the worst that nobody has dismissed.
 */
import { parseStrict } from '../../lib/strict-json.ts'
import type { Severity } from './advisories-records.ts'
import { isAtLeast, type Quarantine } from './inventory-policy.ts'

export interface SarifFinding {
  readonly tool: string
  readonly rule: string
  readonly severity: Severity
  readonly message: string
  readonly file: string
  readonly line: number | undefined
  /** Somebody looked at it and let it stand (section 3.27.23). */
  readonly dismissed: boolean
}
export interface SarifReport {
  readonly findings: readonly SarifFinding[]
  /** Runs that say of themselves that they failed, or have no results at all: those looked at nothing. */
  readonly failed: readonly string[]
}
export type Gate = { readonly outcome: 'passed' | 'failed' | 'not-checked'; readonly why: string }

const runsMax = 100
const resultsMax = 100_000
const textMax = 268_435_456

interface Json {
  readonly [key: string]: unknown
}
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Throws an Error for what is no SARIF 2.1.0. */
export function readSarif(source: string): SarifReport {
  if (source.length > textMax) throw new Error(`it is longer than ${textMax} characters`)
  const document = object(parseStrict(source.replace(/^\uFEFF/, ''), 256))
  if (document['version'] !== '2.1.0' || !Array.isArray(document['runs'])) throw new Error('it is no SARIF of version 2.1.0')
  const runs = list(document['runs'])
  if (runs.length > runsMax) throw new Error(`it has more than ${runsMax} runs`)
  const findings = runs.flatMap(findingsOf)
  if (findings.length > resultsMax) throw new Error(`it has more than ${resultsMax} results`)
  return { findings, failed: runs.filter(isFailed).map(toolOf) }
}

const toolOf = (run: Json): string => text(object(object(run['tool'])['driver'])['name']) || 'unnamed'
const isFailed = (run: Json): boolean =>
  !Array.isArray(run['results']) || list(run['invocations']).some((one) => one['executionSuccessful'] === false)

function findingsOf(run: Json): readonly SarifFinding[] {
  const tool = toolOf(run)
  return list(run['results']).flatMap((result): SarifFinding[] => {
    // Section 3.27.9: whatever is not a failure needs nobody to act. Section 3.27.24: what is gone since the last time.
    if (!['fail', ''].includes(text(result['kind'])) || result['baselineState'] === 'absent') return []
    const rule = ruleOf(run, result)
    const place = object(object(list(result['locations'])[0])['physicalLocation'])
    const line = object(place['region'])['startLine']
    return [
      {
        tool,
        rule: text(result['ruleId']) || text(object(result['rule'])['id']) || text(rule['id']) || 'unnamed',
        severity: severityOf(result, rule),
        message: text(object(result['message'])['text']).slice(0, 300),
        file: text(object(place['artifactLocation'])['uri']).slice(0, 300),
        line: typeof line === 'number' ? line : undefined,
        dismissed: list(result['suppressions']).some(({ status }) => status === undefined || status === 'accepted'),
      },
    ]
  })
}

/** Of the driver or of one of its extensions (section 3.52): CodeQL has its rules in the packs. */
function ruleOf(run: Json, result: Json): Json {
  const reference = object(result['rule'])
  const component = object(reference['toolComponent'])
  const tool = object(run['tool'])
  const extensions = list(tool['extensions'])
  const holder = typeof component['index'] === 'number' ? object(extensions[component['index']]) : object(tool['driver'])
  const index = reference['index'] ?? result['ruleIndex']
  const rules = list(holder['rules'])
  const id = text(result['ruleId']) || text(reference['id'])
  const byIndex = typeof index === 'number' ? rules[index] : undefined
  return byIndex ?? [...rules, ...extensions.flatMap((one) => list(one['rules']))].find((one) => one['id'] === id) ?? {}
}

const levels: Readonly<Record<string, Severity>> = { error: 'high', warning: 'medium', note: 'low', none: 'unknown' }

function severityOf(result: Json, rule: Json): Severity {
  const given = object(rule['properties'])['security-severity'] ?? object(result['properties'])['security-severity']
  const score = typeof given === 'number' || (typeof given === 'string' && given.trim() !== '') ? Number(given) : Number.NaN
  if (!Number.isNaN(score))
    return score > 9 ? 'critical' : score >= 7 ? 'high' : score >= 4 ? 'medium' : score > 0 ? 'low' : 'unknown'
  const level = text(result['level']) || text(object(rule['defaultConfiguration'])['level']) || 'warning'
  return levels[level] ?? 'medium'
}

/** Whether what was analysed may be admitted. An analysis that failed is not one that found nothing. */
export function gateOf({ findings, failed }: SarifReport, refuseFrom: Quarantine): Gate {
  const worse = findings.filter(({ severity, dismissed }) => !dismissed && isAtLeast(severity, refuseFrom))
  if (worse.length > 0) return { outcome: 'failed', why: `${worse.length} of severity ${refuseFrom} or worse` }
  if (failed.length > 0) return { outcome: 'not-checked', why: `${failed.join(', ')} did not get to an end` }
  return {
    outcome: 'passed',
    why: `${findings.length === 1 ? '1 finding' : `${findings.length} findings`}, none of severity ${refuseFrom} or worse that is not dismissed`,
  }
}
