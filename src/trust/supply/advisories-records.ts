/**
 * Records of known vulnerabilities, in the two forms in which they are handed round: OSV (ossf.github.io/osv-schema, 1.7), and the
 * answers of GitHub's advisory API. Only what is needed to match packages of npm and PyPI, and commits, is kept.
 */
import { parseStrict } from '../../lib/strict-json.ts'
import { severityOfVector } from './advisories-cvss.ts'
import { type GitRange, gitRangeOf } from './advisories-git.ts'
import type { Ecosystem } from './advisories-versions.ts'

export const severities = ['unknown', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

/** A bound of a range, in the order in which they stand. */
export type Bound = { readonly kind: 'introduced' | 'fixed' | 'last'; readonly version: string }
export interface Affected {
  readonly ecosystem: Ecosystem
  /** As the ecosystem compares names: PyPI in small letters with dashes. */
  readonly name: string
  readonly versions: readonly string[]
  readonly ranges: readonly (readonly Bound[])[]
}
export interface Advisory {
  readonly id: string
  readonly aliases: readonly string[]
  readonly summary: string
  readonly severity: Severity
  /** Milliseconds since 1970. */
  readonly modified: number
  readonly affected: readonly Affected[]
  readonly git: readonly GitRange[]
}

export type ReadRecord = { readonly advisory: Advisory } | { readonly withdrawn: string; readonly modified: number } | undefined

interface Json {
  readonly [key: string]: unknown
}
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : [])
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [])

/** Undefined for what is no such record. Throws JsonRefused for what is no JSON. */
export function readAdvisories(source: string): readonly Exclude<ReadRecord, undefined>[] {
  const document = parseStrict(source, 64)
  const all = Array.isArray(document) ? document : [document]
  return all.flatMap((one) => {
    const record = object(one)
    const read = 'ghsa_id' in record ? readGithub(record) : readOsv(record)
    return read === undefined ? [] : [read]
  })
}

const timeOf = (...given: readonly unknown[]): number => {
  const parsed = given.map((one) => Date.parse(text(one) ?? '')).find((one) => !Number.isNaN(one))
  return parsed ?? 0
}

function readOsv(record: Json): ReadRecord {
  const id = text(record['id'])
  if (id === undefined || !Array.isArray(record['affected'])) return undefined
  const modified = timeOf(record['modified'], record['published'])
  if (text(record['withdrawn']) !== undefined) return { withdrawn: id, modified }
  const affected = list(record['affected']).flatMap((one) => {
    const of = packageOf(object(one['package']))
    const ranges = list(one['ranges']).filter(({ type }) => type === 'SEMVER' || type === 'ECOSYSTEM')
    return of === undefined
      ? []
      : [{ ...of, versions: texts(one['versions']), ranges: ranges.map((range) => boundsOf(list(range['events']))) }]
  })
  const git = list(record['affected']).flatMap((one) =>
    list(one['ranges']).flatMap((range) => gitRangeOf(range, boundsOf(list(range['events']))) ?? []),
  )
  const vectors = [...list(record['severity']), ...list(record['affected']).flatMap((one) => list(one['severity']))]
  const word = text(object(record['database_specific'])['severity'])
  return {
    advisory: {
      id,
      aliases: texts(record['aliases']),
      summary: (text(record['summary']) ?? text(record['details']) ?? '').slice(0, 300),
      severity: severityOf(word) ?? highest(vectors.map(({ score }) => severityOfVector(text(score) ?? ''))),
      modified,
      affected,
      git,
    },
  }
}

const highest = (given: readonly Severity[]): Severity =>
  given.reduce((best, one) => (severities.indexOf(one) > severities.indexOf(best) ? one : best), 'unknown' as Severity)

function severityOf(word: string | undefined): Severity | undefined {
  const found = word?.toLowerCase().replace('moderate', 'medium')
  return severities.find((one) => one === found)
}

const boundsOf = (events: readonly Json[]): readonly Bound[] =>
  events.flatMap((event): Bound[] => {
    const [introduced, fixed, last] = [event['introduced'], event['fixed'], event['last_affected']].map(text)
    if (introduced !== undefined) return [{ kind: 'introduced', version: introduced }]
    if (fixed !== undefined) return [{ kind: 'fixed', version: fixed }]
    return last === undefined ? [] : [{ kind: 'last', version: last }]
  })

function packageOf(given: Json): Pick<Affected, 'ecosystem' | 'name'> | undefined {
  const ecosystem = text(given['ecosystem'])?.toLowerCase().split(':')[0]
  const name = text(given['name'])
  if (name === undefined) return undefined
  if (ecosystem === 'npm') return { ecosystem, name }
  return ecosystem === 'pypi' || ecosystem === 'pip'
    ? { ecosystem: 'pypi', name: name.toLowerCase().replace(/[-_.]+/g, '-') }
    : undefined
}

/** GitHub's REST form: ranges are words, `>= 1.0, < 2.0`. */
function readGithub(record: Json): ReadRecord {
  const id = text(record['ghsa_id']) as string
  const modified = timeOf(record['updated_at'], record['published_at'])
  if (text(record['withdrawn_at']) !== undefined) return { withdrawn: id, modified }
  const affected = list(record['vulnerabilities']).flatMap((one) => {
    const of = packageOf(object(one['package']))
    const bounds = boundsOfWords(text(one['vulnerable_version_range']) ?? '')
    return of === undefined ? [] : [{ ...of, versions: bounds.versions, ranges: bounds.ranges }]
  })
  const cve = text(record['cve_id'])
  return {
    advisory: {
      id,
      aliases: cve === undefined ? [] : [cve],
      summary: (text(record['summary']) ?? '').slice(0, 300),
      severity: severityOf(text(record['severity'])) ?? 'unknown',
      modified,
      affected,
      git: [],
    },
  }
}

/** `= 1.0` is a version, everything else a range; `> 1.0` is taken as `>= 1.0`, for nothing says what comes next. */
function boundsOfWords(words: string): { versions: readonly string[]; ranges: readonly (readonly Bound[])[] } {
  const parts = words.split(',').map((part) => /^\s*(>=|<=|>|<|=)\s*(\S+)\s*$/.exec(part))
  if (words === '' || parts.some((part) => part === null))
    return { versions: [], ranges: [[{ kind: 'introduced', version: '0' }]] }
  const of = (sign: RegExp): string | undefined => parts.find((part) => sign.test(part?.[1] ?? ''))?.[2]
  const exact = of(/^=$/)
  if (exact !== undefined) return { versions: [exact], ranges: [] }
  const [below, upTo] = [of(/^<$/), of(/^<=$/)]
  return {
    versions: [],
    ranges: [
      [
        { kind: 'introduced', version: of(/^>=?$/) ?? '0' },
        ...(below === undefined ? [] : [{ kind: 'fixed', version: below } as const]),
        ...(upTo === undefined ? [] : [{ kind: 'last', version: upTo } as const]),
      ],
    ],
  }
}
