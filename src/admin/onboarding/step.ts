/** The steps by which a server comes in, in this order. Each says what was looked at and what came out; the first no is the end. */
export const stepNames = ['identity', 'provenance', 'trial', 'scan', 'permissions', 'approval'] as const
export type StepName = (typeof stepNames)[number]

export interface Noted {
  /** `not-checked`: nobody could look, which is never a yes. */
  readonly outcome: 'passed' | 'warned' | 'not-checked' | 'refused'
  /** For people. What is a stranger's has no control over where it is shown. */
  readonly says: string
}
export interface Step {
  readonly step: StepName
  /** The worst of what was noted. */
  readonly outcome: Noted['outcome']
  readonly noted: readonly Noted[]
  /** What to do about it. */
  readonly fix?: string | undefined
}

const worstFirst = ['refused', 'not-checked', 'warned'] as const

export function stepOf(step: StepName, noted: readonly (readonly [Noted['outcome'], string])[], fix?: string): Step {
  return {
    step,
    outcome: worstFirst.find((one) => noted.some(([outcome]) => outcome === one)) ?? 'passed',
    noted: noted.map(([outcome, says]) => ({ outcome, says })),
    ...(fix !== undefined && { fix }),
  }
}
