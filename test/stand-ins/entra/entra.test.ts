/**
 * A stand-in is believed when the vendor's own SDK drives it: MSAL Node and the Azure identity library, over TLS, with the
 * authority of the test trusted as NODE_EXTRA_CA_CERTS would have it, and no network client of ours between.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { promisify } from 'node:util'
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity'
import {
  type AuthError,
  type AuthenticationResult,
  ConfidentialClientApplication,
  CryptoProvider,
  PublicClientApplication,
} from '@azure/msal-node'
import { createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { selfSigned, thumbprints } from '../certificates.ts'
import { authorizeUrl } from './ask.ts'
import { ada, company, contoso, crm, desktop, fabrikam, fay, gateway } from './contoso.ts'
import { type Entra, startEntra } from './entra.ts'
import { visitor } from './visitor.ts'

const crmScope = `${crm.identifierUris[0]}/records.read`
const gatewayScope = `api://${gateway.clientId}/mcp.access`
const [callback] = gateway.redirectUris.web
const certificate = selfSigned('gateway')
const outside = await generateKeyPair('RS256')
const workload = { issuer: 'https://cluster.contoso.test', subject: 'system:serviceaccount:sekisho:gateway' }

let entra: Entra
let host: string
before(async () => {
  const keys = { keys: [{ ...(await exportJWK(outside.publicKey)), kid: 'cluster', alg: 'RS256' }] }
  const strong = { ...gateway, certificates: [certificate.cert], federations: [{ ...workload, keys }] }
  entra = await startEntra({ ...company, apps: company.apps.map((app) => (app.clientId === gateway.clientId ? strong : app)) })
  host = new URL(entra.url).host
  setDefaultCACertificates([...getCACertificates('default'), entra.ca])
})
after(() => entra.close())

const authorityOf = (tenant: string) => ({ authority: entra.authority(tenant), knownAuthorities: [host] })
const assertion = (claims: object = {}): Promise<string> =>
  new SignJWT({ iss: workload.issuer, sub: workload.subject, aud: 'api://AzureADTokenExchange', ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'cluster' })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(outside.privateKey)
const proofs = {
  secret: () => ({ clientSecret: gateway.secrets[0] }),
  certificate: () => ({
    clientCertificate: {
      thumbprintSha256: Buffer.from(thumbprints(certificate.cert).x5tS256, 'base64url').toString('hex'),
      privateKey: certificate.key,
    },
  }),
  federation: () => ({ clientAssertion: () => assertion() }),
} as const
const confidential = (proof: object = proofs.secret(), tenant = contoso) =>
  new ConfidentialClientApplication({ auth: { clientId: gateway.clientId, ...authorityOf(tenant), ...proof } })
const checked = async (token: string, version: 1 | 2) => {
  const path = version === 1 ? 'discovery/keys' : `${contoso}/discovery/v2.0/keys`
  const keys = createRemoteJWKSet(new URL(`${entra.url}/${version === 1 ? 'common/' : ''}${path}`))
  return (await jwtVerify(token, keys, { algorithms: ['RS256'] })).payload
}

/** Signs Ada in to the gateway as a client of MSAL does. */
async function signIn(scopes: readonly string[], client = confidential()): Promise<AuthenticationResult> {
  const crypto = new CryptoProvider()
  const { verifier, challenge } = await crypto.generatePkceCodes()
  const asked = { scopes: [...scopes], redirectUri: callback, state: 'st', nonce: 'no' }
  const url = await client.getAuthCodeUrl({ ...asked, codeChallenge: challenge, codeChallengeMethod: 'S256' })
  const { answer, to } = await visitor().visit(url, ada)
  assert.deepEqual([to, answer.get('state'), answer.has('iss')], [callback, 'st', false])
  return client.acquireTokenByCode({ ...asked, code: answer.get('code') as string, codeVerifier: verifier })
}
const refusedWith = (code: number) => (error: AuthError & { errorNo?: string }) => {
  assert.match(error.message, new RegExp(`AADSTS${code}:`))
  return true
}

