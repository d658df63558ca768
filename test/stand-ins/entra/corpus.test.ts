/** The corpus is right when a plain verifier, written from the documents with jose, refuses all of it and lets the sound one in. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { ada, company, contoso, crm, desktop, fabrikam, fay, gateway, single } from './contoso.ts'
import { corpus } from './corpus.ts'
import { startEntra } from './entra.ts'

const tokenBytesMax = 16_384
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const entra = await startEntra({ ...company, plainHttpOnLoopback: true })
after(() => entra.close())
const { sound, specimens } = corpus(entra, {
  ...{ api: gateway.clientId, client: desktop.clientId, otherApi: crm.clientId, otherClient: single.clientId },
  ...{ user: ada.oid, tenant: contoso, otherTenant: fabrikam, otherUser: fay.oid },
})
const jwks = createRemoteJWKSet(new URL(`${entra.url}/${contoso}/discovery/v2.0/keys`))
const issuer = `${entra.url}/${contoso}/v2.0`

async function verify(token: string): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, jwks, {
    ...{ algorithms: ['RS256'], audience: gateway.clientId, issuer, requiredClaims: ['exp', 'sub'] },
    currentDate: new Date(entra.clock.now()),
  })
  const key = entra.jwks().keys.find(({ kid }) => kid === decodeProtectedHeader(token).kid)
  const { tid, oid, ver, scp, azp } = payload
  assert.equal(String(key?.['issuer']).replace('{tenantid}', String(tid)), payload.iss, 'the key is for another issuer')
  assert.equal(tid, contoso)
  assert.match(String(oid), guid)
  assert.equal(ver, '2.0')
  assert.ok(typeof scp === 'string' && scp.split(' ').includes('mcp.access'), 'the scope is missing')
  assert.equal(azp, desktop.clientId)
  return payload
}
/** What the rules of our own come to. */
function strictly(token: string): void {
  const payload = Buffer.from(token.split('.')[1] as string, 'base64url').toString('utf8')
  assert.ok(token.length <= tokenBytesMax)
  assert.equal(payload.match(/"aud":/g)?.length, 1)
  assert.match(payload, /"aud":"/)
}

describe('every specimen is refused', () => {
  for (const { name, token, rule } of specimens)
    it(rule === undefined ? name : `${name}: ${rule}`, async () => {
      if (rule === undefined) await assert.rejects(verify(token))
      else {
        await verify(token)
        assert.throws(() => strictly(token))
      }
    })
})

it('what they began as is let in', async () => {
  assert.equal((await verify(sound))['oid'], ada.oid)
  strictly(sound)
})

it('there are sixty and more, each with a name and a token of its own', () => {
  assert.ok(specimens.length >= 60, `only ${specimens.length}`)
  assert.equal(new Set(specimens.map(({ name }) => name)).size, specimens.length)
  assert.equal(new Set([sound, ...specimens.map(({ token }) => token)]).size, specimens.length + 1)
})
