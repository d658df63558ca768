/** The AADSTS codes, on the wire: of the token endpoint in a body, of the authorization endpoint on a page or in a redirect. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { authorizeUrl, challengeOf, type Form, post } from './ask.ts'
import { ada, company, contoso, crm, desktop, editor, fabrikam, gateway, single } from './contoso.ts'
import { startEntra } from './entra.ts'
import { visitor } from './visitor.ts'

const strict = {
  ...crm,
  clientId: '33333333-0000-4000-8000-000000000006',
  name: 'Strict',
  identifierUris: ['api://strict'],
  assignmentRequired: true,
}
const world = { ...company, apps: [...company.apps, strict], plainHttpOnLoopback: true }
const entra = await startEntra(world)
const older = await startEntra({ ...world, resourceParameter: 'unsupported' })
after(() => Promise.all([entra.close(), older.close()]))

const scope = `api://${gateway.clientId}/mcp.access`
const crmScope = 'api://crm.contoso.test/records.read'
const [callback] = gateway.redirectUris.web
const verifier = 'v'.repeat(43)
const asGateway = { client_id: gateway.clientId, client_secret: gateway.secrets[0] }
const appOnly: Form = { ...asGateway, grant_type: 'client_credentials', scope: 'api://crm.contoso.test/.default' }
const start: Form = {
  client_id: gateway.clientId,
  response_type: 'code',
  redirect_uri: callback,
  scope: `${scope} openid offline_access`,
  state: 'st',
}
const desktopStart: Form = { ...start, client_id: desktop.clientId, redirect_uri: 'http://localhost:1234' }

/** A form that redeems a code which ada just got. */
async function redeeming(query: Form = start): Promise<Form> {
  const { answer } = await visitor().visit(authorizeUrl(entra, contoso, query), ada)
  const secret = query['client_id'] === gateway.clientId ? asGateway : { client_id: query['client_id'] }
  return { ...secret, grant_type: 'authorization_code', code: answer.get('code') as string, redirect_uri: query['redirect_uri'] }
}
async function refreshing(query: Form = start, headers: Record<string, string> = {}): Promise<Form> {
  const { code: _code, redirect_uri: _uri, ...rest } = await redeeming(query)
  const { body } = await post(
    entra,
    contoso,
    { ...rest, code: _code, redirect_uri: _uri, code_verifier: query['code_challenge'] && verifier },
    headers,
  )
  return { ...rest, grant_type: 'refresh_token', refresh_token: body['refresh_token'] as string }
}
const assertion = (change: object = {}): string =>
  entra.issue({ client: desktop.clientId, resource: gateway.clientId, user: ada.oid, scopes: ['mcp.access'], ...change })
const behalf = (token = assertion(), change: Form = {}): Form => ({
  ...asGateway,
  grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  requested_token_use: 'on_behalf_of',
  assertion: token,
  scope: crmScope,
  ...change,
})
const withChallenge = { ...start, code_challenge: challengeOf(verifier), code_challenge_method: 'S256' }
const spaStart = {
  ...withChallenge,
  client_id: single.clientId,
  redirect_uri: single.redirectUris.spa[0],
  scope: 'User.Read offline_access',
}

