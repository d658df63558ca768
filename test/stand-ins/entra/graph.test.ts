/** Whose groups are these: who may ask Graph, and what it answers. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { authorizeUrl, post } from './ask.ts'
import { ada, bo, company, contoso, crm, desktop, gateway, guest } from './contoso.ts'
import { servicePrincipalOf } from './directory.ts'
import { startEntra } from './entra.ts'
import { visitor } from './visitor.ts'

const crowd = {
  ...bo,
  oid: '44444444-0000-4000-8000-00000000000b',
  username: 'crowd@contoso.test',
  groups: Array.from({ length: 11_001 }, (_, index) => String(index)),
}
const entra = await startEntra({
  ...{ ...company, users: [...company.users, crowd], groupsOfApps: { [crm.clientId]: ['g1'] } },
  plainHttpOnLoopback: true,
})
after(() => entra.close())

const principal = servicePrincipalOf(crm, contoso)
const graphDefault = 'https://graph.microsoft.com/.default'
async function appToken(scope = graphDefault): Promise<string> {
  const secret = { client_id: gateway.clientId, client_secret: gateway.secrets[0] }
  const { body } = await post(entra, contoso, { ...secret, grant_type: 'client_credentials', scope })
  return String(body['access_token'])
}
async function personToken(scope = 'User.Read'): Promise<string> {
  const asked = { client_id: desktop.clientId, redirect_uri: 'http://localhost:1' }
  const { answer } = await visitor().visit(authorizeUrl(entra, contoso, { ...asked, response_type: 'code', scope }), ada)
  const { body } = await post(entra, contoso, { ...asked, grant_type: 'authorization_code', code: answer.get('code') ?? '' })
  return String(body['access_token'])
}
const ask = async (path: string, token: string | undefined, body = '{"securityEnabledOnly":false}') => {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
  const response = await fetch(`${entra.url}/v1.0/${path}/getMemberObjects`, { method: 'POST', body, headers })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as { value?: string[]; error?: { code: string } },
  }
}

describe('Graph refuses', () => {
  const rows: readonly (readonly [
    why: string,
    path: string,
    token: () => Promise<string | undefined>,
    status: number,
    code: string,
    body?: string,
  ])[] = [
    ['nobody', `users/${bo.oid}`, async () => undefined, 401, 'InvalidAuthenticationToken'],
    ['what is no token', `users/${bo.oid}`, async () => 'x', 401, 'InvalidAuthenticationToken'],
    [
      'a token for another API',
      `users/${bo.oid}`,
      () => appToken('api://crm.contoso.test/.default'),
      401,
      'InvalidAuthenticationToken',
    ],
    [
      'a token of a stranger',
      `users/${bo.oid}`,
      async () => entra.issue({ client: gateway.clientId, resource: 'https://graph.microsoft.com', key: 'unknown' }),
      401,
      'InvalidAuthenticationToken',
    ],
    [
      'a token that is over',
      `users/${bo.oid}`,
      async () => entra.issue({ client: gateway.clientId, resource: 'https://graph.microsoft.com', claims: { exp: 1 } }),
      401,
      'InvalidAuthenticationToken',
    ],
    ['a person who asks about another', `users/${bo.oid}`, () => personToken(), 403, 'Authorization_RequestDenied'],
    ['an app that asks about itself', 'me', () => appToken(), 400, 'BadRequest'],
    ['a user who is not there', 'users/nobody', () => appToken(), 404, 'Request_ResourceNotFound'],
    ['a body without the question', `users/${bo.oid}`, () => appToken(), 400, 'Request_BadRequest', '{}'],
    ['more groups than it lists', `users/${crowd.oid}`, () => appToken(), 400, 'Directory_ResultSizeLimitExceeded'],
  ]
  for (const [why, path, token, status, code, body] of rows)
    it(why, async () => {
      const told = await ask(path, await token(), body)
      assert.deepEqual([told.status, told.body.error?.code], [status, code])
    })
  it('a person whose sessions were revoked, with a claims challenge', async () => {
    const token = await personToken()
    entra.revokeSessions(ada.oid)
    const { status, headers } = await ask('me', token)
    const [, claims = ''] = /error="insufficient_claims", claims="([^"]+)"/.exec(headers.get('www-authenticate') ?? '') ?? []
    const { access_token: asked } = JSON.parse(Buffer.from(claims, 'base64').toString('utf8'))
    assert.equal(status, 401)
    assert.deepEqual(asked, { nbf: { essential: true, value: String(Math.floor(entra.clock.now() / 1000)) } })
  })
})

describe('Graph answers', () => {
  const rows: readonly (readonly [why: string, path: string, token: () => Promise<string>, groups: readonly string[]])[] = [
    ['an app with the role, about a user with many', `users/${bo.oid}`, () => appToken(), bo.groups],
    ['about a user with none', `users/${guest.oid}`, () => appToken(), []],
    ['about an app', `servicePrincipals/${principal}`, () => appToken(), ['g1']],
    ['a person, about themselves', 'me', () => personToken(), ada.groups],
    ['a person, by their id', `users/${ada.oid}`, () => personToken(), ada.groups],
  ]
  for (const [why, path, token, groups] of rows)
    it(why, async () => {
      const { status, body } = await ask(path, await token())
      assert.deepEqual([status, body.value], [200, groups])
    })
})

it('nobody else can check a token for Graph', async () => {
  const keys = createLocalJWKSet(entra.jwks() as unknown as JSONWebKeySet)
  await assert.rejects(jwtVerify(await appToken(), keys), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
})
