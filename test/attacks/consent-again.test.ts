/**
 * CD-C1: a consent that is over stays over, and one that is kept is the one that was shown. What is taken back while a login is
 * under way, a description that changes under the page, and logins without a page.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { consentsList } from '../../src/admin/operations/consents-list.ts'
import { consentsRevoke } from '../../src/admin/operations/consents-revoke.ts'
import { Consents } from '../../src/identity/front/consents.ts'
import { Records } from '../../src/identity/front/records.ts'
import { certificateAuthority } from '../stand-ins/certificates.ts'
import { ada } from '../stand-ins/entra/contoso.ts'
import { type FrontHouse, openFrontHouse } from './support/front-house.ts'
import { authorization, Client, website } from './support/oauth-client.ts'
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
  return { records, consents: new Consents(records, clock), store, clock }
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
    const mine = async (): Promise<number> =>
      (await consentsList(kept(house).consents)).filter((row) => row.client === client.id).length
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
