import type { JsonObject } from '../lib/strict-json.ts'
import type { Leg } from '../protocol/methods.ts'
import type { Facts, RefusalCode } from '../protocol/refusal-texts.ts'
import type { Parcel } from './parcel.ts'

/** Something a guard noticed, in terms that a person, a SIEM and a report can all use. */
export interface Finding {
  /** Stable rule id, `guard/rule`: 'policy/no-rule', 'limits/rate'. */
  readonly rule: string
  readonly severity: 'info' | 'low' | 'medium' | 'high' | 'critical'
  /** One sentence; never a secret, never a stranger's text at length. */
  readonly evidence: string
  /** OWASP MCP Top 10 id, e.g. 'MCP07'. */
  readonly owasp: string
  /** The requirement this rule serves, e.g. 'PERM-C1'. */
  readonly requirement: string
}

export type Verdict =
  | { readonly kind: 'pass'; readonly findings?: readonly Finding[] }
  /** Text inside the body was replaced. Only inspection answers so, and trust of what a server says of itself. */
  | { readonly kind: 'redact'; readonly body: JsonObject; readonly findings: readonly Finding[] }
  /** Entries of a catalog are left out, by name. Only policy and trust answer so. */
  | { readonly kind: 'omit'; readonly names: ReadonlySet<string>; readonly findings: readonly Finding[] }
  /** A person has to agree. */
  | { readonly kind: 'hold'; readonly question: string; readonly findings: readonly Finding[] }
  | { readonly kind: 'block'; readonly code: RefusalCode; readonly facts?: Facts; readonly findings: readonly Finding[] }

/** `monitor`: the verdict is recorded, never applied. `off`: the guard is not asked. */
export type Mode = 'enforce' | 'monitor' | 'off'
export const modes = ['enforce', 'monitor', 'off'] as const satisfies readonly Mode[]

/**
 * One check. It is asked, it answers; it cannot call the next guard, skip one, or send anything.
 * If it throws or overruns, the answer is 'block'.
 */
export interface Guard {
  /** Appears in configuration and audit records, so it never changes. */
  readonly name: string
  readonly legs: readonly Leg[]
  judge(parcel: Parcel): Verdict | Promise<Verdict>
  /** How long an answer may take, where a server has to be asked for it; else as long as the configuration says. */
  readonly timeoutMs?: number
  /** Told, on every exit, that an exchange is over, so that what it counted can be given back. */
  settled?(exchange: string): void
}

export const pass: Verdict = Object.freeze({ kind: 'pass' })
