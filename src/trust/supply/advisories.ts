/**
 * Which components of an inventory are known to be vulnerable. Three answers, and the third is not a yes: affected, nothing known, or
 * not checked, with the reason: no version, an ecosystem that the database has nothing about, or a database that is too old.
 */

import { commitIn } from './advisories-git.ts'
import { type Advisory, type Affected, type ReadRecord, type Severity, severities } from './advisories-records.ts'
import { compareVersions, type Ecosystem, readVersion, type Version } from './advisories-versions.ts'
import type { Component } from './inventory-component.ts'
import { refOf } from './inventory-component.ts'
import { readPurl } from './inventory-purl.ts'
import { repositoryName } from './repository-name.ts'

export interface AdvisoryMatch {
  readonly id: string
  readonly aliases: readonly string[]
  readonly severity: Severity
  readonly summary: string
  /** The versions in which it is mended, as far as the record says. */
  readonly fixedIn: readonly string[]
}

export interface AdvisoryReport {
  readonly ref: string
  readonly name: string
  readonly version: string | undefined
  readonly usedBy: readonly string[]
  readonly outcome: 'affected' | 'none-known' | 'not-checked'
  /** Why it was not checked. */
  readonly why?: string
  readonly matches: readonly AdvisoryMatch[]
}

/** In memory, by package. */
export class AdvisoryDatabase {
  readonly #byPackage = new Map<string, Advisory[]>()
  readonly #seen = new Map<string, { readonly modified: number; readonly advisory: Advisory | undefined }>()
  #newest = 0

  /** The latest record of an id counts; one that was withdrawn takes the earlier one away. */
  add(record: Exclude<ReadRecord, undefined>): void {
    const [id, modified] =
      'withdrawn' in record ? [record.withdrawn, record.modified] : [record.advisory.id, record.advisory.modified]
    this.#newest = Math.max(this.#newest, modified)
    const before = this.#seen.get(id)
    if (before !== undefined && before.modified >= modified) return
    this.#seen.set(id, { modified, advisory: 'withdrawn' in record ? undefined : record.advisory })
    this.#byPackage.clear()
  }

  get size(): number {
    return this.#seen.size
  }

  /** When its newest record was written, in milliseconds since 1970; undefined while it is empty. */
  get newest(): number | undefined {
    return this.#newest === 0 ? undefined : this.#newest
  }

  knows(ecosystem: Ecosystem): boolean {
    this.#index()
    return this.#byPackage.has(`${ecosystem} `)
  }

  of(ecosystem: Ecosystem, name: string): readonly Advisory[] {
    this.#index()
    return this.#byPackage.get(`${ecosystem} ${name}`) ?? []
  }

  /** Advisories about commits of a repository, as {@link repositoryName} spells it. */
  about(repository: string): readonly Advisory[] {
    return [...this.#seen.values()].flatMap(({ advisory }) =>
      advisory?.git.some((range) => range.repository === repository) ? [advisory] : [],
    )
  }

