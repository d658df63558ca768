/**
 * Tokens of a provider that are no access tokens, for an audience that is the id of a client: an ID token, a logout token or a
 * refresh token lets nobody in (RFC 9068, 5). What the large providers issue as access tokens does, though it is plain `JWT`.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Issuer, issuer } from './support/issuer.ts'
import { resourceServer } from './support/resource-server.ts'

let provider: Issuer
before(async () => {
  provider = await issuer()
})
after(() => provider.close())

const audience = 'gateway-client'
const bare = { client_id: undefined, scope: undefined }
async function answerTo(claims: object, header: object): Promise<string> {
  const answer = await resourceServer(provider, { audience }).ask(provider.token(audience, 'ada', { ...bare, ...claims }, header))
  return typeof answer === 'string' ? answer : `${answer.kind} by ${answer.claims?.client}`
}

const type = 'UNAUTHENTICATED: the token is not an access token'
const grant = 'UNAUTHENTICATED: the token has neither scopes nor roles nor the id of a client, as access tokens have'
const logout = { 'http://schemas.openid.net/event/backchannel-logout': {} }
const loggedIn = { azp: audience, auth_time: 1, sid: 's' }
const refusals: readonly (readonly [name: string, claims: object, answer: string, header?: object])[] = [
  ['an ID token', { auth_time: 1, email: 'a@b' }, grant],
  ['an ID token with a nonce', { nonce: 'n', scope: 'openid' }, type],
  ['an ID token after a refresh (OpenID Connect Core, 12.2)', { ...loggedIn, email: 'a@b' }, grant],
  ['an ID token with roles', { roles: ['Admin'], auth_time: 1 }, grant],
  ['an ID token of Keycloak', { ...loggedIn, typ: 'ID', acr: '1', preferred_username: 'ada' }, type],
  ['an ID token of Keycloak with scopes', { ...loggedIn, typ: 'ID', scope: 'openid' }, type],
  ['an ID token of Google', { azp: audience, email: 'a@b', email_verified: true, hd: 'b' }, grant],
  ['an ID token of Cognito', { token_use: 'id', client_id: audience }, type],
  ['an ID token of Auth0', { sid: 's', nickname: 'ada', updated_at: '2026-01-01' }, grant],
  ['an ID token of Okta', { ver: 1, idp: '00o1', amr: ['pwd'], auth_time: 1 }, grant],
  ['a refresh token of Keycloak', { azp: audience, typ: 'Refresh', scope: 'openid' }, type],
  ['an offline token of Keycloak', { azp: audience, typ: 'Offline', scope: 'openid offline_access' }, type],
  ['a type that is no text', { typ: 7, scope: 'openid' }, type],
  ['a logout token', { ...loggedIn, events: logout }, type],
  ['a logout token with scopes', { sid: 's', events: logout, scope: 'openid' }, type],
  ['a logout token under the type of access tokens', { events: logout, client_id: audience }, type, { typ: 'at+jwt' }],
]
for (const [name, claims, answer, header = { typ: 'JWT' }] of refusals)
  test(`refuses ${name}`, async () => assert.equal(await answerTo(claims, header), answer))

const accepted: readonly (readonly [name: string, claims: object, answer: string, header?: object])[] = [
  ['RFC 9068', { client_id: 'editor' }, 'user by editor', { typ: 'at+jwt' }],
  ['RFC 9068, written out', { client_id: 'editor', nonce: 'n' }, 'user by editor', { typ: 'application/at+jwt' }],
  ['Keycloak', { ...loggedIn, azp: 'editor', typ: 'Bearer', scope: 'openid email', acr: '1' }, 'user by editor'],
  ['Keycloak with DPoP before its key is asked for', { azp: 'editor', typ: 'DPoP', scope: 'openid' }, 'user by editor'],
  ['Keycloak, of a service account', { azp: 'job', client_id: 'job', typ: 'Bearer', scope: 'email' }, 'user by job'],
  ['Auth0', { azp: 'editor', scope: 'openid mcp', permissions: [] }, 'user by editor'],
  ['Auth0, of a machine without scopes', { azp: 'job', gty: 'client-credentials', sub: 'job@clients' }, 'user by job'],
  ['Okta', { ver: 1, cid: 'editor', uid: '00u1', scp: ['openid', 'mcp'] }, 'user by editor', {}],
  ['Okta, of a machine', { ver: 1, cid: 'job', sub: 'job', scp: ['mcp'] }, 'application by job', {}],
  ['Cognito with an audience', { token_use: 'access', client_id: 'editor', scope: 'mcp' }, 'user by editor'],
  ['Hydra', { client_id: 'editor', scp: ['mcp'], ext: {} }, 'user by editor'],
  ['Authentik', { azp: 'editor', uid: 'u', scope: 'openid' }, 'user by editor'],
]
for (const [name, claims, answer, header = { typ: 'JWT' }] of accepted)
  test(`accepts an access token of ${name}`, async () => assert.equal(await answerTo(claims, header), answer))
