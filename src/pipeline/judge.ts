/**
 * The row of desks. Every parcel goes past every guard of its leg, in order; what comes out is cleared or refused.
 * This file alone makes a `Cleared`, and decides what a broken guard means: no.
 */

import type { JsonObject } from '../lib/strict-json.ts'
import type { Leg } from '../protocol/methods.ts'
import { type Finding, type Guard, type Mode, pass, type Verdict } from './guard.ts'
import { entryName, type Parcel, sealed } from './parcel.ts'
import { Refusal } from './refusal.ts'

declare const cleared: unique symbol
/** Proof that a parcel passed every guard of its leg. Only judge() makes one; only forward() and deliver() take one. */
export type Cleared = Parcel & { readonly [cleared]: true }

/** A cleared parcel after one of the explicit rewrites that follow the last guard (inbound/rewrites.ts, inbound/aggregate/). */
export const rewritten = (parcel: Cleared, changes: Pick<Parcel, 'body'> & Partial<Pick<Parcel, 'member'>>): Cleared =>
  sealed({ ...parcel, ...changes }) as Cleared

/** What one guard said, and whether it counted. Passes without findings are not kept. */
export interface Opinion {
  readonly guard: string
  readonly mode: Mode
  readonly kind: Verdict['kind']
  readonly findings: readonly Finding[]
}

export type Judgement =
  | { readonly cleared: Cleared; readonly opinions: readonly Opinion[] }
  | { readonly refused: Refusal; readonly opinions: readonly Opinion[] }

export interface Bench {
  readonly guards: readonly Guard[]
  readonly guardTimeoutMs: number
  mode(guard: string, server: string, leg: Leg): Mode
}

/** A synchronous row of guards is judged synchronously: no timer, no promise. */
export function judge(parcel: Parcel, bench: Bench): Judgement | Promise<Judgement> {
  return judgeFrom(0, parcel, bench, [])
}

function judgeFrom(start: number, parcel: Parcel, bench: Bench, opinions: Opinion[]): Judgement | Promise<Judgement> {
  for (let at = start; at < bench.guards.length; at++) {
    const guard = bench.guards[at] as Guard
    if (!guard.legs.includes(parcel.leg)) continue
    const mode = bench.mode(guard.name, parcel.server, parcel.leg)
    if (mode === 'off') continue
    const verdict = ask(guard, parcel, bench.guardTimeoutMs)
    if (verdict instanceof Promise) return verdict.then((late) => apply(late, at, mode, parcel, bench, opinions))
    if (verdict !== pass) return apply(verdict, at, mode, parcel, bench, opinions)
  }
  return { cleared: parcel as Cleared, opinions }
}

/** What a verdict does to the parcel, and the rest of the row after it. A monitored verdict does nothing. */
function apply(
  verdict: Verdict,
  at: number,
  mode: Mode,
  parcel: Parcel,
  bench: Bench,
  opinions: Opinion[],
): Judgement | Promise<Judgement> {
  const findings = verdict.findings ?? []
  if (verdict.kind !== 'pass' || findings.length > 0)
    opinions.push({ guard: (bench.guards[at] as Guard).name, mode, kind: verdict.kind, findings })
  if (mode === 'monitor') return judgeFrom(at + 1, parcel, bench, opinions)
  switch (verdict.kind) {
    case 'pass':
      return judgeFrom(at + 1, parcel, bench, opinions)
    case 'omit':
      return judgeFrom(at + 1, sealed({ ...parcel, body: without(parcel, verdict.names) }), bench, opinions)
    case 'redact':
      return redacted(at, sealed({ ...parcel, body: verdict.body }), bench, opinions)
    case 'hold':
      return {
        refused: new Refusal('APPROVAL_UNAVAILABLE', { detail: verdict.question, exchange: parcel.exchange }, findings),
        opinions,
      }
    case 'block':
      return { refused: new Refusal(verdict.code, { ...verdict.facts, exchange: parcel.exchange }, findings), opinions }
  }
}

/** Changed arguments are a changed call: policy decides again on what will be sent, then the row goes on. */
async function redacted(at: number, parcel: Parcel, bench: Bench, opinions: Opinion[]): Promise<Judgement> {
  if (parcel.leg === 'call') {
    const decided = bench.guards.slice(0, at).filter((guard) => guard.name === 'policy')
    const again = await judgeFrom(0, parcel, { ...bench, guards: decided, mode: bench.mode.bind(bench) }, opinions)
    if ('refused' in again) return again
  }
  return judgeFrom(at + 1, parcel, bench, opinions)
}

/** The one place where a broken guard becomes a refusal. */
function ask(guard: Guard, parcel: Parcel, guardTimeoutMs: number): Verdict | Promise<Verdict> {
  try {
    const answer = guard.judge(parcel)
    return answer instanceof Promise ? inTime(guard, answer, guard.timeoutMs ?? guardTimeoutMs) : answer
  } catch (error) {
    return failed(guard, error)
  }
}

async function inTime(guard: Guard, answer: Promise<Verdict>, guardTimeoutMs: number): Promise<Verdict> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Verdict>((resolve) => {
    timer = setTimeout(() => resolve(failed(guard, new Error(`no answer in ${guardTimeoutMs} ms`))), guardTimeoutMs)
  })
  try {
    return await Promise.race([answer, late])
  } catch (error) {
    return failed(guard, error)
  } finally {
    clearTimeout(timer)
  }
}

function failed(guard: Guard, error: unknown): Verdict {
  const evidence = error instanceof Error ? error.message : 'unknown'
  const finding: Finding = { rule: `${guard.name}/failed`, severity: 'high', evidence, owasp: 'MCP08', requirement: 'K-2' }
  return { kind: 'block', code: 'GUARD_FAILED', facts: { detail: guard.name }, findings: [finding] }
}

function without(parcel: Parcel, names: ReadonlySet<string>): JsonObject {
  const entries = parcel.list && parcel.body[parcel.list.items]
  if (parcel.list === undefined || !Array.isArray(entries)) return parcel.body
  const kept = (entries as JsonObject[]).filter((entry) => {
    const name = entryName(parcel, entry)
    return name !== undefined && !names.has(name)
  })
  return { ...parcel.body, [parcel.list.items]: kept }
}
