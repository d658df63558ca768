/** The probe before two providers that are not ours, and before what is none. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { company, contoso, gateway } from '../../../test/stand-ins/entra/contoso.ts'
import { type Entra, startEntra } from '../../../test/stand-ins/entra/entra.ts'
import { type OpenId, startOpenId } from '../../../test/stand-ins/openid.ts'
import { parseConfig } from '../../config/load.ts'
import { safeFetch } from '../../lib/safe-fetch.ts'
import { idpVerify } from './idp-verify.ts'

const publicUrl = 'https://gateway.contoso.test'
const callback = `${publicUrl}/oauth/callback`
let entra: Entra
let openid: OpenId
before(async () => {
  const ours = { ...gateway, redirectUris: { web: [callback] } }
  entra = await startEntra({ ...company, apps: [ours, ...company.apps.slice(1)] })
  openid = await startOpenId(callback)
})
after(async () => void (await Promise.all([entra.close(), openid.close()])))

interface Asked {
  readonly provider: object
  readonly mode?: 'authorization-server' | 'resource-server'
  readonly url?: string
  readonly aheadMs?: number
}

async function verify({ provider, mode = 'authorization-server', url = publicUrl, aheadMs = 0 }: Asked) {
  const identity = { mode, provider, ...(mode === 'resource-server' && { audience: 'resource' }) }
  const config = parseConfig(JSON.stringify({ publicUrl: url, identity }))
  const reach = safeFetch({ trustedOrigins: [entra.url, openid.issuer], ca: entra.ca })
  const clock = { now: () => Date.now() + aheadMs, monotonic: () => 0 }
  const { outcome, issuers } = await idpVerify({ config, clock, reach: () => reach })
  const probed = issuers.flatMap(({ probed }) => probed)
  return { outcome, all: probed.map(({ check, outcome }) => `${check} ${outcome}`), probed }
}

const ofEntra = (changes: object = {}) => ({
  kind: 'entra',
  tenant: contoso,
  authority: entra.url,
  clientId: gateway.clientId,
  ...changes,
})
const ofOpenId = (changes: object = {}) => ({ kind: 'oidc', issuer: openid.issuer, clientId: openid.clientId, ...changes })
const allPass = ['metadata pass', 'issuer pass', 'keys pass', 'clock pass', 'pkce pass', 'client pass']

describe('idp verify', () => {
  it('says that there is nothing to verify without a provider', async () => {
    const clock = { now: () => 0, monotonic: () => 0 }
    const asked = idpVerify({ config: parseConfig('{}'), clock, reach: () => safeFetch() })
    await assert.rejects(asked, {
      message: 'with identity mode "anonymous" there is no identity provider',
      fix: /sekisho idp add/,
    })
  })

  const faults: readonly [says: string, asked: () => Asked, outcome: string, check: string, said: RegExp, fix: RegExp][] = [
    [
      'entra: a client id that nobody registered',
      () => ({ provider: ofEntra({ clientId: '99999999-0000-4000-8000-000000000009' }) }),
      'fail',
      'client fail',
      /does not know the client id/,
      /Application \(client\) ID/,
    ],
    [
      'entra: a redirect URI that is not registered',
      () => ({ provider: ofEntra(), url: 'https://elsewhere.contoso.test' }),
      'fail',
      'client fail',
      /the redirect URI is not registered .*https:\/\/elsewhere\.contoso\.test\/oauth\/callback/,
      /platform "web"/,
    ],
    [
      'entra: a tenant that is not there',
      () => ({ provider: ofEntra({ tenant: '99999999-aaaa-4aaa-8aaa-999999999999' }) }),
      'fail',
      'metadata fail',
      /answered HTTP 400/,
      /tenant id/,
    ],
    [
      'openid: a client id that nobody registered',
      () => ({ provider: ofOpenId({ clientId: 'nobody' }) }),
      'fail',
      'client fail',
      /does not know the client id/,
      /client/,
    ],
    [
      'openid: a redirect URI that is not registered',
      () => ({ provider: ofOpenId(), url: 'https://elsewhere.test' }),
      'fail',
      'client fail',
      /the redirect URI is not registered/,
      /letter for letter/,
    ],
    [
      'openid: an issuer that is spelt in another way',
      () => ({ provider: ofOpenId({ issuer: `${openid.issuer}/` }) }),
      'fail',
      'issuer fail',
      /names the issuer http/,
      /write it as the provider does/,
    ],
    [
      'a clock that is a minute ahead',
      () => ({ provider: ofOpenId(), aheadMs: 60_000 }),
      'fail',
      'clock fail',
      /this machine is (59|60|61) s ahead/,
      /NTP/,
    ],
    [
      'nobody at that address',
      () => ({ provider: ofOpenId({ issuer: 'http://127.0.0.1:1' }) }),
      'unverifiable',
      'metadata unverifiable',
      /127\.0\.0\.1:1/,
      /./,
    ],
  ]
  for (const [says, asked, outcome, check, said, fix] of faults)
    it(`${says}: ${outcome}`, async () => {
      const found = await verify(asked())
      assert.equal(found.outcome, outcome, JSON.stringify(found.probed))
      assert.ok(found.all.includes(check), found.all.join())
      const fault = found.probed.find((one) => `${one.check} ${one.outcome}` === check)
      assert.match(fault?.says ?? '', said)
      assert.match(fault?.fix ?? '', fix)
    })

  it('a provider that publishes no key, and says nothing of PKCE', async () => {
    const bare = createServer((request, response) => {
      const issuer = `http://${request.headers.host}`
      const document = { issuer, jwks_uri: `${issuer}/keys`, authorization_endpoint: `${issuer}/authorize` }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(request.url?.includes('well-known') ? document : { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }))
    })
    await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(bare.address() as AddressInfo).port}`
    const reach = safeFetch({ trustedOrigins: [issuer] })
    const config = parseConfig(
      JSON.stringify({ publicUrl, identity: { mode: 'authorization-server', provider: ofOpenId({ issuer }) } }),
    )
    const clock = { now: () => Date.now(), monotonic: () => 0 }
    const { outcome, issuers } = await idpVerify({ config, clock, reach: () => reach })
    bare.close()
    bare.closeAllConnections()
    assert.equal(outcome, 'fail')
    assert.deepEqual(
      issuers[0]?.probed.map((one) => `${one.check} ${one.outcome}`),
      ['metadata pass', 'issuer pass', 'keys fail', 'clock pass', 'pkce unverifiable', 'client unverifiable'],
    )
  })

  it('entra and openid as they should be; nobody is logged in by it', async () => {
    assert.deepEqual((await verify({ provider: ofEntra() })).all, allPass)
    const found = await verify({ provider: ofOpenId() })
    assert.deepEqual([found.outcome, found.all], ['pass', allPass])
    assert.ok(openid.journal.every(({ method }) => method === 'GET'))
    assert.ok(entra.journal().every(({ endpoint }) => ['metadata', 'keys', 'authorize'].includes(endpoint)))
  })

  it('where clients bring tokens of the provider, nothing is asked about a client of our own; every tenant is looked at', async () => {
    const provider = ofEntra({
      tenant: undefined,
      tenants: [contoso, '22222222-bbbb-4bbb-8bbb-222222222222'],
      clientId: undefined,
    })
    const found = await verify({ provider, mode: 'resource-server' })
    assert.deepEqual(found.all, [...allPass.slice(0, 4), ...allPass.slice(0, 4)])
  })
})
