/**
 * Did they prove enough for this? A token opens what it was given for and no more (scopes, RFC 6750, 3.1), and some things
 * want a stronger or a more recent login (RFC 9470). Asked after policy: nobody is sent to sign in for what they may not do.
 */
import type { Clock } from '../lib/clock.ts'
import { glob } from '../lib/glob.ts'
import type { Finding, Guard, Verdict } from '../pipeline/guard.ts'
import { pass } from '../pipeline/guard.ts'
import type { Claims, Parcel } from '../pipeline/parcel.ts'
import { type Class, classes } from '../protocol/methods.ts'
import { type Challenge, challengeHeader } from './challenge.ts'
import { metadataUrlOf } from './resources.ts'
import type { StepUpConfig } from './schema.ts'

/** What callers have to prove, besides that it is they. */
export interface Demands {
  /** The scope for a class of tool; undefined where none is asked for. */
  scopeFor(toolClass: Class): string | undefined
  /** A scope of a token as clients have to ask for it. */
  inFull(scope: string): string
  readonly stepUps: readonly StepUpConfig[]
  /** Entra asks by a claims request; everybody else by RFC 9470. */
  readonly asksForClaims: boolean
}

export interface IdentityGuardOptions {
  demands(): Demands
  base(): string
  readonly clock: Clock
}

/** What a scope of the left covers besides: who may destroy may also write, and who may write may read. */
const covering: Readonly<Record<Class, readonly Class[]>> = {
  read: ['read', 'write', 'destructive'],
  write: ['write', 'destructive'],
  destructive: ['destructive'],
}

export function identityGuard({ demands, base, clock }: IdentityGuardOptions): Guard {
  return {
    name: 'identity',
    legs: ['call'],
    judge(parcel) {
      const { claims } = parcel.principal
      if (claims === undefined) return pass
      const metadataUrl = metadataUrlOf(base(), parcel.whole === undefined ? parcel.server : undefined)
      return scope(parcel, claims, demands(), metadataUrl) ?? stepUp(parcel, claims, demands(), metadataUrl, clock) ?? pass
    },
  }
}

/** The scope that a token needs for a class and lacks; undefined where it has enough. */
export function missingScope(toolClass: Class, scopes: readonly string[], scopeFor: Demands['scopeFor']): string | undefined {
  const isEnough = covering[toolClass].some((one) => {
    const name = scopeFor(one)
    return name !== undefined && scopes.includes(name)
  })
  return isEnough ? undefined : scopeFor(toolClass)
}

function scope(parcel: Parcel, claims: Claims, { scopeFor, inFull }: Demands, metadataUrl: string): Verdict | undefined {
  const needed = missingScope(parcel.class, claims.scopes, scopeFor)
  if (needed === undefined) return undefined
  // All that is needed for this in one challenge, with what the token has already (2026-07-28, Scope Challenge Handling).
  const ours = classes.map(scopeFor)
  const scopes = [...new Set([...claims.scopes.filter((one) => ours.includes(one)), needed])].map(inFull)
  const challenge: Challenge = { metadataUrl, error: 'insufficient_scope', scopes, description: `${needed} is needed` }
  return block(parcel, 'INSUFFICIENT_SCOPE', challenge, 'identity/scope', `the token lacks the scope ${needed}`)
}

function stepUp(
  parcel: Parcel,
  { contexts, authenticatedAt, answersChallenges }: Claims,
  { stepUps, asksForClaims }: Demands,
  metadataUrl: string,
  clock: Clock,
): Verdict | undefined {
  const due = stepUps.find((rule) => {
    if (!isAbout(rule, parcel)) return false
    const isStrong = rule.contexts === undefined || rule.contexts.some((one) => contexts.includes(one))
    const ageS = authenticatedAt === undefined ? Number.POSITIVE_INFINITY : clock.now() / 1000 - authenticatedAt
    return !isStrong || (rule.maxAgeMinutes !== undefined && ageS > rule.maxAgeMinutes * 60)
  })
  if (due === undefined) return undefined
  const isClaims = asksForClaims && answersChallenges && due.contexts !== undefined
  const challenge: Challenge = isClaims
    ? { metadataUrl, error: 'insufficient_claims', claims: claimsRequest(due.contexts[0] as string) }
    : {
        metadataUrl,
        error: 'insufficient_user_authentication',
        description: 'a stronger or more recent login is needed',
        contexts: due.contexts,
        maxAgeS: due.maxAgeMinutes === undefined ? undefined : due.maxAgeMinutes * 60,
      }
  return block(parcel, 'STEP_UP_NEEDED', challenge, 'identity/step-up', 'the login is not strong or not recent enough')
}

function isAbout({ server, tools, class: toolClasses }: StepUpConfig, parcel: Parcel): boolean {
  if (!glob(server)(parcel.server)) return false
  if (toolClasses !== undefined && !toolClasses.includes(parcel.class)) return false
  if (tools === undefined) return toolClasses !== undefined || parcel.concerns === 'tool'
  return parcel.concerns === 'tool' && tools.some((pattern) => glob(pattern)(parcel.subject ?? ''))
}

/** Microsoft identity platform, "Claims challenges": the authentication context as an essential claim of the access token. */
const claimsRequest = (context: string): string =>
  Buffer.from(JSON.stringify({ access_token: { acrs: { essential: true, value: context } } })).toString('base64')

function block(
  parcel: Parcel,
  code: 'INSUFFICIENT_SCOPE' | 'STEP_UP_NEEDED',
  challenge: Challenge,
  rule: Finding['rule'],
  evidence: string,
): Verdict {
  const detail = parcel.subject === undefined ? `server "${parcel.server}"` : `the ${parcel.concerns} that was asked for`
  const requirement = code === 'INSUFFICIENT_SCOPE' ? 'AUTH-C4' : 'POS-C5'
  return {
    kind: 'block',
    code,
    facts: { detail, challenge: challengeHeader(challenge) },
    findings: [{ rule, severity: 'low', evidence, owasp: 'MCP07', requirement }],
  }
}