describe('MSAL: refusals are understood', () => {
  it('a wrong secret is AADSTS7000215', () =>
    assert.rejects(
      confidential({ clientSecret: 'wrong' }).acquireTokenByClientCredential({ scopes: [`api://${gateway.clientId}/.default`] }),
      refusedWith(7000215),
    ))
  it('a certificate that is not registered is AADSTS700027', () => {
    const other = selfSigned('other')
    const thumbprintSha256 = Buffer.from(thumbprints(other.cert).x5tS256, 'base64url').toString('hex')
    return assert.rejects(
      confidential({ clientCertificate: { thumbprintSha256, privateKey: other.key } }).acquireTokenByClientCredential({
        scopes: ['https://graph.microsoft.com/.default'],
      }),
      refusedWith(700027),
    )
  })
  it('a workload that is not federated is AADSTS700213', () =>
    assert.rejects(
      confidential({ clientAssertion: () => assertion({ sub: 'somebody else' }) }).acquireTokenByClientCredential({
        scopes: ['https://graph.microsoft.com/.default'],
      }),
      refusedWith(700213),
    ))
  it('on behalf of, with a condition: interaction_required with the claims to ask for', async () => {
    const { accessToken } = await signIn([gatewayScope])
    entra.requireClaims({ app: crm.clientId }, 'c1')
    try {
      await assert.rejects(
        confidential().acquireTokenOnBehalfOf({ oboAssertion: accessToken, scopes: [crmScope] }),
        (error: { errorCode: string; claims: string }) => {
          assert.equal(error.errorCode, 'interaction_required')
          assert.deepEqual(JSON.parse(error.claims), { access_token: { acrs: { essential: true, value: 'c1' } } })
          return true
        },
      )
    } finally {
      entra.clearConditions()
    }
  })
  it('on behalf of, without consent: AADSTS65001', async () => {
    const { accessToken } = await signIn([gatewayScope])
    await assert.rejects(
      confidential().acquireTokenOnBehalfOf({ oboAssertion: accessToken, scopes: [`${crm.identifierUris[0]}/records.write`] }),
      refusedWith(65001),
    )
  })
  it('a refresh token after the sessions were revoked: AADSTS50173', async () => {
    const client = confidential()
    const { account } = await signIn([gatewayScope], client)
    assert.ok(account)
    entra.revokeSessions(ada.oid)
    await assert.rejects(client.acquireTokenSilent({ account, scopes: [gatewayScope], forceRefresh: true }), refusedWith(50173))
  })
})

describe('MSAL: a confidential client', () => {
  it('signs a person in with a code and PKCE', async () => {
    const result = await signIn([gatewayScope])
    const claims = await checked(result.accessToken, 2)
    assert.deepEqual(
      [claims['aud'], claims['iss'], claims['oid'], claims['scp'], claims['azpacr'], claims['ver']],
      [gateway.clientId, `${entra.url}/${contoso}/v2.0`, ada.oid, 'mcp.access', '1', '2.0'],
    )
    assert.deepEqual(result.scopes, [gatewayScope])
    assert.deepEqual(
      [result.account?.homeAccountId, result.account?.username, result.tenantId],
      [`${ada.oid}.${contoso}`, ada.username, contoso],
    )
    assert.equal((await checked(result.idToken, 2))['nonce'], 'no')
    assert.equal(decodeJwt(result.idToken)['aud'], gateway.clientId)
  })
  it('gets a new token with its refresh token', async () => {
    const client = confidential()
    const { account, accessToken } = await signIn([gatewayScope], client)
    assert.ok(account)
    assert.equal((await client.acquireTokenSilent({ account, scopes: [gatewayScope] })).accessToken, accessToken)
    const again = await client.acquireTokenSilent({ account, scopes: [gatewayScope], forceRefresh: true })
    assert.notEqual(again.accessToken, accessToken)
    assert.equal(again.fromCache, false)
    assert.equal(entra.journal('token').at(-1)?.form['grant_type'], 'refresh_token')
  })
  it('acts on behalf of the person; the token has the format of the API behind', async () => {
    const { accessToken } = await signIn([gatewayScope])
    const result = await confidential().acquireTokenOnBehalfOf({ oboAssertion: accessToken, scopes: [crmScope] })
    const claims = await checked(result?.accessToken ?? '', 1)
    assert.deepEqual(
      [claims['aud'], claims['iss'], claims['appid'], claims['oid'], claims['scp'], claims['ver']],
      [crm.identifierUris[0], `https://sts.windows.net/${contoso}/`, gateway.clientId, ada.oid, 'records.read', '1.0'],
    )
  })
  for (const [name, proof] of Object.entries(proofs))
    it(`acts for itself, with a ${name}`, async () => {
      const result = await confidential(proof()).acquireTokenByClientCredential({ scopes: [`${crm.identifierUris[0]}/.default`] })
      const claims = await checked(result?.accessToken ?? '', 1)
      assert.deepEqual(
        [claims['roles'], claims['scp'], claims['appidacr']],
        [['Records.Read.All'], undefined, name === 'secret' ? '1' : '2'],
      )
    })
})

