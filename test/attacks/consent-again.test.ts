/**
 * CD-C1: a consent that is over stays over, and one that is kept is the one that was shown. What is taken back while a login is
 * under way, a description that changes under the page, and logins without a page.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { consentsList } from '../../src/admin/operations/consents-list.ts'
import { consentsRevoke } from '../../src/admin/operations/consents-revoke.ts'
import { Accounts } from '../../src/identity/front/accounts.ts'
import { Consents } from '../../src/identity/front/consents.ts'
import { Records } from '../../src/identity/front/records.ts'
import { certificateAuthority } from '../stand-ins/certificates.ts'
import { ada } from '../stand-ins/entra/contoso.ts'
import { type FrontHouse, openFrontHouse } from './support/front-house.ts'
import { authorization, Client, register, website } from './support/oauth-client.ts'
import { startSites } from './support/sites.ts'
import { isConsent, type Page, Surfer } from './support/surfer.ts'

let house: FrontHouse
before(async () => {
  house = await openFrontHouse()
})
after(async () => {
  await house.close()
  assert.deepEqual(house.errors, [])
})

const adaHere = `user:${ada.tenant}.${ada.oid}`
const codeIn = ({ url }: Page): string => url.searchParams.get('code') ?? ''
/** As an operator has it at hand. */
function kept({ store, seals, clock: { now } }: FrontHouse) {
  const clock = { now, monotonic: now }
  const records = new Records(store, seals, clock)
  return { records, consents: new Consents(records, clock, () => false), accounts: new Accounts(records), store, clock }
}
/** Through the pages of the provider alone. */
async function throughProvider(surfer: Surfer, from: Page): Promise<Page> {
  let page = from
  for (let step = 0; step < 6 && page.status === 200 && !isConsent(page); step++)
    if (page.html.includes('name="username"')) page = await surfer.send(page, { username: ada.username })
    else if (page.html.includes('name="consent"')) page = await surfer.send(page, { consent: 'accept' })
    else break
  return page
}

describe('a consent that is taken back while a login without a page is under way', () => {
  it('does not come back by itself: the person is asked, and nothing is kept or issued before', async () => {
    const client = await Client.register(house, {}, website)
    const surfer = new Surfer(house.fetch)
    await client.login(surfer)
    surfer.jar(house.entra.url).clear() // so that the next login waits for the person at the provider
    const atProvider = await surfer.visit(client.authorization().url)
    assert.equal(atProvider.url.host, new URL(house.entra.url).host, 'the page of ours was left out')
    await consentsRevoke(kept(house), { user: adaHere, client: client.id, by: 'cli:me' })
    await house.obey()
    const mine = async (): Promise<number> => (await consentsList(kept(house))).filter((row) => row.client === client.id).length
    assert.equal(await mine(), 0)
    await wait(1100) // tokens of the second of a revocation are older than it
    const notes = house.notes.length
    const page = await throughProvider(surfer, atProvider)
    assert.ok(isConsent(page), page.url.href)
    assert.equal(await mine(), 0)
    assert.ok(!house.notes.slice(notes).some((note) => note.startsWith('consent.given')))
    const denied = await surfer.send(page, { decision: 'deny' })
    assert.deepEqual([codeIn(denied), denied.url.searchParams.get('error')], ['', 'access_denied'])
  })
})

describe('a client that everything is taken back from', () => {
  it('is asked about anew: what people had allowed it before is gone, and what they allow it afterwards is not', async () => {
    const client = await Client.register(house, {}, website)
    const surfer = new Surfer(house.fetch)
    const { body } = await client.redeem(await client.login(surfer))
    await house.store.revoke('client', client.id, 'cli:me', 'malicious')
    await house.obey()
    assert.equal((await client.refresh(body['refresh_token'])).body['error'], 'invalid_grant')
    assert.ok(!(await surfer.visit(`${house.base}/oauth/consents`)).html.includes(client.id))
    assert.ok(isConsent(await surfer.visit(client.authorization().url)))
    assert.notEqual((await client.login(surfer)).code, '')
    assert.notEqual(codeIn(await surfer.visit(client.authorization().url)), '')
  })
})

