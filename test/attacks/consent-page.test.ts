/**
 * CD-C1, CD-R1, K-31: the pages in a real Chromium. That they work where there is no mouse and no script, that a click which
 * was meant for something else decides nothing, and that they can be read.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { startBrowser } from '../stand-ins/browser.ts'
import { certificateAuthority } from '../stand-ins/certificates.ts'
import { ada } from '../stand-ins/entra/contoso.ts'
import { type FrontHouse, openFrontHouse, until } from './support/front-house.ts'
import { focusedNow, lookAt } from './support/in-page.ts'
import { Client } from './support/oauth-client.ts'
import { type Sites, startSites } from './support/sites.ts'
import { Surfer } from './support/surfer.ts'

const browser = await startBrowser()
const skip = typeof browser === 'string' ? browser : false
let sites: Sites
let house: FrontHouse
let client: Client

before(async () => {
  if (skip) return
  const certificates = certificateAuthority()
  sites = await startSites(certificates)
  house = await openFrontHouse({ certificates })
  const redirectUri = sites.at('web.client.test', '/cb')
  client = await Client.register(house, { redirect_uris: [redirectUri], client_name: 'Web Client' }, redirectUri)
})
after(async () => {
  if (typeof browser === 'string') return
  await browser.close()
  await Promise.all([house.close(), sites.close()])
  assert.deepEqual(house.errors, [])
})

/** A page in a browser of its own, and what its console complained of. */
async function newPage(options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
  assert.ok(typeof browser !== 'string')
  sites.forget()
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  return { page, complaints }
}
const answer = (): URL | undefined => sites.asked('web.client.test').find(({ pathname }) => pathname === '/cb')
const signIn = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: ada.username }).click()
  await page.waitForLoadState()
  if (answer() === undefined && (await page.title()) === 'Permissions requested')
    await page.getByRole('button', { name: 'Accept' }).click()
  await until('the client has its answer', () => answer() !== undefined)
}

describe('the whole way', { skip }, () => {
  for (const javaScriptEnabled of [true, false])
    it(`with a mouse, script ${javaScriptEnabled ? 'on' : 'off'}: a code, no complaint, and nobody learns where we were`, async () => {
      const { page, complaints } = await newPage({ javaScriptEnabled })
      await page.goto(client.authorization().url)
      await page.getByRole('button', { name: 'Allow' }).click()
      await signIn(page)
      assert.ok(answer()?.searchParams.get('code'))
      assert.deepEqual(complaints, [])
      assert.deepEqual(sites.referrers, [])
      await page.context().close()
    })

  it('with keys alone: Tab leads to Allow and then to Deny, and where one is can be seen', async () => {
    const { page } = await newPage()
    await page.goto(client.authorization().url)
    const focused = () => page.evaluate(focusedNow)
    await page.keyboard.press('Tab')
    assert.deepEqual(await focused(), ['Allow', 'solid'])
    await page.keyboard.press('Tab')
    assert.deepEqual(await focused(), ['Deny', 'solid'])
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/authorize/)
    await signIn(page)
    assert.ok(answer()?.searchParams.get('code'))
    await page.context().close()
  })

  it('Deny: the client hears of it', async () => {
    const { page, complaints } = await newPage()
    await page.goto(client.authorization().url)
    await page.getByRole('button', { name: 'Deny' }).click()
    await until('the client has its answer', () => answer() !== undefined)
    assert.equal(answer()?.searchParams.get('error'), 'access_denied')
    assert.deepEqual(complaints, [])
    await page.context().close()
  })

  it('a double click on Allow ends as well as a single one', async () => {
    const { page } = await newPage()
    await page.goto(client.authorization().url)
    await page.getByRole('button', { name: 'Allow' }).dblclick()
    await page.waitForURL(/\/oauth2\//)
    await signIn(page)
    assert.ok(answer()?.searchParams.get('code'))
    await page.context().close()
  })

  it('back, after a no: the page is not shown from memory as if it still counted', async () => {
    const { page } = await newPage()
    await page.goto(client.authorization().url)
    await page.getByRole('button', { name: 'Deny' }).click()
    await until('the client has its answer', () => answer() !== undefined)
    for (let step = 0; step < 4 && !page.url().includes('/oauth/interaction/'); step++) await page.goBack().catch(() => undefined)
    await page.waitForLoadState()
    assert.equal(await page.getByRole('button', { name: 'Allow' }).count(), 0)
    await page.context().close()
  })
})