describe('MSAL: a public client', () => {
  it('signs in at organizations through a loopback address of any port, and asks again silently', async () => {
    const client = new PublicClientApplication({ auth: { clientId: desktop.clientId, ...authorityOf('organizations') } })
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes()
    const asked = { scopes: ['User.Read'], redirectUri: 'http://localhost:51234' }
    const url = await client.getAuthCodeUrl({ ...asked, codeChallenge: challenge, codeChallengeMethod: 'S256' })
    const { answer } = await visitor().visit(url, fay)
    const result = await client.acquireTokenByCode({ ...asked, code: answer.get('code') as string, codeVerifier: verifier })
    assert.deepEqual([result.tenantId, result.account?.username], [fabrikam, fay.username])
    const again = await client.acquireTokenSilent({ account: result.account!, scopes: ['User.Read'], forceRefresh: true })
    assert.notEqual(again.accessToken, result.accessToken)
    assert.equal(decodeJwt(again.accessToken)['appidacr'], '0')
  })
  it('declares what it can do, and the API learns it', async () => {
    const auth = { clientId: desktop.clientId, ...authorityOf(contoso), clientCapabilities: ['CP1'] }
    const client = new PublicClientApplication({ auth })
    const asked = { scopes: [gatewayScope], redirectUri: 'http://localhost:51234' }
    const { answer } = await visitor().visit(await client.getAuthCodeUrl(asked), ada)
    const { accessToken } = await client.acquireTokenByCode({ ...asked, code: answer.get('code') as string })
    assert.deepEqual(decodeJwt(accessToken)['xms_cc'], ['cp1'])
  })
})

describe('@azure/identity', () => {
  const options = () => ({ authorityHost: entra.url, disableInstanceDiscovery: true })
  const crmDefault = `${crm.identifierUris[0]}/.default`
  const credentials = {
    ClientSecretCredential: () => new ClientSecretCredential(contoso, gateway.clientId, gateway.secrets[0], options()),
    ClientCertificateCredential: () =>
      new ClientCertificateCredential(contoso, gateway.clientId, { certificate: certificate.key + certificate.cert }, options()),
    ClientAssertionCredential: () => new ClientAssertionCredential(contoso, gateway.clientId, () => assertion(), options()),
  } as const
  for (const [name, make] of Object.entries(credentials))
    it(name, async () => {
      const { token } = await make().getToken(crmDefault)
      assert.equal((await checked(token, 1))['appid'], gateway.clientId)
    })
  it('waits out a throttled token endpoint', async () => {
    entra.fail('token', { status: 429, retryAfterSeconds: 0, times: 1 })
    const { token } = await credentials.ClientSecretCredential().getToken(crmDefault)
    assert.equal(decodeJwt(token)['appid'], gateway.clientId)
    assert.deepEqual(
      entra
        .journal('token')
        .slice(-2)
        .map(({ status }) => status),
      [429, 200],
    )
  })
})

it('over TLS its cookies stay there, also when another site leads here', async () => {
  const query = { client_id: gateway.clientId, response_type: 'code', redirect_uri: callback, scope: gatewayScope }
  const [line] = (await fetch(authorizeUrl(entra, contoso, query))).headers.getSetCookie()
  assert.match(line ?? '', /^esctx=[\w-]{32}; Path=\/; HttpOnly; Secure; SameSite=None$/)
})

it('a process of its own trusts it through NODE_EXTRA_CA_CERTS', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-entra-'))
  try {
    writeFileSync(join(folder, 'ca.pem'), entra.ca)
    const program = `
      import { ClientSecretCredential } from '@azure/identity'
      const [url, tenant, client, scope] = process.argv.slice(1)
      const options = { authorityHost: url, disableInstanceDiscovery: true }
      const { token } = await new ClientSecretCredential(tenant, client, process.env.SECRET, options).getToken(scope)
      process.stdout.write(token)`
    const args = [entra.url, contoso, gateway.clientId, `${crm.identifierUris[0]}/.default`]
    const env = { ...process.env, SECRET: gateway.secrets[0], NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, ...args], { env })
    assert.equal((await checked(stdout, 1))['appid'], gateway.clientId)
  } finally {
    await rm(folder, { recursive: true })
  }
})