type Case = readonly [
  code: number,
  why: string,
  form: () => Form | Promise<Form>,
  error: string,
  status?: number,
  segment?: string,
  headers?: Record<string, string>,
]
const cases: readonly Case[] = [
  [90002, 'a tenant that is not there', () => appOnly, 'invalid_request', 400, 'nowhere.test'],
  [900144, 'no grant type', () => ({ ...appOnly, grant_type: undefined }), 'invalid_request'],
  [900144, 'no client', () => ({ ...appOnly, client_id: undefined }), 'invalid_request'],
  [900144, 'no scope', () => ({ ...appOnly, scope: undefined }), 'invalid_request'],
  [70003, 'a password', () => ({ ...appOnly, grant_type: 'password' }), 'unsupported_grant_type'],
  [700016, 'an app that is not there', () => ({ ...appOnly, client_id: ada.oid }), 'unauthorized_client'],
  [700016, 'an app of another tenant', () => appOnly, 'unauthorized_client', 400, fabrikam],
  [50194, 'an app of one tenant, at common', () => appOnly, 'invalid_request', 400, 'common'],
  [7000218, 'no secret', () => ({ ...appOnly, client_secret: undefined }), 'invalid_client', 401],
  [7000215, 'a wrong secret', () => ({ ...appOnly, client_secret: 'wrong' }), 'invalid_client', 401],
  [
    700027,
    'an assertion that is none',
    () => ({
      ...appOnly,
      client_assertion: 'x',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }),
    'invalid_client',
    401,
  ],
  [1002012, 'a named scope for an app', () => ({ ...appOnly, scope: crmScope }), 'invalid_scope'],
  [501051, 'an app without an assignment', () => ({ ...appOnly, scope: 'api://strict/.default' }), 'invalid_grant'],
  [500011, 'an API that is not there', () => ({ ...appOnly, scope: 'api://nowhere/.default' }), 'invalid_resource'],
  [
    9010010,
    'a resource that the scope does not mean',
    () => ({ ...appOnly, resource: 'https://gateway.contoso.test/mcp' }),
    'invalid_target',
  ],
  [70000, 'a code that was never given', async () => ({ ...(await redeeming()), code: 'x' }), 'invalid_grant'],
  [70000, 'a code of another client', async () => ({ ...(await redeeming(desktopStart)), ...asGateway }), 'invalid_grant'],
  [
    500112,
    'another redirect URI than before',
    async () => ({ ...(await redeeming()), redirect_uri: 'https://evil.test/' }),
    'invalid_client',
  ],
  [501481, 'no verifier', () => redeeming(withChallenge), 'invalid_grant'],
  [
    501481,
    'a wrong verifier',
    async () => ({ ...(await redeeming(withChallenge)), code_verifier: 'w'.repeat(43) }),
    'invalid_grant',
  ],
  [
    700025,
    'a secret of a public client',
    async () => ({ ...(await redeeming(desktopStart)), client_secret: 'x' }),
    'invalid_client',
    401,
  ],
  [28000, 'two APIs at once', async () => ({ ...(await redeeming()), scope: `${scope} ${crmScope}` }), 'invalid_request'],
  [
    70011,
    '.default and more',
    async () => ({ ...(await redeeming()), scope: `${scope} api://${gateway.clientId}/.default` }),
    'invalid_scope',
  ],
  [
    9002326,
    'a page redeems what is not for pages',
    () => redeeming(),
    'invalid_request',
    400,
    contoso,
    { origin: 'https://page.contoso.test' },
  ],
  [
    9002327,
    'a server redeems what is for pages',
    async () => ({ ...(await redeeming(spaStart)), code_verifier: verifier }),
    'invalid_request',
  ],
  [70000, 'a refresh token that was never given', async () => ({ ...(await refreshing()), refresh_token: 'x' }), 'invalid_grant'],
  [650053, 'a bare scope, which means Graph', async () => ({ ...(await refreshing()), scope: 'mcp.access' }), 'invalid_client'],
  [
    65001,
    'a scope that nobody agreed to',
    async () => ({ ...(await refreshing()), scope: `api://${gateway.clientId}/mcp.admin` }),
    'invalid_grant',
  ],
  [50013, 'an assertion of somebody else', () => behalf(assertion({ key: 'unknown' })), 'invalid_grant'],
  [50013, 'an assertion that is no token', () => behalf('x.y.z'), 'invalid_grant'],
  [
    500131,
    'an assertion for another app',
    () => behalf(assertion({ resource: crm.clientId, scopes: ['records.read'] })),
    'invalid_grant',
  ],
  [500133, 'an assertion that is over', () => behalf(assertion({ claims: { exp: 1 } })), 'invalid_grant'],
  [
    240002,
    'an ID token as assertion',
    () => behalf(entra.issue({ client: gateway.clientId, user: ada.oid, kind: 'id' })),
    'invalid_grant',
  ],
  [7000114, 'an app on behalf of an app', () => behalf(assertion({ user: undefined, scopes: undefined })), 'invalid_grant'],
  [900144, 'on behalf of, without saying so', () => behalf(assertion(), { requested_token_use: undefined }), 'invalid_request'],
  [
    65001,
    'on behalf of, without consent',
    () => behalf(assertion(), { scope: 'api://crm.contoso.test/records.write' }),
    'invalid_grant',
  ],
]

