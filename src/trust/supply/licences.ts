/**
 * Licences by policy, as SPDX expressions (SPDX 2.3, annex D). Whoever offers a choice with OR is taken at the best of it; what AND
 * binds together has to be allowed together. A licence that nobody stated, or that is no expression, is not a yes.
 */
import satisfies from 'spdx-satisfies'

export interface LicencePolicy {
  /** What may be used: SPDX identifiers, `MIT`, `GPL-2.0-only WITH Classpath-exception-2.0`. Empty: everything that is not denied. */
  readonly allow: readonly string[]
  /** What may not, although it might be allowed: `AGPL-3.0-or-later`. */
  readonly deny: readonly string[]
  /** What to say of a component without a licence. */
  readonly unknown: 'allow' | 'refuse'
}

export type LicenceVerdict = { readonly outcome: 'allowed' } | { readonly outcome: 'refused' | 'unknown'; readonly why: string }

const expressionCharsMax = 500

export function isSpdxExpression(text: string): boolean {
  if (text.length > expressionCharsMax) return false
  try {
    satisfies(text, ['MIT'])
    return true
  } catch {
    return false
  }
}

export function judgeLicence(licence: string | undefined, policy: LicencePolicy): LicenceVerdict {
  if (licence === undefined || licence.trim() === '' || /^(NOASSERTION|UNLICENSED|NONE)$/i.test(licence.trim()))
    return unknownOr(
      policy,
      licence === undefined || licence.trim() === '' ? 'no licence is stated' : `the licence is "${licence}"`,
    )
  if (!isSpdxExpression(licence)) return unknownOr(policy, `"${licence.slice(0, 80)}" is no SPDX expression`)
  if (policy.deny.length > 0 && !choiceWithout(licence, policy.deny))
    return { outcome: 'refused', why: `${licence} cannot be had without one that is denied (${policy.deny.join(', ')})` }
  if (policy.allow.length > 0 && !allowedAfter(licence, policy))
    return { outcome: 'refused', why: `${licence} is not among the licences that are allowed` }
  return { outcome: 'allowed' }
}

const unknownOr = ({ unknown }: LicencePolicy, why: string): LicenceVerdict =>
  unknown === 'allow' ? { outcome: 'unknown', why } : { outcome: 'refused', why }

/** Whether some choice of the expression has none of those that are denied. */
const choiceWithout = (licence: string, deny: readonly string[]): boolean =>
  choicesOf(licence).some((choice) => !choice.some((one) => deny.some((denied) => matches(one, denied))))

/** Whether some choice is allowed whole and denied nowhere: the same choice has to pass both. */
const allowedAfter = (licence: string, { allow, deny }: LicencePolicy): boolean =>
  choicesOf(licence).some((choice) =>
    choice.every((one) => !deny.some((denied) => matches(one, denied)) && allow.some((allowed) => matches(one, allowed))),
  )

/** As SPDX reads it: `GPL-2.0-or-later` covers GPL-3.0-only; letters may be large or small. */
const matches = (licence: string, named: string): boolean =>
  licence.toLowerCase() === named.toLowerCase() || satisfies(licence, [named])

const choicesMax = 256

/** The expression as a choice (OR) of bundles (AND). Throws nothing: it has been read before. */
function choicesOf(expression: string): readonly (readonly string[])[] {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? []
  let at = 0
  const any = (): string[][] => {
    let choices = all()
    while (tokens[at]?.toUpperCase() === 'OR') {
      at++
      choices = [...choices, ...all()].slice(0, choicesMax)
    }
    return choices
  }
  const all = (): string[][] => {
    let choices = one()
    while (tokens[at]?.toUpperCase() === 'AND') {
      at++
      const right = one()
      choices = choices.flatMap((left) => right.map((more) => [...left, ...more])).slice(0, choicesMax)
    }
    return choices
  }
  const one = (): string[][] => {
    if (tokens[at] === '(') {
      at++
      const inner = any()
      at++
      return inner
    }
    const licence = tokens[at++] ?? ''
    if (tokens[at]?.toUpperCase() !== 'WITH') return [[licence]]
    at += 2
    return [[`${licence} WITH ${tokens[at - 1]}`]]
  }
  return any()
}