it('clickjacking by a double click: what is pressed at once on arrival decides nothing', { skip }, async () => {
  const { page } = await newPage()
  await page.goto(client.authorization().url)
  const box = await page.getByRole('button', { name: 'Allow' }).boundingBox()
  assert.ok(box)
  const at = [box.x + box.width / 2, box.y + box.height / 2] as const
  const posts: string[] = []
  page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()))
  // The pointer is there because the first half of the double click was: in a window that is gone now.
  await page.mouse.move(...at)
  await page.mouse.click(...at, { delay: 20 })
  await page.waitForLoadState('networkidle')
  assert.deepEqual(posts, [])
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL(/\/oauth2\//)
  assert.equal(posts.length, 1)
  await page.context().close()
})

describe('clickjacking by a frame', { skip }, () => {
  for (const [says, kept, isShown] of [
    ['the exploit: without the headers the page is in the frame', [], true],
    ['the policy alone keeps it out', ['content-security-policy'], false],
    ['X-Frame-Options alone keeps it out', ['x-frame-options'], false],
  ] as const)
    it(says, async () => {
      const { html, headers } = await new Surfer(house.fetch).visit(client.authorization().url)
      const sent = Object.fromEntries(kept.map((name) => [name, headers.get(name) ?? 'missing']))
      sites.put('copy.test', '/page', html, { ...sent, 'content-type': 'text/html; charset=utf-8' })
      sites.put(
        'attacker.test',
        '/frame',
        `<!doctype html><title>x</title><iframe src="${sites.at('copy.test', '/page')}"></iframe>`,
      )
      const { page, complaints } = await newPage()
      await page.goto(sites.at('attacker.test', '/frame'))
      const shown = (): Promise<boolean> => page.frameLocator('iframe').getByRole('button', { name: 'Allow' }).isVisible()
      if (isShown) await until('the page in the frame', shown)
      else await until('the browser’s complaint', () => complaints.some((line) => /frame/i.test(line)))
      assert.equal(await shown(), isShown)
      await page.context().close()
    })
})

describe('readable', { skip }, () => {
  const looks: readonly (readonly [says: string, options: BrowserContextOptions])[] = [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['Japanese', { locale: 'ja-JP' }],
    ['a narrow phone', { viewport: { width: 320, height: 640 } }],
    ['everything twice as large', { viewport: { width: 500, height: 400 }, deviceScaleFactor: 2 }],
  ]
  for (const [says, options] of looks)
    it(says, async () => {
      const { page, complaints } = await newPage(options)
      const long = 'W'.repeat(200)
      const stranger = await Client.register(house, {
        client_name: long,
        redirect_uris: [`https://${'very-long.'.repeat(12)}client.test/cb`],
      })
      const pages: readonly (() => Promise<unknown>)[] = [
        () => page.goto(client.authorization({ scope: 'mcp:read mcp:write mcp:destructive' }).url),
        () => page.goto(new Client(house, stranger.id, `https://${'very-long.'.repeat(12)}client.test/cb`).authorization().url),
        () => page.goto(`${house.base}/oauth/interaction/none`),
        () => page.goto(`${house.base}/oauth/consents`),
        async () => {
          await page.getByRole('button').click()
          await page.getByRole('button', { name: ada.username }).click()
          await page.waitForLoadState()
          if ((await page.title()) === 'Permissions requested') await page.getByRole('button', { name: 'Accept' }).click()
          await page.waitForURL(`${house.base}/oauth/consents`)
        },
      ]
      for (const [n, show] of pages.entries()) {
        await show()
        const found = await page.evaluate(lookAt)
        const at = `page ${n + 1}, ${page.url()}`
        assert.equal(found.language, options.locale === 'ja-JP' ? 'ja' : 'en', at)
        assert.notEqual(found.title, '', at)
        assert.deepEqual(found.headings.slice(0, 1), [1], at)
        assert.equal(found.headings.filter((level) => level === 1).length, 1, at)
        assert.ok(
          found.headings.every((level, index) => index === 0 || level <= (found.headings[index - 1] as number) + 1),
          at,
        )
        assert.equal(found.mains, 1, at)
        assert.deepEqual(found.nameless, [], at)
        assert.deepEqual(found.small, [], at)
        assert.ok(found.overflow <= 0, `${at}: ${found.overflow} px too wide`)
        assert.ok(found.texts > 2, at)
        assert.deepEqual(found.pale, [], at)
        assert.equal(found.scripts, 0, at)
      }
      assert.deepEqual(
        complaints.filter((line) => !line.includes('status of 400')),
        [],
      )
      await page.context().close()
    })
})
