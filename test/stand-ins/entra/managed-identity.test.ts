/** Managed identity: the Azure identity library and MSAL as clients, and what keeps a forged request out. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { decodeJwt } from 'jose'
import { company, contoso } from './contoso.ts'
import { startEntra } from './entra.ts'

const entra = await startEntra({ ...company, plainHttpOnLoopback: true })
const [system, user] = (company.managedIdentities ?? []).map(({ clientId }) => clientId) as [string, string]
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

/** In a process of its own for each source: MSAL looks for the source once, and keeps tokens for as long as the process lives. */
const program = `
  import { ManagedIdentityCredential } from '@azure/identity'
  import { ManagedIdentityApplication } from '@azure/msal-node'
  const user = process.argv[1]
  const tokens = [
    (await new ManagedIdentityCredential().getToken('https://monitor.azure.com/.default')).token,
    (await new ManagedIdentityCredential({ clientId: user }).getToken('https://vault.azure.net/.default')).token,
    (await new ManagedIdentityApplication({ managedIdentityIdParams: { userAssignedClientId: user } })
      .acquireToken({ resource: 'api://crm.contoso.test' })).accessToken,
  ]
  process.stdout.write(JSON.stringify(tokens))`

describe('the SDKs: @azure/identity for the system-assigned and a user-assigned identity, and MSAL', () => {
  for (const source of ['imds', 'app-service'] as const)
    it(source, async () => {
      const env = { PATH: process.env['PATH'], ...entra.environment(source) }
      const before = entra.journal(source).length
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, user], { env })
      const claims = (JSON.parse(stdout) as string[]).map((token) => decodeJwt(token))
      assert.deepEqual(
        claims.map(({ aud, appid, appidacr, tid, idtyp }) => [aud, appid, appidacr, tid, idtyp]),
        [
          [monitor, system, '2', contoso, 'app'],
          ['https://vault.azure.net', user, '2', contoso, 'app'],
          ['api://crm.contoso.test', user, '2', contoso, undefined],
        ],
      )
      const statuses = entra
        .journal(source)
        .slice(before)
        .map(({ status }) => status)
      assert.deepEqual(
        statuses.filter((status) => status === 200),
        [200, 200, 200],
      )
    })
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