  #index(): void {
    if (this.#byPackage.size > 0) return
    for (const { advisory } of this.#seen.values())
      for (const { ecosystem, name } of advisory?.affected ?? [])
        for (const key of [`${ecosystem} `, `${ecosystem} ${name}`]) {
          const held = this.#byPackage.get(key)
          if (held === undefined) this.#byPackage.set(key, advisory === undefined ? [] : [advisory])
          else if (key.endsWith(name) && advisory !== undefined && !held.includes(advisory)) held.push(advisory)
        }
  }
}

export interface AdvisoryOptions {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly ageDaysMax: number
}
const dayMs = 86_400_000

/** How old the database is, in whole days; undefined while it is empty. */
export const ageDays = ({ newest }: AdvisoryDatabase, now: number): number | undefined =>
  newest === undefined ? undefined : Math.max(0, Math.floor((now - newest) / dayMs))

/** One report a component, in the order of the inventory; services have no packages and are left out. */
export function checkAdvisories(
  inventory: readonly Component[],
  database: AdvisoryDatabase,
  { now, ageDaysMax }: AdvisoryOptions,
): readonly AdvisoryReport[] {
  const age = ageDays(database, now)
  const stale = age === undefined ? 'the database is empty' : age > ageDaysMax ? `the database is ${age} days old` : undefined
  return inventory
    .filter(({ kind, purl }) => purl !== undefined || kind === 'package' || kind === 'container')
    .map((one) => reportOf(one, database, stale))
}

function reportOf(component: Component, database: AdvisoryDatabase, stale: string | undefined): AdvisoryReport {
  const { name, version, usedBy, purl } = component
  const head = { ref: refOf(component), name, version, usedBy }
  const unchecked = (why: string): AdvisoryReport => ({ ...head, outcome: 'not-checked', why, matches: [] })
  const repository = component.commit === undefined ? undefined : repositoryName(component.source)
  if (repository !== undefined) return ofCommit(head, repository, component.commit as string, database)
  const parts = purl === undefined ? undefined : readPurl(purl)
  if (parts === undefined) return unchecked('it has no package URL')
  if (parts.type !== 'npm' && parts.type !== 'pypi') return unchecked(`nothing is known here about ${parts.type}`)
  const ecosystem = parts.type
  if (!database.knows(ecosystem)) return unchecked(stale ?? `the database has nothing about ${ecosystem}`)
  const asked = parts.version === undefined ? undefined : readVersion(ecosystem, parts.version)
  if (asked === undefined) return unchecked(version === undefined ? 'its version is not known' : `"${version}" is no version`)
  const found = database.of(ecosystem, parts.name).flatMap((advisory) => {
    const touched = advisory.affected.filter(
      (one) => one.ecosystem === ecosystem && one.name === parts.name && isAffected(one, parts.version as string, asked),
    )
    return touched.length === 0 ? [] : [matchOf(advisory, touched)]
  })
  // What an old database knows is still so; what it does not know may have changed.
  if (found.length > 0) return { ...head, outcome: 'affected', matches: found.sort(worstFirst) }
  return stale === undefined ? { ...head, outcome: 'none-known', matches: [] } : unchecked(stale)
}

/** Never a clean answer: what is known of packages by their versions says nothing about a commit. */
function ofCommit(
  head: Pick<AdvisoryReport, 'ref' | 'name' | 'version' | 'usedBy'>,
  repository: string,
  commit: string,
  database: AdvisoryDatabase,
): AdvisoryReport {
  const about = database.about(repository).map((advisory) => {
    const ranges = advisory.git.filter((range) => range.repository === repository)
    return { advisory, ranges, has: ranges.map((range) => commitIn(range, commit)) }
  })
  const found = about.filter(({ has }) => has.includes('affected'))
  if (found.length > 0) {
    const matches = found.map(({ advisory, ranges }) => matchOf(advisory, [{ ranges: ranges.map(({ bounds }) => bounds) }]))
    return { ...head, outcome: 'affected', matches: matches.sort(worstFirst) }
  }
  const open = about.filter(({ has }) => has.includes('unknown')).map(({ advisory }) => advisory.id)
  const why =
    open.length > 0
      ? `only the history of ${repository} tells whether its commit has ${open.slice(0, 5).join(', ')}`
      : 'it is a commit, and advisories are about versions'
  return { ...head, outcome: 'not-checked', why, matches: [] }
}

const worstFirst = (a: AdvisoryMatch, b: AdvisoryMatch): number =>
  severities.indexOf(b.severity) - severities.indexOf(a.severity) || (a.id < b.id ? -1 : 1)

const matchOf = ({ id, aliases, severity, summary }: Advisory, touched: readonly Pick<Affected, 'ranges'>[]): AdvisoryMatch => ({
  ...{ id, aliases, severity, summary },
  fixedIn: [
    ...new Set(
      touched.flatMap(({ ranges }) => ranges.flat().flatMap(({ kind, version }) => (kind === 'fixed' ? [version] : []))),
    ),
  ],
})

/** OSV 1.7, "Evaluation". A bound that is no version is taken as one that holds: an advisory is not made harmless by a typing mistake. */
export function isAffected({ ecosystem, versions, ranges }: Affected, version: string, asked: Version): boolean {
  if (versions.some((one) => one === version || sameVersion(ecosystem, one, asked))) return true
  return ranges.some((bounds) => {
    const sorted = bounds
      .map((bound) => ({ ...bound, at: bound.version === '0' ? [] : readVersion(ecosystem, bound.version) }))
      .sort((a, b) => (a.at === undefined || b.at === undefined ? 0 : compareVersions(a.at, b.at) || rank(a.kind) - rank(b.kind)))
    let inside = false
    for (const { kind, at } of sorted) {
      const order = at === undefined ? undefined : compareVersions(asked, at)
      if (kind === 'introduced' && (order === undefined || order >= 0)) inside = true
      else if (kind === 'fixed' && order !== undefined && order >= 0) inside = false
      else if (kind === 'last' && order !== undefined && order > 0) inside = false
    }
    return inside
  })
}

/** At one version, what was introduced there is inside before anything ends. */
const rank = (kind: 'introduced' | 'fixed' | 'last'): number => (kind === 'introduced' ? 0 : 1)

function sameVersion(ecosystem: Ecosystem, text: string, asked: Version): boolean {
  const read = readVersion(ecosystem, text)
  return read !== undefined && compareVersions(read, asked) === 0
}
