/**
 * CD-R0, CD-R1, CD-C1 (2026-07-28, Security Best Practices, Confused Deputy): the victim has logged in at the provider once,
 * through an innocent client, and the provider asks nothing any more. An attacker registers a client and sends a link. With a
 * proxy of the usual pattern the attacker has the victim's token; here a page is shown, and no code leaves.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { startBrowser } from '../stand-ins/browser.ts'
import { certificateAuthority } from '../stand-ins/certificates.ts'
import { ada } from '../stand-ins/entra/contoso.ts'
import { type FrontHouse, openFrontHouse, until } from './support/front-house.ts'
import { authorization, register, token } from './support/oauth-client.ts'
import { type ReferenceProxy, startReferenceProxy } from './support/reference-proxy.ts'
import { type Sites, startSites } from './support/sites.ts'

const browser = await startBrowser()
const skip = typeof browser === 'string' ? browser : false
let sites: Sites
let proxy: ReferenceProxy
let house: FrontHouse
let victim: BrowserContext

/** Clients at the house, and at the proxy, by how they came there. */
const clients = { innocent: '', registered: '', document: '', innocentAtProxy: '', registeredAtProxy: '' }

async function newVictim(): Promise<BrowserContext> {
  assert.ok(typeof browser !== 'string')
  return browser.newContext({ ignoreHTTPSErrors: true })
}

before(async () => {
  if (skip) return
  const certificates = certificateAuthority()
  sites = await startSites(certificates)
  proxy = await startReferenceProxy(certificates)
  house = await openFrontHouse({ certificates, documents: [`localhost:${sites.port}`], callbacks: [proxy.callback] })
  proxy.serve(house)
  clients.document = `https://localhost:${sites.port}/client.json`
  const attacker = { client_name: 'Your Company Assistant', redirect_uris: [sites.at('attacker.test', '/cb')] }
  const innocent = { client_name: 'Innocent', redirect_uris: [sites.at('innocent.test', '/cb')] }
  const document = { ...attacker, client_id: clients.document, token_endpoint_auth_method: 'none' }
  sites.put('localhost', '/client.json', JSON.stringify(document), { 'content-type': 'application/json' })
  const idOf = async (base: string, path: string, metadata: object): Promise<string> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await house.fetch(base + path, { method: 'POST', headers, body: JSON.stringify(metadata) })
    return String(((await answer.json()) as { client_id: string }).client_id)
  }
  clients.innocent = String((await register(house.fetch, house.base, innocent)).body['client_id'])
  clients.registered = String((await register(house.fetch, house.base, attacker)).body['client_id'])
  clients.innocentAtProxy = await idOf(proxy.base, '/register', innocent)
  clients.registeredAtProxy = await idOf(proxy.base, '/register', attacker)

  victim = await newVictim()
  const page = await victim.newPage()
  await page.goto(atProxy('innocentAtProxy').url)
  await page.getByRole('button', { name: ada.username }).click()
  await page.getByRole('button', { name: 'Accept' }).click()
  await until('the innocent client has its code', () => codesAt('innocent.test').length === 1)
  await page.goto(atHouse('innocent').url)
  await page.getByRole('button', { name: 'Allow' }).click()
  await until('the innocent client has its code from here', () => codesAt('innocent.test').length === 2)
  await page.close()
})
after(async () => {
  if (typeof browser === 'string') return
  await browser.close()
  await Promise.all([house.close(), proxy.close(), sites.close()])
})

const codesAt = (site: string): readonly string[] =>
  sites.asked(site).flatMap(({ searchParams }) => searchParams.get('code') ?? [])

type Name = keyof typeof clients
const redirectOf = (name: Name): string => sites.at(name.startsWith('innocent') ? 'innocent.test' : 'attacker.test', '/cb')
const atHouse = (name: Name) => authorization(house.base, clients[name], redirectOf(name))
const atProxy = (name: Name) => {
  const { url, verifier } = authorization(proxy.base, clients[name], redirectOf(name))
  return { url: url.replace('/oauth/authorize', '/authorize'), verifier }
}

/** A page of the attacker's with this on it; ends when nothing moves any more. */
async function lure(html: string, act: (page: Page) => Promise<void> = async () => undefined): Promise<Page> {
  sites.forget()
  sites.put('attacker.test', '/lure', `<!doctype html><title>lure</title>${html}`)
  const page = await victim.newPage()
  await page.goto(sites.at('attacker.test', '/lure'))
  await act(page)
  await page.waitForLoadState('networkidle')
  return page
}
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
const link = (url: string): string => `<a href="${escaped(url)}">Your invoice</a>`
const click = (page: Page): Promise<void> => page.getByRole('link').click()

it('the exploit: with a proxy of the usual pattern the attacker has the victim’s token after one click', { skip }, async () => {
  const { url, verifier } = atProxy('registeredAtProxy')
  const page = await lure(link(url), click)
  await until('the code is at the attacker’s', () => codesAt('attacker.test').length === 1)
  await page.close()
  const elsewhere: FrontHouse['fetch'] = (_url, init) => house.fetch(`${proxy.base}/token`, init)
  const [code] = codesAt('attacker.test')
  const { body } = await token(elsewhere, proxy.base, { grant_type: 'authorization_code', code, code_verifier: verifier })
  const claims = JSON.parse(Buffer.from(String(body['id_token']).split('.')[1] ?? '', 'base64url').toString()) as object
  assert.equal((claims as { readonly oid: string }).oid, ada.oid)
})

