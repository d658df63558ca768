/** What wrapping or unwrapping did to a file, as it may be shown. */
import type { FileProblem } from '../../trust/clients/entries.ts'
import type { Outcome } from '../../trust/clients/plan.ts'
import { shownWords } from './masking.ts'

export interface Changed {
  readonly client: string
  readonly file: string
  /** Whether it is another file now, or would be. */
  readonly changed: boolean
  /** Unwrapping gave back every byte of before. */
  readonly exact?: boolean
  /** Why nothing of it was changed. */
  readonly refused?: string
  readonly problems: readonly FileProblem[]
  /** Secrets in commands are replaced. */
  readonly outcomes: readonly Outcome[]
}

export function shownOutcome(outcome: Outcome): Outcome {
  const { before, after } = outcome
  return { ...outcome, ...(before && { before: shownWords(before) }), ...(after && { after: shownWords(after) }) }
}