describe('a description that changes between the page and the answer', () => {
  const changed: readonly (readonly [says: string, changes: object])[] = [
    ['another name', { client_name: 'Company Payroll (official)' }],
    ['another address besides', { redirect_uris: [website, 'https://attacker.test/cb'] }],
  ]
  for (const [says, changes] of changed)
    it(`${says}: the page is shown again and says why; what is kept is what was allowed`, async (test) => {
      const certificates = certificateAuthority()
      const sites = await startSites(certificates)
      const own = await openFrontHouse({ certificates, documents: [`localhost:${sites.port}`] })
      try {
        const id = `https://localhost:${sites.port}/client.json`
        const describe = (more: object): void => {
          const plain = { client_id: id, redirect_uris: [website], token_endpoint_auth_method: 'none' }
          const text = JSON.stringify({ ...plain, client_name: 'Harmless Reader', ...more })
          sites.put('localhost', '/client.json', text, { 'content-type': 'application/json' })
        }
        test.mock.timers.enable({ apis: ['Date'], now: Date.now() })
        describe({})
        const surfer = new Surfer(own.fetch)
        const page = await surfer.visit(authorization(own.base, id, website).url)
        assert.match(page.html, /Harmless Reader/)
        assert.doesNotMatch(page.html, /has changed/)
        describe(changes)
        test.mock.timers.tick(61_000)
        const again = await surfer.send(page, { decision: 'allow' })
        assert.ok(isConsent(again), again.url.href)
        assert.match(again.html, /has changed since this page was shown/)
        assert.deepEqual(await kept(own).consents.all(), [])
        assert.notEqual(codeIn(await throughProvider(surfer, await surfer.send(again, { decision: 'allow' }))), '')
        assert.ok(!isConsent(await surfer.visit(authorization(own.base, id, website).url)))
      } finally {
        await Promise.all([own.close(), sites.close()])
      }
    })

  it('what was shown cannot be put in its place by hand', async () => {
    const client = await Client.register(house, {}, website)
    const surfer = new Surfer(house.fetch)
    const [page, more] = [
      await surfer.visit(client.authorization().url),
      await surfer.visit(client.authorization({ scope: 'mcp:read mcp:destructive' }).url),
    ]
    const shownIn = ({ html }: Page): string => /name="shown" value="([^"]*)"/.exec(html)?.[1] ?? ''
    assert.notEqual(shownIn(page), shownIn(more))
    assert.equal((await surfer.post(more, { decision: 'allow', shown: shownIn(page) })).status, 403)
    assert.equal((await surfer.post(more, { decision: 'allow', shown: '' })).status, 403)
  })
})

describe('RFC 8252, 8.6: a program that another program can pass for is never let in without a page', () => {
  const loopbackAt = (port: number): string => `http://127.0.0.1:${port}/cb`
  const redirects: readonly (readonly [says: string, registered: string, first: string, then: string, isAsked: boolean])[] = [
    ['another port on loopback', loopbackAt(9001), loopbackAt(9001), loopbackAt(9666), true],
    ['the same port on loopback', loopbackAt(9001), loopbackAt(9001), loopbackAt(9001), true],
    ['an address of its own', website, website, website, false],
  ]
  for (const [says, registered, first, then, isAsked] of redirects)
    it(`${says}: ${isAsked ? 'asked' : 'not asked'}, and a refresh asks nobody`, async () => {
      const client = await Client.register(house, {}, registered)
      const surfer = new Surfer(house.fetch)
      const login = await client.login(surfer, { redirect_uri: first })
      const { body } = await client.redeem(login, { redirect_uri: first })
      const page = await surfer.visit(client.authorization({ redirect_uri: then }).url)
      assert.deepEqual([isConsent(page), codeIn(page) === ''], [isAsked, isAsked])
      assert.equal((await client.refresh(body['refresh_token'])).status, 200)
    })

  it('a private-use scheme: asked', async () => {
    const own = await openFrontHouse({ registration: { redirectSchemes: ['cursor'] } })
    try {
      const client = await Client.register(own, {}, 'cursor://cb')
      const surfer = new Surfer(own.fetch)
      const page = await surfer.visit(client.authorization().url)
      let at = await surfer.post(page, { decision: 'allow' })
      for (let step = 0; step < 12 && !at.headers.get('location')?.startsWith('cursor:'); step++) {
        const next = at.headers.get('location') ?? /0;url=([^"]*)"/.exec(at.html)?.[1]?.replaceAll('&amp;', '&')
        at = next ? await surfer.ask(new URL(next, at.url)) : await surfer.post(at, { username: ada.username, consent: 'accept' })
      }
      assert.match(at.headers.get('location') ?? '', /^cursor:\/\/cb\?.*code=/)
      assert.ok(isConsent(await surfer.visit(client.authorization().url)))
    } finally {
      await own.close()
    }
  })

  it('on loopback with a secret: not asked', async () => {
    const { body } = await register(house.fetch, house.base, {
      redirect_uris: [loopbackAt(9001)],
      token_endpoint_auth_method: 'client_secret_post',
    })
    const client = new Client(house, String(body['client_id']), loopbackAt(9001))
    const surfer = new Surfer(house.fetch)
    await client.login(surfer)
    assert.notEqual(codeIn(await surfer.visit(client.authorization().url)), '')
  })
})
