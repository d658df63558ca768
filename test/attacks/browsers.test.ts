/**
 * CD-C1, CD-C4: in whose name a browser may do something here. A login that was taken back, and one whose account the provider
 * no longer vouches for, is over in the browser too: its cookie is what a thief of a profile has.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ConnectLinks } from '../../src/identity/front/connect-links.ts'
import { ada } from '../stand-ins/entra/contoso.ts'
import { bob, type FrontHouse, openFrontHouse } from './support/front-house.ts'
import { Client, website } from './support/oauth-client.ts'
import { isConsent, plain, Surfer } from './support/surfer.ts'

let house: FrontHouse
before(async () => {
  house = await openFrontHouse({ changes: { recheckMinutes: 1 } })
})
after(() => house.close())

const adaHere = `user:${ada.tenant}.${ada.oid}`
/** With the cookies of a browser that the gateway gave it, and nothing of the provider's. */
function thiefOf(victim: Surfer): Surfer {
  const thief = new Surfer(house.fetch)
  for (const [name, value] of victim.jar(house.base)) if (name.includes('sekisho_browser')) thief.jar(house.base).set(name, value)
  return thief
}

async function mayActAs(surfer: Surfer, client: Client): Promise<readonly string[]> {
  const consents = await surfer.visit(`${house.base}/oauth/consents`)
  const connect = await surfer.post(await surfer.visit(`${house.base}/oauth/connect/x`), {})
  const asked = await surfer.visit(client.authorization().url)
  return [
    ...(consents.html.includes('name="client"') ? ['sees what was allowed'] : []),
    ...(connect.html.includes(`0;url=${house.entra.url}`) ? [] : ['connects']),
    ...(isConsent(asked) ? [] : ['is asked nothing']),
  ]
}

describe('whoever has the cookie of a browser has nothing by it', () => {
  const endings: readonly (readonly [says: string, end: (client: Client, refreshToken: unknown) => Promise<void>])[] = [
    [
      'after everything that the person was given was taken back',
      async () => {
        await house.store.revoke('user', adaHere, 'cli:me', 'browser stolen')
        await house.obey()
      },
    ],
    [
      'after the provider has disabled the account, and after it is enabled again',
      async (client, refreshToken) => {
        house.entra.disableUser(ada.oid)
        house.clock.advance(61_000)
        assert.equal((await client.refresh(refreshToken)).body['error'], 'invalid_grant')
        house.entra.enableUser(ada.oid)
        assert.notEqual((await client.login(new Surfer(house.fetch))).code, '')
      },
    ],
  ]
  for (const [says, end] of endings)
    it(says, async () => {
      const client = await Client.register(house, {}, website)
      const victim = new Surfer(house.fetch)
      const { body: tokens } = await client.redeem(await client.login(victim))
      assert.deepEqual(await mayActAs(thiefOf(victim), client), ['sees what was allowed', 'connects', 'is asked nothing'])
      await end(client, tokens['refresh_token'])
      assert.deepEqual(await mayActAs(thiefOf(victim), client), [])
    })
})

describe('CD-C4: a link to connect a server, opened where somebody else is signed in', () => {
  const bobHere = `user:${bob.tenant}.${bob.oid}`
  const linkFor = (user: string, server = 'x', at = house.clock): string => {
    const links = new ConnectLinks(house.seals, { now: at.now, monotonic: at.now })
    return `${house.base}/oauth/connect/${server}?for=${encodeURIComponent(links.make(server, user))}`
  }
  const signedIn = async (username: string = ada.username): Promise<Surfer> => {
    const surfer = new Surfer(house.fetch)
    const client = await Client.register(house)
    assert.notEqual((await client.login(surfer, {}, username)).code, '')
    return surfer
  }

  it('connects nobody: it says whose browser this is, and asks for the right person at the provider', async () => {
    const surfer = await signedIn()
    const page = await surfer.visit(linkFor(bobHere))
    assert.match(page.html, new RegExp(`Signed in as <strong>${ada.name}</strong>`))
    assert.match(page.html, /This link is for somebody else/)
    const going = /0;url=([^"]*)"/.exec((await surfer.post(page, {})).html)?.[1] ?? ''
    const url = new URL(plain(going))
    assert.deepEqual([url.origin, url.searchParams.get('prompt')], [new URL(house.entra.url).origin, 'login'])
  })

  it('connects its own person, whom the page names', async () => {
    const surfer = await signedIn(bob.username)
    const page = await surfer.visit(linkFor(bobHere))
    assert.match(page.html, new RegExp(`Signed in as <strong>${bob.name}</strong>`))
    assert.match((await surfer.post(page, {})).html, new RegExp(`0;url=${house.base}`))
  })

  it('is not made to fit by leaving out, swapping or keeping what it says', async () => {
    const surfer = await signedIn()
    const [theirs, own] = [await surfer.visit(linkFor(bobHere)), await surfer.visit(linkFor(adaHere))]
    const csrfOf = (html: string): string => /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? ''
    assert.equal((await surfer.post(own, { csrf: csrfOf(theirs.html) })).status, 403)
    for (const url of [linkFor(adaHere, 'y').replace('/y?', '/x?'), `${house.base}/oauth/connect/x?for=`, `${linkFor(adaHere)}A`])
      assert.equal((await surfer.visit(url)).status, 400, url)
    const late = linkFor(adaHere)
    house.clock.advance(3_600_000)
    assert.equal((await surfer.visit(late)).status, 400)
  })
})

describe('signing out of the own pages', () => {
  it('takes the csrf of the page, and then the browser knows nobody, also with the cookie it had', async () => {
    const client = await Client.register(house, {}, website)
    const surfer = new Surfer(house.fetch)
    await client.login(surfer)
    const [before, page] = [thiefOf(surfer), await surfer.visit(`${house.base}/oauth/consents`)]
    assert.match(page.html, new RegExp(`Signed in as <strong>${ada.name}</strong>`))
    assert.equal((await surfer.post(page, { leave: 'yes', csrf: 'x' })).status, 403)
    assert.match((await surfer.visit(`${house.base}/oauth/consents`)).html, /Signed in as/)
    const left = await surfer.send(page, { leave: 'yes' })
    assert.match(left.html, /Sign in to see what you have allowed/)
    assert.match((await before.visit(`${house.base}/oauth/consents`)).html, /Sign in to see what you have allowed/)
    assert.ok(isConsent(await surfer.visit(client.authorization().url)))
  })
})
