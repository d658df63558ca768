/** Why may they, or why not: every rule that was considered, and what to do next. Decides with the policy itself. */
import { type Claims, type Principal, plainPrincipal } from '../pipeline/parcel.ts'
import type { Class, Concern } from '../protocol/methods.ts'
import { compilePolicy, type Decision, type Policy } from './policy.ts'
import { isBound } from './roles.ts'
import { type CompiledRule, type Miss, misses } from './rules.ts'
import type { Binding } from './schema.ts'
import { phrase, visible } from './words.ts'

export interface Question {
  readonly principal: Principal
  readonly server: string
  readonly concern: Concern
  readonly subject: string | undefined
  readonly class: Class
}

export interface Considered {
  /** `roles.reader[0]` */
  readonly rule: string
  readonly effect: 'allow' | 'deny'
  readonly matches: boolean
  readonly why: string
}

export interface Explanation {
  readonly principal: string
  readonly server: string
  readonly concern: Concern
  readonly subject: string | undefined
  readonly class: Class
  readonly allowed: boolean
  /** One sentence. */
  readonly because: string
  readonly roles: readonly string[]
  readonly rules: readonly Considered[]
  /** What to change to get another answer, and then the command to type. */
  readonly next: { readonly change: string | undefined; readonly command: string }
}

/** What a token says of its bearer, as far as roles can be bound to it. */
export type Said = Partial<Pick<Claims, 'groups' | 'roles' | 'scopes' | 'client' | 'tenant'>>

/** `anonymous`, `key:ID`, `user:ID` or `application:ID`, as it stands in audit records; undefined for any other word. */
export function principalOf(text: string, said: Said = {}): Principal | undefined {
  if (text === 'anonymous') return plainPrincipal('anonymous', text)
  if (/^key:[a-z][a-z0-9-]{0,31}$/.test(text)) return plainPrincipal('api-key', text)
  const [, kind] = /^(user|application):[A-Za-z0-9_-]+\.[\x21-\x7e]{1,1000}$/.exec(text) ?? []
  return kind === undefined ? undefined : { kind: kind as 'user', id: text, holder: text, claims: { ...unsaid, ...said } }
}

const unsaid: Claims = {
  client: undefined,
  tenant: undefined,
  groups: [],
  roles: [],
  scopes: [],
  contexts: [],
  authenticatedAt: undefined,
  answersChallenges: false,
  tokenId: undefined,
  issuedAt: 0,
  expiresAt: 0,
}

export function explain(policy: Policy, question: Question): Explanation {
  const { principal, server, concern, subject } = question
  const decision = policy.decide(principal, server, concern, subject, question.class)
  const roles = [...new Set(policy.config.bindings.filter((binding) => isBound(binding, principal)).map(({ role }) => role))]
  return {
    principal: principal.id,
    server,
    concern,
    subject,
    class: question.class,
    allowed: decision.allowed,
    because: sentence(decision, question, roles),
    roles,
    rules: policy.rulesOf(principal).map((rule) => consider(rule, question, decision)),
    next: decision.allowed
      ? { change: undefined, command: 'sekisho servers list' }
      : { change: remedy(policy, decision, question, roles), command: 'sekisho check' },
  }
}

function sentence(decision: Decision, question: Question, roles: readonly string[]): string {
  const thing = phrase(question)
  if (decision.because === 'no-subject') return `There is no usable name in the question, so nothing is allowed: ${thing}.`
  if (decision.because === 'rule') return `${decision.rule} ${decision.allowed ? 'allows' : 'denies'} ${thing}.`
  return roles.length === 0
    ? `${visible(question.principal.id)} has no role, so nothing is allowed.`
    : `No rule of ${roles.join(', ')} allows ${thing}.`
}

const missWords: Readonly<Record<Miss, string>> = {
  tools: '"tools" does not name it',
  class: '"class" does not have its class',
  prompts: '"prompts" does not name it',
  resources: '"resources" does not name it',
  asks: '"asks" does not name it',
}

