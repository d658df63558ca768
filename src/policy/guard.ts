/** May this caller do this here? Asked of calls, of what is listed, of what a server asks, and of notices both ways. */
import type { Finding, Guard, Verdict } from '../pipeline/guard.ts'
import { pass } from '../pipeline/guard.ts'
import { entriesOf, entryName, type Parcel } from '../pipeline/parcel.ts'
import { isObject } from '../protocol/json-rpc.ts'
import type { Class, Concern } from '../protocol/methods.ts'
import type { Decision, Policy } from './policy.ts'
import type { Binding } from './schema.ts'
import type { Seen } from './tool-class.ts'
import { phrase, type Thing, visible, whyCommand } from './words.ts'

/** `policy` gives the policy of the moment; `seen` the class of a tool that a catalog describes. */
export function policyGuard(policy: () => Policy, seen: Seen): Guard {
  return {
    name: 'policy',
    legs: ['call', 'catalog', 'ask', 'notice'],
    judge: (parcel) => (parcel.leg === 'catalog' ? judgeCatalog(parcel, policy(), seen) : judgeOne(parcel, policy())),
  }
}

function judgeOne(parcel: Parcel, policy: Policy): Verdict {
  const { principal, server } = parcel
  for (const [concern, subject] of thingsOf(parcel)) {
    const decision = policy.decide(principal, server, concern, subject, parcel.class)
    if (!decision.allowed)
      return block(
        decision,
        { principal, server, concern, subject: decision.because === 'no-subject' ? undefined : subject },
        policy.config.bindings,
      )
  }
  return pass
}

type Named = readonly [Concern, string | undefined]

/**
 * What the message names. A reference (completion/complete) may be to a prompt or to a resource; where a sender manages
 * to name both, both have to be allowed, because the server may read the other one than we do.
 */
function thingsOf(parcel: Parcel): readonly Named[] {
  const { concerns, subject, body } = parcel
  if (concerns === 'ask') return [['ask', parcel.method.split('/', 1)[0]]]
  if (concerns === 'server') return [[concerns, subject], ...subscribed(body)]
  if (concerns !== 'prompt') return [[concerns, subject]]
  const ref = isObject(body['ref']) ? body['ref'] : {}
  const isPrompt = body['name'] !== undefined || ref['name'] !== undefined
  const uri = ref['uri'] ?? (!isPrompt && subject?.includes('://') ? subject : undefined)
  const things: Named[] = []
  if (isPrompt || uri === undefined) things.push(['prompt', subject])
  if (uri !== undefined) things.push(['resource', typeof uri === 'string' ? uri : undefined])
  return things
}

/** Resources that a `subscriptions/listen` wants to hear of (2026-07-28): each is decided on like a read. */
function subscribed({ notifications }: Parcel['body']): readonly Named[] {
  const uris = isObject(notifications) ? notifications['resourceSubscriptions'] : undefined
  return Array.isArray(uris) ? uris.map((uri) => ['resource', typeof uri === 'string' ? uri : undefined]) : []
}

const unusable = 'are left out: they have no name, or one with half a surrogate pair, which each reader replaces in its own way'

function judgeCatalog(parcel: Parcel, policy: Policy, seen: Seen): Verdict {
  const { principal, server, list } = parcel
  if (list === undefined || parcel.member === 'error') return pass
  const items = parcel.body[list.items]
  if (items !== undefined && !Array.isArray(items)) {
    const detail = `"${list.items}" is not a list`
    return {
      kind: 'block',
      code: 'UPSTREAM_INVALID',
      facts: { detail },
      findings: [finding('policy/no-subject', 'medium', detail)],
    }
  }
  const entries = entriesOf(parcel)
  const names = new Set<string>()
  let [omitted, nameless] = [0, 0]
  for (const entry of entries) {
    const name = entryName(parcel, entry)
    const entryClass: Class = list.concerns === 'tool' && name !== undefined ? seen(server, name, entry['annotations']) : 'read'
    if (name !== undefined && policy.decide(principal, server, list.concerns, name, entryClass).allowed) continue
    if (name === undefined) nameless++
    else {
      omitted++
      names.add(name)
    }
  }
  if (omitted + nameless === 0) return pass
  const some = (count: number): string => `${count} of ${entries.length} ${list.items} of server "${server}"`
  const findings = [
    ...(omitted === 0 ? [] : [finding('policy/no-rule', 'info', `${some(omitted)} are not for ${visible(principal.id)}`)]),
    ...(nameless === 0 ? [] : [finding('policy/no-subject', 'medium', `${some(nameless)} ${unusable}`)]),
  ]
  return { kind: 'omit', names, findings }
}

function block(decision: Decision, thing: Thing, bindings: readonly Binding[]): Verdict {
  const detail = phrase(thing)
  const rule = decision.because === 'rule' ? 'policy/denied' : `policy/${decision.because}`
  const evidence = decision.rule === undefined ? `no rule allows ${detail}` : `${decision.rule} denies ${detail}`
  const fix = `Ask your operator, or see why: ${whyCommand(thing, bindings)}`
  return {
    kind: 'block',
    code: 'POLICY_DENIED',
    facts: { detail, fix },
    findings: [finding(rule, decision.because === 'no-rule' ? 'low' : 'medium', evidence)],
  }
}

const finding = (rule: string, severity: Finding['severity'], evidence: string): Finding => ({
  rule,
  severity,
  evidence,
  owasp: 'MCP07',
  requirement: rule === 'policy/no-subject' ? 'AUTH-R1' : 'PERM-C1',
})
