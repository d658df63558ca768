/** Assertions of clients (RFC 7523, 2.2), wrong in one place each; the right ones are tried with MSAL in entra.test.ts. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { SignJWT } from 'jose'
import { selfSigned, thumbprints } from '../certificates.ts'
import { post } from './ask.ts'
import { company, contoso, gateway } from './contoso.ts'
import { startEntra } from './entra.ts'

const own = selfSigned('own')
const { x5t, x5tS256 } = thumbprints(own.cert)
const cluster = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const federation = {
  ...{ issuer: 'https://cluster.test', subject: 'gateway' },
  keys: { keys: [{ ...cluster.publicKey.export({ format: 'jwk' }), kid: 'c', alg: 'ES256' }] as never },
}
const strong = { ...gateway, certificates: [own.cert], federations: [federation] }
const entra = await startEntra({
  ...{ ...company, apps: company.apps.map((app) => (app.clientId === gateway.clientId ? strong : app)) },
  plainHttpOnLoopback: true,
})
after(() => entra.close())

const { clientId } = gateway
const now = () => Math.floor(Date.now() / 1000)
const usual = () => ({
  iss: clientId,
  sub: clientId,
  aud: `${entra.authority(contoso)}/oauth2/v2.0/token`,
  jti: 'j',
  exp: now() + 300,
})
const federated = () => ({ iss: 'https://cluster.test', sub: 'gateway', aud: 'api://AzureADTokenExchange', exp: now() + 300 })
const jws = (claims: object, header: object = {}, key: KeyObject = own.privateKey): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', 'x5t#S256': x5tS256, ...header }).sign(key)
const fromCluster = (claims: object, key = cluster.privateKey) =>
  jws({ ...federated(), ...claims }, { alg: 'ES256', kid: 'c' }, key)
const form = { client_id: clientId, grant_type: 'client_credentials', scope: 'api://crm.contoso.test/.default' }
const show = async (assertion: string) => {
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return post(entra, contoso, { ...form, client_assertion: assertion, client_assertion_type: type })
}

describe('an assertion is refused', () => {
  const stranger = selfSigned('stranger')
  const rows: readonly (readonly [code: number, why: string, make: () => Promise<string>])[] = [
    [
      700027,
      'that names another certificate',
      () => jws(usual(), { 'x5t#S256': thumbprints(stranger.cert).x5tS256 }, stranger.privateKey),
    ],
    [700027, 'that another key signed', () => jws(usual(), {}, stranger.privateKey)],
    [700027, 'that names no certificate', () => jws(usual(), { 'x5t#S256': undefined })],
    [700021, 'about another app', () => jws({ ...usual(), sub: 'other' })],
    [700023, 'for another endpoint', () => jws({ ...usual(), aud: 'https://evil.test/token' })],
    [700023, 'for another tenant', () => jws({ ...usual(), aud: `${entra.authority('common')}/oauth2/v2.0/token` })],
    [700024, 'that is over', () => jws({ ...usual(), exp: now() - 301 })],
    [700024, 'without an end', () => jws({ ...usual(), exp: undefined })],
    [700024, 'without a jti', () => jws({ ...usual(), jti: undefined })],
    [700211, 'of an issuer that is not federated', () => fromCluster({ iss: 'https://evil.test' })],
    [700213, 'of another subject', () => fromCluster({ sub: 'other' })],
    [700212, 'for another audience', () => fromCluster({ aud: 'https://else.test' })],
    [700024, 'of a cluster, and over', () => fromCluster({ exp: now() - 301 })],
    [700027, 'that another cluster signed', () => fromCluster({}, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)],
  ]
  for (const [code, why, make] of rows)
    it(`${code}: ${why}`, async () => {
      const { status, body } = await show(await make())
      assert.deepEqual([status, body['error'], body['error_codes']], [401, 'invalid_client', [code]])
    })
})

describe('an assertion is taken', () => {
  const rows: readonly (readonly [why: string, make: () => Promise<string>])[] = [
    ['with a SHA-256 thumbprint', () => jws(usual())],
    ['with a SHA-1 thumbprint', () => jws(usual(), { 'x5t#S256': undefined, x5t })],
    ['signed with PSS', () => jws(usual(), { alg: 'PS256' })],
    ['half a second early, as MSAL rounds', () => jws({ ...usual(), nbf: now() + 1 })],
    ['of a cluster that it is federated with', () => fromCluster({})],
  ]
  for (const [why, make] of rows) it(why, async () => assert.equal((await show(await make())).status, 200))
})

it('a secret in Basic authentication is taken, a wrong one is not', async () => {
  const basic = (secret: string) => ({
    authorization: `Basic ${Buffer.from(`${clientId}:${encodeURIComponent(secret)}`).toString('base64')}`,
  })
  assert.equal((await post(entra, contoso, form, basic(gateway.secrets[0]))).status, 200)
  assert.deepEqual((await post(entra, contoso, form, basic('wrong'))).body['error_codes'], [7000215])
})
