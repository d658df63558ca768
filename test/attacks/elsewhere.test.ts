/**
 * A server that sends us elsewhere, or answers with more of itself than we asked for. cves.md: CVE-2025-6514 (mcp-remote did what
 * a server’s metadata said), CVE-2026-26118 and mcp-server-fetch #4143 (a tool led to other hosts), TPT-R4 (never follow).
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readEvents } from '../../src/lib/sse.ts'
import { modern } from './support/client.ts'
import { type Echo, type EchoOptions, echo } from './support/echo.ts'
import { codeOf, httpServer, open, refused, yard } from './support/house.ts'
import { type OldSse, oldSse } from './support/old-sse.ts'

const house = yard()
const statuses = [300, 301, 302, 303, 304, 307, 308]
const endpoints: readonly (readonly [says: string, endpoint: (port: number) => string])[] = [
  ['another port', (port) => `http://127.0.0.1:${port}/messages`],
  ['another host', (port) => `http://localhost:${port}/messages`],
  ['a URL without a scheme', (port) => `//127.0.0.1:${port}/messages`],
  ['backslashes', (port) => `\\\\127.0.0.1:${port}\\messages`],
  ['user information', (port) => `http://127.0.0.1@127.0.0.1:${port}/messages`],
  ['a file', () => 'file:///etc/passwd'],
  ['a script', () => 'javascript:alert(1)'],
  ['nonsense', () => 'http://['],
]
const answering = (body: string, head: (port: number) => Record<string, string>, status: number): EchoOptions => ({
  handler: (_, __, response) => void response.writeHead(status, head(elsewhere.port)).end(body),
})
const tools = '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":[]}}'
let elsewhere: Echo
let url: string
let moved: Echo[]
let lying: OldSse[]
let chatty: Echo

before(async () => {
  elsewhere = await echo()
  const away = (port: number) => ({ location: `http://127.0.0.1:${port}/mcp`, 'content-type': 'application/json' })
  moved = await Promise.all(statuses.map((status) => echo(answering(tools, away, status))))
  lying = await Promise.all(endpoints.map(([, endpoint]) => oldSse(() => endpoint(elsewhere.port))))
  const challenge = {
    'www-authenticate': 'Bearer resource_metadata="https://attacker.example/x"',
    'mcp-session-id': 'inner',
    'set-cookie': 'a=b',
    'x-secret': 's',
  }
  chatty = await echo(answering('stack trace at /srv/app', () => challenge, 401))
  const servers = Object.fromEntries([
    ...moved.flatMap(({ url: at }, index) => [
      [`moved-${statuses[index]}-new`, { url: at, era: 'modern', transport: 'streamable-http' }],
      [`moved-${statuses[index]}-old`, { url: at, era: 'legacy', transport: 'streamable-http' }],
      [`moved-${statuses[index]}-sse`, { url: at, era: 'legacy', transport: 'http+sse' }],
    ]),
    ...lying.map(({ url: at }, index) => [`lying-${index}`, { url: at, era: 'legacy', transport: 'http+sse' }]),
    ['chatty', httpServer(chatty)],
  ])
  url = (await house.gateway(open(servers))).url
})
after(async () => {
  await house.close()
  await Promise.all([elsewhere, chatty, ...moved, ...lying].map((server) => server.close()))
})

it('the exploit: fetch follows a redirect with the body, and an SSE client believes the endpoint event', async () => {
  await fetch((moved[statuses.indexOf(307)] as Echo).url, { method: 'POST', body: '{"secret":1}' })
  const [{ url: at }] = lying as [OldSse]
  const stream = await fetch(at)
  for await (const event of readEvents(stream.body as unknown as AsyncIterable<Uint8Array>, 1000)) {
    await fetch(new URL(event.data ?? '', at), { method: 'POST', body: '{"secret":2}' })
    break
  }
  assert.deepEqual(
    elsewhere.heard.map(({ body }) => body),
    ['{"secret":1}', '{"secret":2}'],
  )
  elsewhere.heard.length = 0
})

describe('a redirect is not followed, in either era and over either transport', () => {
  for (const status of statuses)
    for (const kind of ['new', 'old', 'sse'])
      it(`HTTP ${status}, ${kind}`, async () => {
        const code = codeOf(await modern(`${url}/moved-${status}-${kind}/mcp`, 'tools/list'))
        if (kind !== 'new') assert.ok(code === 'UPSTREAM_UNAVAILABLE' || code === 'UPSTREAM_INVALID', code)
        assert.deepEqual(elsewhere.heard, [])
      })

  it('and its body is no answer', async () => {
    assert.equal(codeOf(await modern(`${url}/moved-307-new/mcp`, 'tools/list')), 'UPSTREAM_UNAVAILABLE')
  })
})

describe('an endpoint event that leads elsewhere is refused', () => {
  for (const [index, [says]] of endpoints.entries())
    it(says, async () => {
      const code = codeOf(await modern(`${url}/lying-${index}/mcp`, 'tools/list'))
      assert.ok(code === 'UPSTREAM_INVALID' || code === 'UPSTREAM_UNAVAILABLE', code)
      const posted = (lying[index] as OldSse).heard.filter(({ line }) => line.startsWith('POST'))
      assert.deepEqual([elsewhere.heard, posted], [[], []])
    })
})

it('a 401 of the server is no challenge to the client, and tells it nothing: no address, no session, no text', async () => {
  const got = await modern(`${url}/chatty/mcp`, 'tools/list')
  refused(got, 502, 'UPSTREAM_UNAVAILABLE', /cannot be reached/)
  assert.equal(got.headers['www-authenticate'], undefined)
  assert.ok(
    !/stack trace|srv|inner|a=b|x-secret|attacker/.test(JSON.stringify(got)) && !got.text.includes(String(chatty.port)),
    got.text,
  )
})
