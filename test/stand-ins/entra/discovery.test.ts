/** Metadata and keys, how keys change, and what happens when the service is not well. */
import assert from 'node:assert/strict'
import { after, afterEach, describe, it } from 'node:test'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { ada, company, contoso, desktop, fabrikam, gateway } from './contoso.ts'
import { consumers, startEntra } from './entra.ts'

const entra = await startEntra({ ...company, plainHttpOnLoopback: true })
after(() => entra.close())
afterEach(() => entra.heal())

const read = async (path: string): Promise<Record<string, unknown>> =>
  (await (await fetch(`${entra.url}/${path}`)).json()) as Record<string, unknown>
const token = () => entra.issue({ client: desktop.clientId, resource: gateway.clientId, user: ada.oid })
const verifies = (jws: string, keys = entra.jwks()) =>
  jwtVerify(jws, createLocalJWKSet(keys as unknown as JSONWebKeySet)).then(
    () => true,
    () => false,
  )

describe('metadata', () => {
  const rows: readonly (readonly [path: string, issuer: string, keys: string])[] = [
    [`${contoso}/v2.0`, `${entra.url}/${contoso}/v2.0`, `${entra.url}/${contoso}/discovery/v2.0/keys`],
    ['contoso.test/v2.0', `${entra.url}/${contoso}/v2.0`, `${entra.url}/contoso.test/discovery/v2.0/keys`],
    [`${fabrikam}/v2.0`, `${entra.url}/${fabrikam}/v2.0`, `${entra.url}/${fabrikam}/discovery/v2.0/keys`],
    ['common/v2.0', `${entra.url}/{tenantid}/v2.0`, `${entra.url}/common/discovery/v2.0/keys`],
    ['organizations/v2.0', `${entra.url}/{tenantid}/v2.0`, `${entra.url}/organizations/discovery/v2.0/keys`],
    [contoso, `https://sts.windows.net/${contoso}/`, `${entra.url}/common/discovery/keys`],
    ['common', 'https://sts.windows.net/{tenantid}/', `${entra.url}/common/discovery/keys`],
  ]
  for (const [path, issuer, keys] of rows)
    it(path, async () => {
      const document = await read(`${path}/.well-known/openid-configuration`)
      assert.deepEqual([document['issuer'], document['jwks_uri']], [issuer, keys])
      const absent = [
        'code_challenge_methods_supported',
        'registration_endpoint',
        'client_id_metadata_document_supported',
        'authorization_response_iss_parameter_supported',
      ]
      assert.deepEqual(
        absent.filter((name) => name in document),
        [],
      )
    })
  it('a tenant that is not there has none', async () => {
    const response = await fetch(`${entra.url}/nowhere.test/v2.0/.well-known/openid-configuration`)
    assert.equal(response.status, 400)
    assert.match(await response.text(), /AADSTS90002/)
  })
})

describe('keys', () => {
  it('are several, carry the issuer they are for in v2 and none in v1, and no alg', async () => {
    const two = (await read('common/discovery/v2.0/keys')) as { keys: Record<string, string>[] }
    const one = (await read('common/discovery/keys')) as { keys: Record<string, string>[] }
    assert.ok(two.keys.length > 1)
    for (const key of two.keys) {
      assert.deepEqual(Object.keys(key), ['kty', 'use', 'kid', 'x5t', 'n', 'e', 'x5c', 'issuer'])
      assert.deepEqual([key['issuer'], key['x5t']], [`${entra.url}/{tenantid}/v2.0`, key['kid']])
    }
    assert.deepEqual(Object.keys(one.keys[0] ?? {}), ['kty', 'use', 'kid', 'x5t', 'n', 'e', 'x5c'])
  })
  it('overlap: what was signed before stays good', async () => {
    const [before, kids] = [token(), entra.jwks().keys.length]
    entra.rollKeys('overlap')
    assert.deepEqual([await verifies(before), await verifies(token())], [true, true])
    assert.equal(entra.jwks().keys.length, kids + 1)
  })
  it('the next key was published beforehand', async () => {
    const known = entra.jwks()
    entra.rollKeys('overlap')
    assert.equal(await verifies(token(), known), true)
  })
  it('emergency: what was signed before is worth nothing', async () => {
    const before = token()
    entra.rollKeys('emergency')
    assert.deepEqual([await verifies(before), await verifies(token())], [false, true])
  })
  it('one may be for another tenant only', () => {
    const kid = entra.foreignIssuerKey()
    assert.equal(entra.jwks().keys.find((key) => key['kid'] === kid)?.['issuer'], `${entra.url}/${consumers}/v2.0`)
  })
})

describe('faults', () => {
  const keys = () => fetch(`${entra.url}/common/discovery/v2.0/keys`)
  it('a status, as often as was said', async () => {
    entra.fail('keys', { status: 503, retryAfterSeconds: 7, times: 2 })
    const seen = [await keys(), await keys(), await keys()]
    assert.deepEqual(
      seen.map(({ status, headers }) => [status, headers.get('retry-after')]),
      [
        [503, '7'],
        [503, '7'],
        [200, null],
      ],
    )
  })
  it('of one endpoint only, until it is healed', async () => {
    entra.fail('metadata', { status: 500, times: Number.POSITIVE_INFINITY })
    const document = () => fetch(`${entra.url}/common/v2.0/.well-known/openid-configuration`)
    assert.deepEqual([(await document()).status, (await document()).status, (await keys()).status], [500, 500, 200])
    entra.heal('metadata')
    assert.equal((await document()).status, 200)
  })
  it('a body that breaks off', async () => {
    entra.fail('keys', { truncated: true })
    const response = await keys()
    assert.equal(response.status, 200)
    await assert.rejects(response.text())
  })
  it('a body that comes byte by byte: whoever does not wait gets nothing', async () => {
    entra.fail('keys', { slowDripMs: 20 })
    await assert.rejects(async () =>
      (await fetch(`${entra.url}/common/discovery/v2.0/keys`, { signal: AbortSignal.timeout(200) })).text(),
    )
  })
  it('an answer that is late', async () => {
    entra.fail('keys', { latencyMs: 5_000 })
    await assert.rejects(fetch(`${entra.url}/common/discovery/v2.0/keys`, { signal: AbortSignal.timeout(100) }))
  })
})

it('everything that came is in the journal', async () => {
  await fetch(`${entra.url}/common/discovery/v2.0/keys?appid=x`, { headers: { 'x-seen': 'yes' } })
  const last = entra.journal('keys').at(-1)
  assert.deepEqual(
    [last?.method, last?.path, last?.query, last?.headers['x-seen'], last?.status],
    ['GET', '/common/discovery/v2.0/keys', { appid: 'x' }, 'yes', 200],
  )
})
