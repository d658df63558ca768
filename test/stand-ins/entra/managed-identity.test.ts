/** Managed identity: the Azure identity library and MSAL as clients, and what keeps a forged request out. */
import assert from 'node:assert/strict'
import { after, afterEach, describe, it } from 'node:test'
import { ManagedIdentityCredential } from '@azure/identity'
import { ManagedIdentityApplication } from '@azure/msal-node'
import { decodeJwt } from 'jose'
import { company, contoso } from './contoso.ts'
import { startEntra } from './entra.ts'

const entra = await startEntra({ ...company, plainHttpOnLoopback: true })
const [system, user] = (company.managedIdentities ?? []).map(({ clientId }) => clientId) as [string, string]
const sources = ['imds', 'app-service'] as const
const names = sources.flatMap((source) => Object.keys(entra.environment(source)))
const before = Object.fromEntries(names.map((name) => [name, process.env[name]]))

const restore = (): void => {
  for (const [name, value] of Object.entries(before))
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
}
afterEach(() => {
  restore()
  entra.heal()
})
after(() => entra.close())

const monitor = 'https://monitor.azure.com'
const { AZURE_POD_IDENTITY_AUTHORITY_HOST: imdsUrl } = entra.environment('imds')
const { IDENTITY_ENDPOINT: appUrl, IDENTITY_HEADER: secret } = entra.environment('app-service') as {
  IDENTITY_ENDPOINT: string
  IDENTITY_HEADER: string
}
const imdsPath = `${imdsUrl}/metadata/identity/oauth2/token`
const query = (members: Record<string, string>): string => `?${new URLSearchParams(members)}`

describe('refused', () => {
  const imdsQuery = { 'api-version': '2018-02-01', resource: monitor }
  const appQuery = { 'api-version': '2019-08-01', resource: monitor }
  const rows: readonly (readonly [why: string, url: string, headers: Record<string, string>, status: number, says: RegExp])[] = [
    ['IMDS without its header', imdsPath + query(imdsQuery), {}, 400, /header not specified/],
    ['IMDS through a proxy', imdsPath + query(imdsQuery), { metadata: 'true', 'x-forwarded-for': '10.0.0.1' }, 400, /Forwarded/],
    ['IMDS without a version', imdsPath + query({ resource: monitor }), { metadata: 'true' }, 400, /api-version/],
    ['IMDS without a resource', imdsPath + query({ 'api-version': '2018-02-01' }), { metadata: 'true' }, 400, /resource/],
    [
      'IMDS for a resource that is not there',
      imdsPath + query({ ...imdsQuery, resource: 'api://no' }),
      { metadata: 'true' },
      400,
      /AADSTS500011/,
    ],
    [
      'IMDS for an identity that is not there',
      imdsPath + query({ ...imdsQuery, client_id: 'x' }),
      { metadata: 'true' },
      400,
      /Identity not found/,
    ],
    ['App Service without its secret', appUrl + query(appQuery), {}, 401, /X-IDENTITY-HEADER/],
    ['App Service with a wrong secret', appUrl + query(appQuery), { 'x-identity-header': 'x' }, 401, /X-IDENTITY-HEADER/],
    [
      'App Service with another version',
      appUrl + query({ ...appQuery, 'api-version': '2018-02-01' }),
      { 'x-identity-header': secret },
      400,
      /api-version/,
    ],
  ]
  for (const [why, url, headers, status, says] of rows)
    it(why, async () => {
      const response = await fetch(url, { headers })
      assert.equal(response.status, status)
      assert.match(await response.text(), says)
    })
})

/** MSAL keeps tokens of managed identities for the whole process: each case asks for a resource of its own. */
const cases = [
  ['imds', monitor, 'https://cognitiveservices.azure.com', 'https://vault.azure.net'],
  ['app-service', 'https://management.azure.com', 'api://crm.contoso.test', 'https://graph.microsoft.com'],
] as const
describe('the SDKs', () => {
  for (const [source, first, second, third] of cases) {
    const asked = async <T>(resource: string, get: () => Promise<T>): Promise<T> => {
      Object.assign(process.env, entra.environment(source))
      const result = await get()
      const last = entra.journal(source).at(-1)
      assert.deepEqual([last?.status, last?.query['resource']?.replace(/\/$/, '')], [200, resource])
      return result
    }
    it(`@azure/identity, ${source}, system-assigned`, async () => {
      const { token, expiresOnTimestamp } = await asked(first, () =>
        new ManagedIdentityCredential().getToken(`${first}/.default`),
      )
      const claims = decodeJwt(token)
      const about = [claims.aud, claims['appid'], claims['appidacr'], claims['tid'], claims['idtyp']]
      assert.deepEqual(about, [first, system, '2', contoso, 'app'])
      assert.ok(expiresOnTimestamp > Date.now() + 3600_000)
    })
    it(`@azure/identity, ${source}, user-assigned`, async () => {
      const credential = new ManagedIdentityCredential({ clientId: user })
      assert.equal(decodeJwt((await asked(second, () => credential.getToken(`${second}/.default`))).token)['appid'], user)
    })
    it(`MSAL, ${source}`, async () => {
      const application = new ManagedIdentityApplication({ managedIdentityIdParams: { userAssignedClientId: user } })
      const { accessToken } = await asked(third, () => application.acquireToken({ resource: third }))
      assert.equal(decodeJwt(accessToken)['appid'], user)
    })
  }
})

it('numbers are strings', async () => {
  const response = await fetch(imdsPath + query({ 'api-version': '2018-02-01', resource: monitor }), {
    headers: { metadata: 'true' },
  })
  const body = (await response.json()) as Record<string, unknown>
  assert.deepEqual(
    ['expires_in', 'expires_on', 'not_before'].map((name) => typeof body[name]),
    ['string', 'string', 'string'],
  )
  assert.deepEqual(
    [body['client_id'], body['resource'], body['token_type'], body['expires_in']],
    [system, monitor, 'Bearer', '86399'],
  )
})
