/**
 * Conditional Access in little: who needs which authentication context for what, and who is let in nowhere. Also the
 * `claims` parameter (OpenID Connect Core 5.5), with which a client passes on what it was told to ask for.
 */
import { Refused, refuse } from './refusals.ts'

/** All that is given has to match; `app` is the client id of the client or of the resource. */
export interface Condition {
  /** Object id. */
  readonly user?: string
  readonly app?: string
}
export interface Situation {
  readonly user: string
  readonly client: string
  readonly resources: readonly string[]
}
export interface ClaimsRequest {
  /** Authentication contexts, as `c1`. */
  readonly acrs: readonly string[]
  /** What the client says that it can do: `cp1` is to understand a claims challenge. */
  readonly capabilities: readonly string[]
}
export interface Conditions {
  requireClaims(condition: Condition, acrs: string): void
  block(condition: Condition): void
  /** Takes back every rule. */
  clear(): void
  /** The contexts needed that are not among `has`. Throws AADSTS53003. */
  missing(situation: Situation, has: readonly string[], alsoAsked?: readonly string[]): readonly string[]
}

export function conditions(): Conditions {
  const rules: { condition: Condition; acrs: string | 'never' }[] = []
  const meets = ({ user, app }: Condition, situation: Situation): boolean =>
    (user === undefined || user === situation.user) &&
    (app === undefined || app === situation.client || situation.resources.includes(app))
  return {
    requireClaims: (condition, acrs) => void rules.push({ condition, acrs }),
    block: (condition) => void rules.push({ condition, acrs: 'never' }),
    clear: () => void rules.splice(0),
    missing: (situation, has, alsoAsked = []) => {
      const needed = rules.filter(({ condition }) => meets(condition, situation)).map(({ acrs }) => acrs)
      if (needed.includes('never')) refuse(53003)
      return [...new Set([...needed, ...alsoAsked])].filter((one) => !has.includes(one))
    },
  }
}

/** AADSTS50076 with the claims to ask for. */
export const stepUp = (resource: string, missing: readonly string[]): Refused => {
  const wanted = missing.length === 1 ? { value: missing[0] } : { values: missing }
  return new Refused(50076, [resource], JSON.stringify({ access_token: { acrs: { essential: true, ...wanted } } }))
}

/** Throws AADSTS70000 for what is no claims request. */
export function readClaims(text: string | null): ClaimsRequest {
  if (text === null || text === '') return { acrs: [], capabilities: [] }
  try {
    type Members = Record<string, Asked | null>
    const { access_token: asked = {}, id_token: shown = {} } = JSON.parse(text) as { access_token?: Members; id_token?: Members }
    return {
      acrs: [...valuesOf(asked['acrs']), ...valuesOf(shown['acrs'])],
      capabilities: valuesOf(asked['xms_cc']).map((one) => one.toLowerCase()),
    }
  } catch {
    return refuse(70000, 'claims')
  }
}

interface Asked {
  readonly value?: string
  readonly values?: readonly string[]
}
const valuesOf = (asked: Asked | null | undefined): readonly string[] => [
  ...(asked?.value === undefined ? [] : [asked.value]),
  ...(asked?.values ?? []),
]