it('the victim was logged in and agreed to nothing but the innocent client, which is not asked about again', {
  skip,
}, async () => {
  sites.forget()
  const page = await victim.newPage()
  await page.goto(atHouse('innocent').url)
  await until('a code without a page', () => codesAt('innocent.test').length === 1)
  await page.close()
})

for (const [how, name] of [
  ['registered by itself', 'registered'],
  ['described by a document of its own', 'document'],
] as const)
  describe(`CD-R1: the attacker’s client, ${how}`, { skip }, () => {
    const ways: readonly (readonly [says: string, html: (url: string) => string, act?: (page: Page) => Promise<void>])[] = [
      ['a link', link, click],
      ['a link that is clicked twice', link, (page) => page.getByRole('link').dblclick()],
      [
        'a form that sends itself',
        (url) =>
          `<form action="${house.base}/oauth/authorize">${fieldsOf(url)}</form><script>document.forms[0].submit()</script>`,
      ],
      ['a redirect by script', (url) => `<script>location.replace(${JSON.stringify(url)})</script>`],
      ['a redirect without script', (url) => `<meta http-equiv="refresh" content="0;url=${escaped(url)}">`],
      [
        'a window of its own',
        (url) => `<button onclick="window.open(${escaped(JSON.stringify(url))})">go</button>`,
        (page) => page.getByRole('button').click(),
      ],
    ]
    for (const [says, html, act] of ways)
      it(`${says}: the page is shown, and nothing leaves`, async () => {
        const page = await lure(html(atHouse(name).url), act)
        await until('the consent page', async () => {
          for (const one of victim.pages()) if (await one.getByRole('button', { name: 'Allow' }).isVisible()) return true
          return false
        })
        assert.deepEqual(codesAt('attacker.test'), [])
        await Promise.all(victim.pages().map((one) => one.close()))
        assert.ok(page.isClosed())
      })

    const unseen: readonly (readonly [says: string, html: (url: string) => string])[] = [
      ['an iframe', (url) => `<iframe src="${escaped(url)}"></iframe>`],
      [
        'a sandboxed iframe',
        (url) => `<iframe sandbox="allow-scripts allow-forms allow-same-origin" src="${escaped(url)}"></iframe>`,
      ],
      ['an object', (url) => `<object data="${escaped(url)}"></object>`],
      ['a prefetch', (url) => `<link rel="prefetch" href="${escaped(url)}">`],
      ['a prerender', (url) => `<script type="speculationrules">${JSON.stringify({ prerender: [{ urls: [url] }] })}</script>`],
      ['an image', (url) => `<img src="${escaped(url)}">`],
      ['a script', (url) => `<script src="${escaped(url)}"></script>`],
      [
        'fetch with cookies',
        (url) => `<script>fetch(${JSON.stringify(url)}, { mode: 'no-cors', credentials: 'include' })</script>`,
      ],
    ]
    for (const [says, html] of unseen)
      it(`${says}: nothing is shown and nothing leaves`, async () => {
        const { url } = atHouse(name)
        const page = await lure(html(url))
        for (const frame of page.frames().slice(1)) assert.ok(!(await frame.content()).includes('name="decision"'), frame.url())
        assert.deepEqual(codesAt('attacker.test'), [])
        await page.close()
      })

    it('a page that sends the decision itself: with the address of its own interaction, a guess, and no luck', async () => {
      const seen = await lure(link(atHouse(name).url), click)
      await seen.getByRole('button', { name: 'Allow' }).waitFor()
      const action = seen.url()
      const form = (csrf: string): string =>
        `<form method="post" action="${action}"><input name="csrf" value="${csrf}"><input name="decision" value="allow"></form><script>document.forms[0].submit()</script>`
      for (const csrf of ['', 'x'.repeat(43)]) {
        const page = await lure(form(csrf))
        await until('an answer', () => page.url() === action)
        assert.ok(!(await page.content()).includes('name="decision"'))
        await page.close()
      }
      assert.deepEqual(codesAt('attacker.test'), [])
      await seen.close()
    })

    it('a no: the client is told, and has nothing', async () => {
      const page = await lure(link(atHouse(name).url), click)
      await page.getByRole('button', { name: 'Deny' }).click()
      await until('the answer', () => sites.asked('attacker.test').some(({ pathname }) => pathname === '/cb'))
      const answer = sites.asked('attacker.test').at(-1) as URL
      assert.deepEqual(
        ['error', 'code', 'iss', 'state'].map((one) => answer.searchParams.get(one)),
        ['access_denied', null, house.base, 'state-of-the-client'],
      )
      await page.close()
    })

    it('the page says who asks as far as it is known, and where the permission would go', async () => {
      const page = await lure(link(atHouse(name).url), click)
      const text = (await page.getByRole('main').textContent()) ?? ''
      assert.match(text, new RegExp(`attacker\\.test:${sites.port}`))
      assert.match(text, name === 'document' ? new RegExp(`localhost:${sites.port}`) : /registered itself/)
      assert.match(text, /its own claim/)
      await page.close()
    })
  })

function fieldsOf(url: string): string {
  return [...new URL(url).searchParams]
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`)
    .join('')
}
