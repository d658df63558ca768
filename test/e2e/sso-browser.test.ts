/**
 * The login as a person sees it, in a real Chromium: the consent page, the way to Entra and back, and the code in the hands of
 * the program that asked for it. What a browser is stricter about than a cookie jar (SameSite, form-action, two origins on one
 * machine) is what this is for.
 */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it, type TestContext } from 'node:test'
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { startBrowser } from '../stand-ins/browser.ts'
import { claimsIn, Memory } from './support/signed-in.ts'
import { type House, openHouse, staff } from './support/sso-house.ts'
import { Yard } from './support/yard.ts'

const yard = new Yard()
let browser: Browser | string
let house: House
/** The program's own end: where the browser brings the code. */
let program: Server
const codes: URLSearchParams[] = []
before(async () => {
  browser = await startBrowser()
  house = await openHouse(yard)
  program = createServer(({ url = '/' }, response) => {
    const at = new URL(url, 'http://127.0.0.1')
    if (at.pathname === '/callback') codes.push(at.searchParams)
    response.setHeader('content-type', 'text/html').end('<title>Back in the program</title>')
  })
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve))
})
after(async () => {
  if (typeof browser !== 'string') await browser?.close()
  program.close()
  program.closeAllConnections()
  await house.close()
  await yard.close()
})

/** A program with a callback that a browser can reach. */
const listening = (name: string): Memory =>
  new Memory(name, `http://127.0.0.1:${(program.address() as AddressInfo).port}/callback`)

const url = (): string => `${house.url}/notes/mcp`
const transportFor = (memory: Memory): StreamableHTTPClientTransport =>
  new StreamableHTTPClientTransport(new URL(url()), { authProvider: memory })

async function newContext(opened: Browser): Promise<BrowserContext> {
  const context = await opened.newContext({ locale: 'en-GB' })
  context.setDefaultTimeout(15_000)
  return context
}

async function contextOf(t: TestContext): Promise<BrowserContext | undefined> {
  if (typeof browser !== 'string') return newContext(browser)
  t.skip(browser)
  return undefined
}

/** Through the pages, as far as the program. */
async function allow(page: Page, to: URL, who: string): Promise<string> {
  await page.goto(to.href)
  const asked = (await page.textContent('main')) ?? ''
  await page.getByRole('button', { name: 'Allow', exact: true }).click()
  const isBack = ({ pathname }: URL): boolean => pathname === '/callback'
  await page.waitForURL((at) => isBack(at) || at.origin === house.entra.url)

  if (isBack(new URL(page.url()))) return asked
  await page.getByRole('button', { name: who }).click()
  await page.waitForURL(isBack)
  return asked
}

describe('in a real browser', { concurrency: false, timeout: 120_000 }, () => {
  for (const era of ['legacy', 'modern'] as const)
    it(`${era}: consents, logs in at Entra, and the program may read; then write, after a second question`, async (t) => {
      const context = await contextOf(t)
      if (context === undefined) return
      const page = await context.newPage()
      const memory = listening(`Chromium ${era}`)
      const versionNegotiation = { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } as never
      const newClient = (): Client => new Client({ name: 'browser-e2e', version: '1' }, { versionNegotiation })
      const first = transportFor(memory)
      await assert.rejects(newClient().connect(first), UnauthorizedError)
      const asked = await allow(page, memory.sentTo as URL, staff.writer.username)
      assert.match(asked, /call tools that only read/)
      await first.finishAuth(codes.at(-1) as URLSearchParams)

      const client = newClient()
      const transport = transportFor(memory)
      await client.connect(transport)
      const call = async (name: string): Promise<unknown> => (await client.callTool({ name, arguments: {} })).content
      assert.deepEqual(await call('read_note'), [{ type: 'text', text: 'read_note done' }])

      await assert.rejects(call('write_note'), UnauthorizedError)
      assert.match(await allow(page, memory.sentTo as URL, staff.writer.username), /call tools that write/)
      await transport.finishAuth(codes.at(-1) as URLSearchParams)
      assert.deepEqual(await call('write_note'), [{ type: 'text', text: 'write_note done' }])
      assert.equal(claimsIn(memory.held?.access_token ?? '')['sub'], `${staff.writer.tenant}.${staff.writer.oid}`)

      const cookies = await context.cookies()
      assert.ok(cookies.length >= 2)
      assert.ok(
        cookies.every(({ httpOnly }) => httpOnly),
        'no script could read one',
      )
      const ours = cookies.filter(({ name }) => name.includes('sekisho'))
      assert.ok(ours.every(({ domain, sameSite }) => domain === '127.0.0.1' && sameSite === 'Lax'))
      await client.close()
      await context.close()
    })

  it('says no: the program is told so, and Entra never sees the person', async (t) => {
    const context = await contextOf(t)
    if (context === undefined) return
    const page = await context.newPage()
    const memory = listening('Chromium refused')
    const before = house.entra.journal('authorize').length
    await assert.rejects(new Client({ name: 'x', version: '1' }).connect(transportFor(memory)), UnauthorizedError)
    await page.goto((memory.sentTo as URL).href)
    await page.getByRole('button', { name: 'Deny', exact: true }).click()
    await page.waitForURL(/\/callback\?/)
    assert.equal(codes.at(-1)?.get('error'), 'access_denied')
    assert.equal(house.entra.journal('authorize').length, before)
    await context.close()
  })
})
