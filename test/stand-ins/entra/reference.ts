/**
 * A plain verifier of Entra tokens, written from Microsoft's documents with jose and nothing of ours: what it refuses has to
 * be refused, and `strictly` are the rules that go further than the RFCs do.
 */
import assert from 'node:assert/strict'
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import type { Entra } from './entra.ts'

export interface Expected {
  readonly tenant: string
  readonly api: string
  readonly client: string
  readonly scope: string
}
const tokenBytesMax = 16_384
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Rejects for a token that the documents want refused. */
export function referenceFor(entra: Entra, { tenant, api, client, scope }: Expected): (token: string) => Promise<JWTPayload> {
  const jwks = createRemoteJWKSet(new URL(`${entra.url}/${tenant}/discovery/v2.0/keys`))
  const issuer = `${entra.url}/${tenant}/v2.0`
  return async (token) => {
    const { payload } = await jwtVerify(token, jwks, {
      ...{ algorithms: ['RS256'], audience: api, issuer, requiredClaims: ['exp', 'sub'] },
      currentDate: new Date(entra.clock.now()),
    })
    const key = entra.jwks().keys.find(({ kid }) => kid === decodeProtectedHeader(token).kid)
    const { tid, oid, ver, scp, azp } = payload
    assert.equal(String(key?.['issuer']).replace('{tenantid}', String(tid)), payload.iss, 'the key is for another issuer')
    assert.equal(tid, tenant)
    assert.match(String(oid), guid)
    assert.equal(ver, '2.0')
    assert.ok(typeof scp === 'string' && scp.split(' ').includes(scope), 'the scope is missing')
    assert.equal(azp, client)
    return payload
  }
}

/** Throws for what only rules of our own refuse. */
export function strictly(token: string): void {
  const payload = Buffer.from(token.split('.')[1] as string, 'base64url').toString('utf8')
  assert.ok(token.length <= tokenBytesMax)
  assert.equal(payload.match(/"aud":/g)?.length, 1)
  assert.match(payload, /"aud":"/)
}
