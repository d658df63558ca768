/** What operators take back from those who logged in through us: tokens, consents and our own signing key (AUTH-C4, CD-C1). */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, it } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import { consentsList } from '../../src/admin/operations/consents-list.ts'
import { consentsRevoke } from '../../src/admin/operations/consents-revoke.ts'
import { keysRotate } from '../../src/admin/operations/keys-rotate.ts'
import { tokensRevoke } from '../../src/admin/operations/tokens-revoke.ts'
import { Accounts } from '../../src/identity/front/accounts.ts'
import { Consents } from '../../src/identity/front/consents.ts'
import { Records } from '../../src/identity/front/records.ts'
import { type FrontHouse, openFrontHouse } from '../attacks/support/front-house.ts'
import { authorization, register, token } from '../attacks/support/oauth-client.ts'
import { isConsent, Surfer } from '../attacks/support/surfer.ts'
import { until } from './support/until.ts'

const redirectUri = 'https://app.client.test/callback'
const by = 'cli:me'
let house: FrontHouse
let records: Records
let consents: Consents
let accounts: Accounts
let clientId: string
let browser: Surfer
const clock = { now: () => house.clock.now(), monotonic: () => house.clock.now() }

beforeEach(async () => {
  house = await openFrontHouse()
  records = new Records(house.store, house.seals, clock)
  consents = new Consents(records, clock, () => false)
  accounts = new Accounts(records)
  clientId = String(
    (await register(house.fetch, house.base, { client_name: 'App', redirect_uris: [redirectUri] })).body['client_id'],
  )
  browser = new Surfer(house.fetch)
})
afterEach(() => house.close())

interface Held {
  readonly access: string
  readonly refresh: string
}
async function logIn(): Promise<Held> {
  const { url, verifier } = authorization(house.base, clientId, redirectUri)
  const landed = await browser.agree(url)
  const code = landed.url.searchParams.get('code') ?? ''
  return redeemed({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier })
}
async function redeemed(fields: Record<string, string>): Promise<Held> {
  const { status, body } = await token(house.fetch, house.base, { client_id: clientId, ...fields })
  assert.equal(status, 200, JSON.stringify(body))
  return { access: String(body['access_token']), refresh: String(body['refresh_token']) }
}
const refreshed = (refresh: string) =>
  token(house.fetch, house.base, { client_id: clientId, grant_type: 'refresh_token', refresh_token: refresh })
const kidOf = (access: string): string => decodeProtectedHeader(access).kid as string
const user = async (): Promise<string> => (await consentsList({ consents, accounts }))[0]?.user as string

it('consents revoke: refused for a client that nobody agreed to, for a name, and for another user', async () => {
  await logIn()
  const revoke = (asked: { user: string; client: string }) =>
    consentsRevoke({ records, consents, store: house.store, clock }, { ...asked, by })
  await assert.rejects(revoke({ user: await user(), client: `${clientId}x` }), {
    message: /has not agreed to .*; did you mean "/,
  })
  await assert.rejects(revoke({ user: 'ada@contoso.test', client: clientId }), { message: /is not the id of a user/ })
  await assert.rejects(revoke({ user: 'user:t.nobody', client: clientId }), { message: /has not agreed/ })
  assert.deepEqual(await house.store.revocations(), [])
})

it('consents revoke: access and refresh tokens are no longer good, and the person is asked again', async () => {
  const held = await logIn()
  const who = await user()
  assert.equal(await house.whoIs(held.access), who)
  await consentsRevoke({ records, consents, store: house.store, clock }, { user: who, client: clientId, by })
  await house.obey()
  assert.equal(await house.whoIs(held.access), 'UNAUTHENTICATED')
  assert.equal((await refreshed(held.refresh)).body['error'], 'invalid_grant')
  assert.deepEqual(await consentsList({ consents, accounts }), [])
  assert.ok(isConsent(await browser.visit(authorization(house.base, clientId, redirectUri).url)))
  assert.deepEqual(
    (await house.store.unrecorded()).map(({ action, by, detail }) => `${action} ${by} ${detail}`),
    [`tokens.revoked cli:me holder ${who} ${clientId}: consent taken back`, `consent.revoked cli:me ${who} ${clientId}`],
  )
})

for (const whose of ['user', 'client'] as const)
  it(`tokens revoke --${whose}: a refresh token from before brings no new access token, a new login does`, async () => {
    const held = await logIn()
    const rotated = String((await refreshed(held.refresh)).body['refresh_token'])
    const hand = { store: house.store, hasBeenHere: async () => true }
    await tokensRevoke(hand, { [whose]: whose === 'user' ? await user() : clientId, by })
    await house.obey()
    assert.equal(await house.whoIs(held.access), 'UNAUTHENTICATED')
    assert.equal((await refreshed(rotated)).body['error'], 'invalid_grant')
    // Tokens have whole seconds, and one of the very second of a revocation is not good either.
    const next = Math.floor(Date.now() / 1000) + 1
    await until('another second has begun', () => Date.now() / 1000 > next)
    const again = await logIn()
    assert.equal(await house.whoIs(again.access), await user())
    assert.equal((await refreshed(again.refresh)).status, 200)
  })

it('keys rotate: signs with the next key at once, believes the one before it for an hour, and no longer', async () => {
  const first = await logIn()
  assert.deepEqual(await keysRotate(records, clock, by), { key: 2, believed: [1] })
  await house.obey()
  const second = await redeemed({ grant_type: 'refresh_token', refresh_token: first.refresh })
  assert.notEqual(kidOf(second.access), kidOf(first.access))
  for (const { access } of [first, second]) assert.equal(await house.whoIs(access), await user())
  const published = async () => {
    const { keys } = (await (await house.fetch(`${house.base}/oauth/jwks`)).json()) as { keys: { kid: string; d?: string }[] }
    assert.ok(keys.every(({ d }) => d === undefined))
    return keys.map(({ kid }) => kid)
  }
  assert.deepEqual(await published(), [kidOf(second.access), kidOf(first.access)])
  house.clock.advance(3_800_000)
  await house.obey()
  assert.deepEqual(await published(), [kidOf(second.access)])
})

it('keys rotate: who is in the middle of a login when it happens gets there', async () => {
  const { url, verifier } = authorization(house.base, clientId, redirectUri)
  const asked = await browser.visit(url)
  assert.ok(isConsent(asked))
  await keysRotate(records, clock, by)
  await house.obey()
  let page = await browser.send(asked, { decision: 'allow' })
  page = page.html.includes('name="username"') ? await browser.send(page, { username: 'ada@contoso.test' }) : page
  if (page.html.includes('name="consent"')) page = await browser.send(page, { consent: 'accept' })
  const code = page.url.searchParams.get('code') ?? ''
  const held = await redeemed({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier })
  assert.match(kidOf(held.access), /^sekisho-2-/)
})
