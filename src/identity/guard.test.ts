import assert from 'node:assert/strict'
import test from 'node:test'
import type { Verdict } from '../pipeline/guard.ts'
import type { Claims, Parcel } from '../pipeline/parcel.ts'
import type { Class } from '../protocol/methods.ts'
import { type Demands, identityGuard } from './guard.ts'
import type { StepUpConfig } from './schema.ts'

const nowS = 1_800_000_000
const clock = { now: () => nowS * 1000, monotonic: () => nowS * 1000 }
const own: Demands = { scopeFor: (one) => `mcp:${one}`, inFull: (scope) => scope, stepUps: [], asksForClaims: false }

function ask(demands: Demands, toolClass: Class, claims: Partial<Claims> | undefined, parcel: object = {}): Verdict {
  const principal = {
    kind: 'user',
    id: 'user:ada',
    holder: 'user:ada',
    ...(claims && { claims: { scopes: [], contexts: [], ...claims } }),
  }
  const call = { leg: 'call', server: 'pay', concerns: 'tool', subject: 'transfer', class: toolClass, principal, ...parcel }
  return identityGuard({ demands: () => demands, base: () => 'https://gw.example', clock }).judge(call as Parcel) as Verdict
}
const challengeOf = (verdict: Verdict): string => (verdict.kind === 'block' ? String(verdict.facts?.['challenge']) : verdict.kind)

const scopes: readonly (readonly [has: readonly string[], toolClass: Class, isEnough: boolean])[] = [
  [[], 'read', false],
  [['mcp:read'], 'write', false],
  [['mcp:read'], 'destructive', false],
  [['mcp:write'], 'destructive', false],
  [['mcp:read '], 'read', false],
  [['MCP:read'], 'read', false],
  [['*'], 'read', false],
  [['mcp:read'], 'read', true],
  [['mcp:write'], 'read', true],
  [['mcp:destructive'], 'read', true],
  [['mcp:destructive'], 'write', true],
  [['mcp:destructive'], 'destructive', true],
]
for (const [has, toolClass, isEnough] of scopes)
  test(`[${has}] is ${isEnough ? '' : 'not '}enough to ${toolClass}`, () => {
    const verdict = ask(own, toolClass, { scopes: has })
    assert.equal(verdict.kind, isEnough ? 'pass' : 'block')
    if (verdict.kind === 'block') assert.equal(verdict.code, 'INSUFFICIENT_SCOPE')
  })

test('the challenge names all that is needed at once, and where to get it', () => {
  assert.equal(
    challengeOf(ask(own, 'write', { scopes: ['mcp:read', 'openid'] })),
    'Bearer error="insufficient_scope", error_description="mcp:write is needed", scope="mcp:read mcp:write", resource_metadata="https://gw.example/.well-known/oauth-protected-resource/pay/mcp"',
  )
  assert.match(challengeOf(ask(own, 'write', {}, { whole: {} })), /oauth-protected-resource\/mcp"$/)
})

test('the challenge names scopes as clients have to ask for them', () => {
  const demands = { ...own, scopeFor: (one: Class) => `mcp.${one}`, inFull: (scope: string) => `api://gw/${scope}` }
  assert.match(
    challengeOf(ask(demands, 'write', { scopes: ['mcp.read', 'x'] })),
    / scope="api:\/\/gw\/mcp\.read api:\/\/gw\/mcp\.write"/,
  )
})

test('nothing is asked of those who have no token, and nothing where no scope is configured', () => {
  assert.equal(ask(own, 'destructive', undefined).kind, 'pass')
  assert.equal(ask({ ...own, scopeFor: () => undefined }, 'destructive', {}).kind, 'pass')
})

const rule = (changes: Partial<StepUpConfig>): StepUpConfig => ({ server: '*', ...changes }) as StepUpConfig
const steps: readonly (readonly [name: string, rule: StepUpConfig, claims: Partial<Claims>, isEnough: boolean])[] = [
  ['no context', rule({ contexts: ['c1'] }), {}, false],
  ['another context', rule({ contexts: ['c1'] }), { contexts: ['c2'] }, false],
  ['a context in capitals', rule({ contexts: ['c1'] }), { contexts: ['C1'] }, false],
  ['an old login', rule({ maxAgeMinutes: 5 }), { authenticatedAt: nowS - 301 }, false],
  ['a login of unknown age', rule({ maxAgeMinutes: 5 }), {}, false],
  [
    'the context, but an old login',
    rule({ contexts: ['c1'], maxAgeMinutes: 5 }),
    { contexts: ['c1'], authenticatedAt: 0 },
    false,
  ],
  ['the context', rule({ contexts: ['c1', 'c2'] }), { contexts: ['c2'] }, true],
  ['a recent login', rule({ maxAgeMinutes: 5 }), { authenticatedAt: nowS - 299 }, true],
  ['a rule about another server', rule({ server: 'hr', contexts: ['c1'] }), {}, true],
  ['a rule about another tool', rule({ tools: ['read_*'], contexts: ['c1'] }), {}, true],
  ['a rule about another class', rule({ class: ['destructive'], contexts: ['c1'] }), {}, true],
]
for (const [name, stepUp, claims, isEnough] of steps)
  test(`step-up: ${name} ${isEnough ? 'passes' : 'does not'}`, () => {
    const verdict = ask({ ...own, scopeFor: () => undefined, stepUps: [stepUp] }, 'write', claims)
    assert.equal(verdict.kind, isEnough ? 'pass' : 'block')
  })

test('everybody is asked as RFC 9470 has it, and Entra by a claims request where the client can answer one', () => {
  const demands: Demands = {
    ...own,
    scopeFor: () => undefined,
    stepUps: [rule({ contexts: ['c1'], maxAgeMinutes: 5 })],
    asksForClaims: true,
  }
  assert.match(challengeOf(ask(demands, 'write', {})), /error="insufficient_user_authentication".*acr_values="c1", max_age="300"/)
  const challenge = challengeOf(ask(demands, 'write', { answersChallenges: true }))
  const claims = Buffer.from(/claims="([^"]+)"/.exec(challenge)?.[1] ?? '', 'base64').toString()
  assert.deepEqual(JSON.parse(claims), { access_token: { acrs: { essential: true, value: 'c1' } } })
  assert.match(challenge, /error="insufficient_claims"/)
})
