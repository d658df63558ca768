/**
 * May they? Nothing is allowed that no rule allows, and a deny rule beats every allow rule. A policy is immutable: a new
 * configuration is a new policy. Lists and calls are decided by the same function, so what is listed can be called.
 */
import type { Principal } from '../pipeline/parcel.ts'
import type { Class, Concern } from '../protocol/methods.ts'
import { roleFinder } from './roles.ts'
import { type CompiledRule, compileRule, type Grant, grantOf, misses } from './rules.ts'
import type { PolicyConfig } from './schema.ts'
import { fileUri, hasStrayCharacters, readingsOf } from './spellings.ts'

export interface Decision {
  readonly allowed: boolean
  /** `rule`: one rule decided. */
  readonly because: 'rule' | 'no-rule' | 'no-subject'
  /** The rule that decided, by the place where it stands. */
  readonly rule?: string
}

export interface Policy {
  /** `class` counts for tools, and for what concerns a whole server. Never throws. */
  decide(principal: Principal, server: string, concern: Concern, subject: string | undefined, toolClass: Class): Decision
  /** The rules that are considered for a principal, whatever the server. */
  rulesOf(principal: Principal): readonly CompiledRule[]
  /** Who has which role, for explanations. */
  readonly config: PolicyConfig
}

/** The rules that one principal has on one server, and what was decided by them. */
interface Table {
  readonly denies: readonly CompiledRule[]
  readonly allows: readonly CompiledRule[]
  readonly grants: readonly (Grant & { readonly rule: CompiledRule })[]
  readonly known: Map<string, Decision>
}

/** Longer names are refused unread: matching costs pattern times subject, and the subject is a stranger's. */
const subjectMax = 8192
const knownSubjectMax = 256
const knownMax = 4096
const tablesMax = 10_000

const noRule: Decision = Object.freeze({ allowed: false, because: 'no-rule' })
const noSubject: Decision = Object.freeze({ allowed: false, because: 'no-subject' })
const decided = (rule: CompiledRule): Decision =>
  Object.freeze({ allowed: rule.effect === 'allow', because: 'rule', rule: rule.name })

export function compilePolicy(config: PolicyConfig): Policy {
  const components = config.components ?? []
  const componentsOf = (server: string): readonly string[] =>
    components.filter(({ usedBy }) => usedBy.includes(server)).map(({ kind, name }) => `${kind}:${name}`)
  const roles = new Map(
    Object.entries(config.roles).map(([role, rules]) => [
      role,
      rules.map((rule, at) => compileRule(rule, `roles.${role}[${at}]`, componentsOf)),
    ]),
  )
  const rolesOf = roleFinder(config.bindings)
  const tables = new Map<string, Table>()

  const rulesOf = (principal: Principal) => rolesOf(principal).names.flatMap((name) => roles.get(name) ?? [])

  function tableOf(principal: Principal, server: string): Table | undefined {
    const { names, key } = rolesOf(principal)
    if (names.length === 0) return undefined
    const pair = `${server} ${key}`
    let table = tables.get(pair)
    if (table === undefined) {
      if (tables.size >= tablesMax) tables.clear()
      tables.set(pair, (table = makeTable(rulesOf(principal).filter((rule) => rule.server(server)))))
    }
    return table
  }

  return Object.freeze<Policy>({
    config,
    rulesOf,
    decide(principal, server, concern, subject, toolClass) {
      const table = tableOf(principal, server)
      if (table === undefined || table.allows.length === 0) return isNamed(concern, subject) ? noRule : noSubject
      if (concern === 'server' || concern === 'task') return decideWhole(table, concern, toolClass)
      if (!isNamed(concern, subject)) return noSubject
      if (subject.length > knownSubjectMax) return decideNamed(table, concern, subject, toolClass)
      const key = `${concern} ${toolClass} ${subject}`
      let decision = table.known.get(key)
      if (decision === undefined) {
        if (table.known.size >= knownMax) table.known.clear()
        table.known.set(key, (decision = decideNamed(table, concern, subject, toolClass)))
      }
      return decision
    },
  })
}

function makeTable(rules: readonly CompiledRule[]): Table {
  const denies = rules.filter((rule) => rule.effect === 'deny')
  const allows = rules.filter((rule) => rule.effect === 'allow')
  return { denies, allows, grants: allows.map((rule) => ({ rule, ...grantOf(rule, denies) })), known: new Map() }
}

function isNamed(concern: Concern, subject: string | undefined): subject is string {
  if (concern === 'server' || concern === 'task') return true
  if (subject === undefined || subject === '' || subject.length > subjectMax) return false
  return concern !== 'resource' || !hasStrayCharacters(subject)
}

type Named = Exclude<Concern, 'server' | 'task'>

/** A URI has to be allowed in every reading: `file:///pub/../etc` lies under `file:///pub/` only on paper. */
function decideNamed({ denies, allows }: Table, concern: Named, subject: string, toolClass: Class): Decision {
  const readings = concern === 'resource' ? readingsOf(subject) : [subject]
  const first = (rules: readonly CompiledRule[], name: string) =>
    rules.find((rule) => misses(rule, concern, name, toolClass) === undefined)
  let allow: CompiledRule | undefined
  for (const reading of readings) {
    const deny = first(denies, reading) ?? (concern === 'resource' ? first(denies, fileUri(reading)) : undefined)
    if (deny !== undefined) return decided(deny)
    allow = first(allows, reading)
    if (allow === undefined) return noRule
  }
  return allow === undefined ? noRule : decided(allow)
}

/**
 * A task: whoever may call some tool of the server. A whole server: to read, whoever may do anything there; to change
 * something (a method of the operator's own), whoever may call tools of that class.
 */
function decideWhole(table: Table, concern: 'server' | 'task', toolClass: Class): Decision {
  const grant = table.grants.find(({ classes, anything }) => {
    if (concern === 'task') return classes.size > 0
    return toolClass === 'read' ? anything : classes.has(toolClass)
  })
  return grant === undefined ? noRule : decided(grant.rule)
}
