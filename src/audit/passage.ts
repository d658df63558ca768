/** How the log is read by people: one passage an exchange, and one for each thing an operator did. */
import type { Entry, Intent, OperatorEntry, Outcome } from './entry.ts'

/** An exchange that has ended; one of which only the intent was written; or an operator's action. */
export type Passage = Outcome | Unended | OperatorEntry
/** The process may be at it still, or ended before it could say: nobody knows what became of it. */
export type Unended = Omit<Intent, 'kind'> & { readonly kind: 'intent'; readonly ending: 'unknown' }

export const unended = (intent: Intent): Unended => ({ ...intent, ending: 'unknown' })

/** Everything one exchange left behind. */
export interface Trace {
  readonly exchange: string
  /** `unknown` where there is no outcome. */
  readonly ending: Outcome['ending'] | 'unknown'
  readonly entries: readonly Entry[]
}
