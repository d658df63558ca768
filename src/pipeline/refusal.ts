import { explain, type Facts, type RefusalCode } from '../protocol/refusal-texts.ts'
import type { Finding } from './guard.ts'

/** A reasoned no of the gateway's own. What the sender reads comes from the table in protocol/refusal-texts.ts. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly facts: Facts
  readonly findings: readonly Finding[]
  constructor(code: RefusalCode, facts: Facts = {}, findings: readonly Finding[] = []) {
    super(explain(code, facts).says)
    this.code = code
    this.facts = facts
    this.findings = findings
  }
}

/** The same no, naming the exchange by which an operator finds it. */
export const within = (exchange: string, { code, facts, findings }: Refusal): Refusal =>
  new Refusal(code, { ...facts, exchange }, findings)

/** Anything thrown, as a refusal. What is not ours to explain becomes INTERNAL, without its text. */
export const asRefusal = (error: unknown): Refusal => (error instanceof Refusal ? error : new Refusal('INTERNAL'))