describe('the token endpoint', () => {
  for (const [code, why, form, error, status = 400, segment = contoso, headers = {}] of cases)
    it(`${code} ${error}: ${why}`, async () => {
      const told = await post(entra, segment, await form(), headers)
      const { error: got, error_codes, error_description } = told.body
      assert.deepEqual([told.status, got, error_codes], [status, error, [code]], String(error_description))
      assert.match(
        String(error_description),
        new RegExp(`^AADSTS${code}: .+\\r\\nTrace ID: [\\w-]{36}\\r\\nCorrelation ID: [\\w-]{36}\\r\\nTimestamp: \\S+ \\S+Z$`),
      )
      assert.doesNotMatch(JSON.stringify(told.body), new RegExp(gateway.secrets[0]))
    })

  it('901002: `resource` as it was answered until 2025, whatever it is', async () => {
    const { body } = await post(older, contoso, { ...appOnly, resource: 'api://crm.contoso.test' })
    assert.deepEqual(body['error_codes'], [901002])
  })
  it('9000411: a parameter that comes twice', async () => {
    const twice = new URLSearchParams([...Object.entries(appOnly), ['scope', 'x']] as [string, string][])
    assert.deepEqual((await post(entra, contoso, twice)).body['error_codes'], [9000411])
  })
  it('900561: GET', async () => {
    const response = await fetch(`${entra.url}/${contoso}/oauth2/v2.0/token`)
    assert.deepEqual(((await response.json()) as { error_codes: number[] }).error_codes, [900561])
  })
  it('54005: a code for the second time', async () => {
    const form = await redeeming()
    assert.equal((await post(entra, contoso, form)).status, 200)
    assert.deepEqual((await post(entra, contoso, form)).body['error_codes'], [54005])
  })
})

describe('time, and what an administrator does', () => {
  const day = 86_400_000
  const rows: readonly (readonly [code: number, why: string, get: () => Promise<Form>, before: () => void, undo?: () => void])[] =
    [
      [70008, 'a code after ten minutes', redeeming, () => entra.clock.advance(600_001)],
      [700082, 'a refresh token after ninety days', refreshing, () => entra.clock.advance(90 * day + 1)],
      [50057, 'a code of a user who was disabled', redeeming, () => entra.disableUser(ada.oid), () => entra.enableUser(ada.oid)],
      [50057, 'a refresh token of one', refreshing, () => entra.disableUser(ada.oid), () => entra.enableUser(ada.oid)],
      [50173, 'a refresh token from before the revocation', refreshing, () => entra.revokeSessions(ada.oid)],
      [53003, 'a user who is blocked', refreshing, () => entra.block({ user: ada.oid }), () => entra.clearConditions()],
      [
        50076,
        'an app that asks for more proof',
        refreshing,
        () => entra.requireClaims({ app: gateway.clientId }, 'c1'),
        () => entra.clearConditions(),
      ],
    ]
  for (const [code, why, get, before, undo = () => undefined] of rows)
    it(`${code}: ${why}`, async () => {
      const form = await get()
      before()
      const { body, status } = await post(entra, contoso, form)
      undo()
      assert.deepEqual([status, body['error_codes']], [400, [code]])
      const claims = code === 50076 ? '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}' : undefined
      assert.equal(body['claims'], claims)
      assert.equal(body['error'], code === 50076 ? 'interaction_required' : 'invalid_grant')
    })
  it('700084: a refresh token of a page lives for a day, and use does not prolong it', async () => {
    const origin = { origin: 'https://page.contoso.test' }
    const form = await refreshing(spaStart, origin)
    entra.clock.advance(day / 2 + 1)
    const { body } = await post(entra, contoso, form, origin)
    entra.clock.advance(day / 2)
    const later = await post(entra, contoso, { ...form, refresh_token: body['refresh_token'] as string }, origin)
    assert.deepEqual(later.body['error_codes'], [700084])
    assert.equal(later.headers.get('access-control-allow-origin'), '*')
  })
})

