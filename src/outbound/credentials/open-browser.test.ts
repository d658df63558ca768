/** What a hostile server may publish as its authorization endpoint never becomes a command (CVE-2025-6514). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openBrowser } from './open-browser.ts'

async function run(url: string, platform: NodeJS.Platform = 'linux'): Promise<readonly string[]> {
  const ran: string[][] = []
  await openBrowser(url, platform, async (program, args) => void ran.push([program, ...args]))
  assert.equal(ran.length, 1)
  return ran[0] as string[]
}

const refused: readonly string[] = [
  '',
  'calc.exe',
  '--help',
  '-e id',
  'file:///etc/passwd',
  'file://evil.example/share/x.lnk',
  'javascript:alert(1)',
  'data:text/html,<script>1</script>',
  'vbscript:x',
  'ms-msdt:/id',
  'search-ms:query=x',
  'smb://evil.example/x',
  'ssh://-oProxyCommand=id/x',
  'http://as.example/authorize',
  'http://127.0.0.1.evil.example/',
  'http://localhost.evil.example/',
  'https://user@as.example/',
  'https://user:pass@as.example/',
  'https://as.example/#x',
  'https:// /',
  'https://[::1',
  `https://as.example/${'x'.repeat(9000)}`,
]
describe('refused, and nothing is started', () => {
  for (const url of refused) it(JSON.stringify(url.slice(0, 40)), () => assert.rejects(run(url), /is not opened/))
})

const tame: readonly (readonly [given: string, handed: string])[] = [
  ['https://as.example/authorize?a=b&c=d', 'https://as.example/authorize?a=b&c=d'],
  ['http://127.0.0.1:4000/x', 'http://127.0.0.1:4000/x'],
  ['http://[::1]:4000/x', 'http://[::1]:4000/x'],
  ['HTTPS://AS.example', 'https://as.example/'],
  ['\u0000https://as.example', 'https://as.example/'],
  ['https://as.example/$(id)`id`', 'https://as.example/%24%28id%29%60id%60'],
  ['https://as.example/?x="&calc.exe&"', 'https://as.example/?x=%22&calc.exe&%22'],
  ["https://as.example/?x=';id;'", 'https://as.example/?x=%27;id;%27'],
  ['https://as.example/?x=^|<>{}\\*', 'https://as.example/?x=%5E%7C%3C%3E%7B%7D%5C%2A'],
  ['https://as.example/a b\n--c', 'https://as.example/a%20b--c'],
  ['https://as.example/?x=%24%28id%29', 'https://as.example/?x=%24%28id%29'],
]
describe('handed over as one argument without anything that a shell would read', () => {
  for (const [given, handed] of tame)
    it(JSON.stringify(given), async () => {
      assert.deepEqual(await run(given), ['xdg-open', handed])
      assert.match(handed, /^https?:[^\s$`"'<>|^(){}\\*]+$/)
    })
})

it('each platform has its own program, and none is a shell', async () => {
  const url = 'https://as.example/'
  assert.deepEqual(await run(url, 'darwin'), ['/usr/bin/open', url])
  assert.deepEqual(await run(url, 'win32'), ['rundll32.exe', 'url.dll,FileProtocolHandler', url])
})

it('a program that is not there is named, and the address is not', async () => {
  const path = process.env['PATH']
  process.env['PATH'] = ''
  try {
    await assert.rejects(
      openBrowser('https://as.example/?state=hunter2', 'linux'),
      (error: Error) => /xdg-open: ENOENT/.test(error.message) && !/hunter2/.test(error.message),
    )
  } finally {
    process.env['PATH'] = path
  }
})
