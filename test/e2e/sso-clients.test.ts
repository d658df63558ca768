/**
 * GEN-6, CD-R0: programs that other people wrote log a person in through the gateway: mcp-remote and the Inspector, each as
 * a process of its own that listens on a loopback port for its code. They open no browser here; they print where they would
 * have sent one, and a person goes there: in a real Chromium, where this machine has one.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { ROOT } from '../conformance/launch.ts'
import { startBrowser } from '../stand-ins/browser.ts'
import { connect } from './support/peers.ts'
import { type House, openHouse, staff } from './support/sso-house.ts'
import { until } from './support/until.ts'
import { node, type Running, Yard } from './support/yard.ts'

const yard = new Yard()
let house: House
/** Or the reason why there is none. */
let browser: Browser | string
before(async () => {
  browser = await startBrowser()
  house = await openHouse(yard, { identity: { askAtLogin: ['read', 'write'] } })
})
after(async () => {
  if (typeof browser !== 'string') await browser?.close()
  await house.close()
  await yard.close()
})
const program = (path: string): string => join(ROOT, 'node_modules', path)
const url = (): string => `${house.url}/notes/mcp`
/** No browser is started: there is none that could be. */
const quiet = { BROWSER: 'true', DISPLAY: '', PATH: '/nonexistent' }

/** The address that a program printed for its user. */
const printed = (lines: readonly string[]): string | undefined =>
  /http:\/\/\S+\/oauth\/authorize\?\S+/.exec(lines.join('\n'))?.[0]

/** Goes where the program sent them, and brings the code back to it. The titles of the pages on the way. */
async function logIn(running: Pick<Running, 'out' | 'errors'>, username: string): Promise<readonly string[]> {
  const to = await until('it says where to go', () => printed([...running.errors, ...running.out]), 30_000)
  if (typeof browser === 'string') return withoutBrowser(to, username)
  const context = await browser.newContext({ locale: 'en-GB' })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  await page.goto(to)
  const titles = [await page.title()]
  await page.getByRole('button', { name: 'Allow', exact: true }).click()
  await page.waitForURL(({ origin }) => origin === house.entra.url)
  titles.push(await page.title())
  await page.getByRole('button', { name: username }).click()
  await page.waitForURL(
    ({ origin, pathname }) => origin !== house.entra.url && origin !== house.url && pathname.endsWith('/callback'),
    {
      waitUntil: 'commit',
    },
  )
  await context.close()
  return titles
}

async function withoutBrowser(to: string, username: string): Promise<readonly string[]> {
  const landing = await house.person(username).visit(to)
  assert.ok(landing.url !== undefined, `it ended on ${landing.pages.at(-1)?.text}`)
  assert.match(landing.url.hostname, /^(127\.0\.0\.1|localhost)$/)
  const answer = await fetch(landing.url)
  assert.ok(answer.ok, `${landing.url.origin} took the code with ${answer.status}`)
  return landing.pages.map(({ title }) => title)
}

describe('mcp-remote', { concurrency: false }, () => {
  const home = yard.folder()
  const remote = (): readonly string[] =>
    node(program('mcp-remote/dist/proxy.js'), url(), '--transport', 'http-only', '--protocol', 'auto')
  const env = { ...quiet, HOME: home, MCP_REMOTE_CONFIG_DIR: join(home, 'remote') }

  it('registers, has its user consent and log in, and is then a local server like any other', { timeout: 90_000 }, async () => {
    const [file = '', ...args] = remote()
    const first = yard.start(args.slice(1), { env: { ...process.env, ...env } })
    assert.equal(file, process.execPath)
    assert.deepEqual(await logIn(first, staff.writer.username), ['Allow access?', 'Sign in to your account'])
    await until('it is connected', () => first.errors.some((line) => line.includes('Proxy established')), 30_000)
    first.child.kill('SIGTERM')
    await first.ended

    const peer = await connect('SDK 1', { command: remote(), cwd: home, env })
    try {
      assert.ok((await peer.tools()).includes('write_note'))
      assert.equal((await peer.call('write_note')).text, 'write_note done')
      assert.match((await peer.call('delete_note')).text, /Policy does not allow the tool/)
    } finally {
      await peer.close()
    }
  })
})

describe('the Inspector', { concurrency: 2 }, () => {
  const inspector = program('@modelcontextprotocol/inspector/clients/launcher/build/index.js')
  for (const era of ['legacy', 'modern'] as const)
    it(`${era}: has its user consent and log in, and calls`, { timeout: 90_000 }, async () => {
      const home = yard.folder()
      const config = join(home, 'mcp.json')
      writeFileSync(config, JSON.stringify({ mcpServers: { notes: { type: 'streamable-http', url: url(), protocolEra: era } } }))
      const asked = ['--method', 'tools/call', '--tool-name', 'read_note']
      const back = ['--callback-url', 'http://127.0.0.1:0/oauth/callback']
      // It prompts on a terminal only, or where it is told that it may open a browser.
      const own = { HOME: home, MCP_INSPECTOR_SECRET_STORE: 'memory', MCP_AUTO_OPEN_ENABLED: 'true' }
      const running = yard.start([inspector, '--cli', '--config', config, '--server', 'notes', ...back, ...asked], {
        env: { ...process.env, ...quiet, ...own },
      })
      assert.deepEqual(await logIn(running, staff.reader.username), ['Allow access?', 'Sign in to your account'])
      const { code } = await running.ended
      assert.equal(code, 0, running.errors.join('\n'))
      assert.match(running.out.join('\n'), /read_note done/)
    })
})