describe('the authorization endpoint keeps to itself what the client may not have', () => {
  const pages: readonly (readonly [code: number, why: string, change: Form, segment?: string])[] = [
    [90002, 'a tenant that is not there', {}, 'nowhere.test'],
    [900144, 'no client', { client_id: undefined }],
    [700016, 'an app that is not there', { client_id: ada.oid }],
    [50194, 'an app of one tenant, at common', {}, 'common'],
    [900144, 'no redirect URI', { redirect_uri: undefined }],
    [50011, 'a redirect URI of somebody else', { redirect_uri: 'https://evil.test/callback' }],
    [50011, 'one with something added', { redirect_uri: `${callback}/more` }],
    [50011, 'one with a query', { redirect_uri: `${callback}?x=1` }],
    [50011, 'one with another port, not on loopback', { redirect_uri: 'https://gateway.contoso.test:8443/callback' }],
    [50011, 'a loopback address, with another path', { client_id: desktop.clientId, redirect_uri: 'http://127.0.0.1:99/else' }],
    [50011, 'a loopback name that was not registered', { client_id: editor.clientId, redirect_uri: 'http://127.0.0.1:99' }],
    [50011, 'loopback before an @', { client_id: desktop.clientId, redirect_uri: 'http://localhost:1@evil.test' }],
  ]
  for (const [code, why, change, segment = contoso] of pages)
    it(`${code}: ${why}`, async () => {
      const response = await fetch(authorizeUrl(entra, segment, { ...start, ...change }), { redirect: 'manual' })
      assert.deepEqual([response.status, response.headers.get('location')], [400, null])
      assert.match(await response.text(), new RegExp(`role="alert">AADSTS${code}:`))
    })
})

describe('the authorization endpoint tells the client the rest', () => {
  const redirects: readonly (readonly [code: number, error: string, why: string, change: Form])[] = [
    [900144, 'invalid_request', 'no scope', { scope: undefined }],
    [900144, 'invalid_request', 'no response type', { response_type: undefined }],
    [700054, 'unsupported_response_type', 'an ID token at once', { response_type: 'id_token' }],
    [70007, 'unsupported_response_mode', 'a mode that nobody knows', { response_mode: 'pigeon' }],
    [650053, 'invalid_client', 'a bare scope, which means Graph', { scope: 'mcp.access' }],
    [500011, 'invalid_resource', 'an API that is not there', { scope: 'api://nowhere/x' }],
    [9010010, 'invalid_target', 'a resource that the scope does not mean', { resource: 'https://gateway.contoso.test/mcp' }],
    [501491, 'invalid_request', 'a challenge that is too short', { code_challenge: 'x', code_challenge_method: 'S256' }],
    [
      9002325,
      'invalid_request',
      'a page without a challenge',
      { client_id: single.clientId, redirect_uri: single.redirectUris.spa[0] },
    ],
    [50058, 'login_required', 'nobody is signed in, and nobody may be asked', { prompt: 'none' }],
  ]
  for (const [code, error, why, change] of redirects)
    it(`${code} ${error}: ${why}`, async () => {
      const { to, answer } = await visitor().visit(authorizeUrl(entra, contoso, { ...start, ...change }))
      assert.equal(to, change['redirect_uri'] ?? callback)
      assert.deepEqual([answer.get('error'), answer.get('state')], [error, 'st'])
      assert.match(answer.get('error_description') ?? '', new RegExp(`^AADSTS${code}: `))
      assert.equal(answer.has('code'), false)
    })
  it('901002: `resource` as it was answered until 2025', async () => {
    const { answer } = await visitor().visit(authorizeUrl(older, contoso, { ...start, resource: `api://${gateway.clientId}` }))
    assert.match(answer.get('error_description') ?? '', /^AADSTS901002: /)
  })
})

it('a resource that the scopes mean is let through', async () => {
  const { status } = await post(entra, contoso, { ...appOnly, resource: 'api://crm.contoso.test' })
  assert.equal(status, 200)
})