function consider(rule: CompiledRule, { server, concern, subject, class: toolClass }: Question, decision: Decision): Considered {
  const answer = (matches: boolean, why: string): Considered => ({ rule: rule.name, effect: rule.effect, matches, why })
  const { server: pattern, uses } = rule.source
  if (!rule.server(server))
    return answer(false, `is about server ${pattern}${uses ? `, where it uses ${uses.join(' or ')}` : ''}`)
  const isDeciding = decision.rule === rule.name
  if (concern === 'server' || concern === 'task')
    return answer(isDeciding, isDeciding ? 'gives access to the server' : 'decides nothing about the whole server')
  const miss = subject === undefined ? undefined : misses(rule, concern, subject, toolClass)
  if (subject === undefined || miss !== undefined)
    return answer(false, miss === undefined ? 'has no name to match' : missWords[miss])
  if (isDeciding) return answer(true, 'decides')
  return answer(true, decision.allowed === (rule.effect === 'allow') ? 'matches too' : 'matches, but a deny rule decides')
}

/** The smallest change that would allow it, in words to paste. */
function remedy(policy: Policy, decision: Decision, question: Question, roles: readonly string[]): string {
  const { principal, server, concern, subject } = question
  if (decision.because === 'no-subject') return 'name the tool, prompt, resource or question'
  if (decision.rule !== undefined) return `narrow or remove the deny rule ${decision.rule}`
  const who = written(bindingOf(principal))
  const enough = Object.keys(policy.config.roles).find((role) => !roles.includes(role) && wouldAllow(policy, role, question))
  if (enough !== undefined)
    return `bind the role that allows it, under "bindings":  - { role: ${enough}, ${who} }${forEverybody(principal, enough, roles)}`
  const list = { tool: 'tools', task: 'tools', server: 'tools', prompt: 'prompts', resource: 'resources', ask: 'asks' }[concern]
  const name = subject === undefined || concern === 'task' ? '*' : visible(subject)
  const rule = `- { effect: allow, server: ${server}, ${list}: [${JSON.stringify(name)}] }`
  return roles.length === 0
    ? `give a role this rule, under "roles":  ${rule}  and bind it, under "bindings":  - { role: ROLE, ${who} }`
    : `add a rule under "roles.${roles[0]}"${principal.claims ? ', for everybody who has that role' : ''}:  ${rule}`
}

/** A new binding for this principal, and for nobody who has something in common with it. */
function bindingOf({ kind, id }: Principal): Omit<Binding, 'role'> {
  if (kind === 'anonymous') return { anonymous: true }
  return kind === 'api-key' ? { apiKey: id.replace(/^key:/, '') } : { user: id }
}

/** What a first role may hang on besides. A group that has given one role is no place for a higher one. */
function forEverybody({ claims }: Principal, role: string, roles: readonly string[]): string {
  const [group, appRole] = [claims?.groups[0], claims?.roles[0]]
  if (roles.length > 0 || (group ?? appRole) === undefined) return ''
  const bound = group === undefined ? { appRole: appRole as string } : { group }
  return `  or, for everybody who has it:  - { role: ${role}, ${written(bound)} }`
}

const written = (bound: Omit<Binding, 'role'>): string =>
  Object.entries(bound)
    .map(([name, value]) => `${name}: ${/^[a-z][a-z0-9-]*$/.test(String(value)) ? value : JSON.stringify(value)}`)
    .join(', ')

function wouldAllow(policy: Policy, role: string, { principal, server, concern, subject, class: toolClass }: Question): boolean {
  const { bindings } = policy.config
  return compilePolicy({ ...policy.config, bindings: [...bindings, { role, ...bindingOf(principal) }] }).decide(
    principal,
    server,
    concern,
    subject,
    toolClass,
  ).allowed
}
