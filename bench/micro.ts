/**
 * What one step costs by itself, in this process: the median of many, after warm-up. A step that has a target says so.
 */

import { generateKeyPairSync, sign } from 'node:crypto'
import { byToken } from '../src/identity/bearer.ts'
import { Revocations } from '../src/identity/revocations.ts'
import { AccessTokens } from '../src/identity/tokens/access-tokens.ts'
import { Proofs } from '../src/identity/tokens/dpop.ts'
import { standardIssuer } from '../src/identity/tokens/openid.ts'
import { systemClock } from '../src/lib/clock.ts'
import { plainPrincipal } from '../src/pipeline/parcel.ts'
import { compilePolicy } from '../src/policy/policy.ts'
import { pinned } from './pins.ts'

export interface Micro {
  readonly step: string
  readonly micros: number
  readonly targetMicros: number
}

export async function measureMicro(): Promise<Micro[]> {
  const { call, list, relay } = await pinned()
  return [
    { step: 'a call held against its pin', micros: medianMicros(20_001, call), targetMicros: 5 },
    {
      step: 'a list of 1,000 tools held against their pins, by the digest that the record has of it (target: a tenth of reading and writing it)',
      micros: medianMicros(301, list),
      targetMicros: medianMicros(301, relay) / 10,
    },
    { step: 'validation of a token that was seen before', micros: medianMicros(20_001, await knownToken()), targetMicros: 20 },
    {
      step: 'a decision among 10,000 rules, about a name never seen before',
      micros: medianMicros(301, tenThousandRules()),
      targetMicros: 1000,
    },
  ]
}

function tenThousandRules(): (n: number) => void {
  const rules = Array.from({ length: 10_000 }, (_, at) => ({
    effect: at % 2 ? ('deny' as const) : ('allow' as const),
    server: '*',
    tools: [`tool_${at}_*`],
    prompts: [],
    resources: [],
    asks: [],
  }))
  const policy = compilePolicy({ roles: { r: rules }, bindings: [{ role: 'r', anonymous: true }] })
  const caller = plainPrincipal('anonymous', 'anonymous')
  return (n) => void policy.decide(caller, 'files', 'tool', `stranger_${n}`, 'read')
}

/** As a request does it: from its headers to a principal. */
async function knownToken(): Promise<(n: number) => void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { key: publicKey, kid: 'k', alg: 'ES256', issuer: undefined }
  const issuer = standardIssuer(
    'https://idp.example',
    { find: async () => [key] },
    { groupsClaim: 'groups', rolesClaim: 'roles' },
  )
  const base = 'https://gw.example'
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: 'https://idp.example',
    aud: `${base}/x/mcp`,
    sub: 'ada',
    client_id: 'c',
    scope: 'read',
    iat: now,
    exp: now + 600,
  }
  const groups = Array.from({ length: 50 }, (_, at) => `group-${at}`)
  const input = `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })}.${part({ ...claims, groups })}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  const expectations = (resource: string) => ({
    audiences: [resource],
    clients: undefined,
    required: {},
    skewS: 5,
    lifetimeSMax: 3600,
  })
  const revoked = new Revocations()
  const identify = byToken({
    tokens: new AccessTokens({ issuer, clock: systemClock, expectations, isRevoked: () => false, believed: new WeakSet() }),
    proofs: new Proofs(systemClock),
    isDpopRequired: false,
    base: () => base,
    isRevoked: (principal) => revoked.has(principal),
    leastScopes: [],
    failed: (error) => {
      throw error
    },
  })
  const headers = { authorization: `Bearer ${input}.${signature}` }
  await identify({ headers, entrance: 'x' })
  return () => {
    if (identify({ headers, entrance: 'x' }) instanceof Promise) throw new Error('the token was verified again')
  }
}

function medianMicros(times: number, step: (n: number) => void): number {
  const took: number[] = []
  for (let n = -times; n < times; n++) {
    const start = performance.now()
    step(n)
    if (n >= 0) took.push((performance.now() - start) * 1000)
  }
  return took.sort((a, b) => a - b)[times >> 1] as number
}
