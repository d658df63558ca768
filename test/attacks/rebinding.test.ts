/**
 * DNS rebinding: a web page makes the victim's browser speak to 127.0.0.1. cves.md: CVE-2025-49596 (Inspector), CVE-2025-66414
 * (TS SDK), CVE-2025-66416 (Python SDK), CVE-2026-59950 (Python websocket), CVE-2026-33032 (one route without the check).
 * Host and Origin are checked on every route of both listeners, by default, before anything else.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Got, Legacy, modernParts, raw, send } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { httpServer, open, passed, refused, until, yard } from './support/house.ts'
import { type Naive, naive } from './support/naive.ts'

const house = yard()
let upstream: Echo
let careless: Naive
let url: string
let admin: string
let session: Legacy

before(async () => {
  upstream = await echo()
  careless = await naive(upstream.url)
  const gateway = await house.gateway(
    open({ notes: httpServer(upstream, 'modern') }, { allowedOrigins: ['https://app.example.com'] }),
  )
  url = gateway.url
  admin = gateway.admin
  session = await Legacy.open(`${url}/notes/mcp`)
})
after(async () => {
  await house.close()
  await Promise.all([upstream.close(), careless.close()])
})

const { body, headers } = modernParts('tools/call', { name: 'delete_note', arguments: {} })
const port = (): string => new URL(url).port

it('the exploit: a server without the check obeys the page that the victim visits', async () => {
  const got = await send(careless.url, {
    body,
    headers: { ...headers, host: `attacker.example:${careless.port}`, origin: 'http://attacker.example' },
  })
  assert.equal(got.status, 200)
  assert.ok(upstream.heard.at(-1)?.body.includes('delete_note'))
})

const routes: readonly (readonly [says: string, method: string, path: string])[] = [
  ['POST one server', 'POST', '/notes/mcp'],
  ['POST all servers', 'POST', '/mcp'],
  ['POST an unknown server', 'POST', '/nowhere/mcp'],
  ['POST no route', 'POST', '/'],
  ['GET a stream', 'GET', '/notes/mcp'],
  ['DELETE a session', 'DELETE', '/notes/mcp'],
  ['OPTIONS', 'OPTIONS', '/notes/mcp'],
  ['OPTIONS all servers', 'OPTIONS', '/mcp'],
  ['PUT', 'PUT', '/notes/mcp'],
  ['HEAD', 'HEAD', '/notes/mcp'],
  ['admin: health', 'GET', 'admin/healthz'],
  ['admin: readiness', 'GET', 'admin/readyz'],
  ['admin: metrics', 'GET', 'admin/metrics'],
  ['admin: no route', 'GET', 'admin/'],
  ['admin: POST', 'POST', 'admin/metrics'],
]
const foreign: readonly (readonly [says: string, code: string, headers: () => Record<string, string>])[] = [
  ['a foreign Host', 'HOST_REFUSED', () => ({ host: `attacker.example:${port()}` })],
  ['a foreign Origin', 'ORIGIN_REFUSED', () => ({ origin: 'https://attacker.example' })],
]

function attempt(method: string, path: string, more: Record<string, string>): Promise<Got> {
  const at = path.startsWith('admin') ? `${admin}${path.slice(5)}` : `${url}${path}`
  const ours = { host: new URL(at).host }
  const known = method === 'POST' ? headers : session.headers()
  return send(at, { method, headers: { ...known, ...ours, ...more }, ...(method === 'POST' && { body }) })
}

for (const [says, code, more] of foreign)
  describe(`${says} is refused on every route`, () => {
    for (const [route, method, path] of routes)
      it(route, async () => {
        upstream.heard.length = 0
        const got = await attempt(method, path, more())
        if (path.startsWith('admin') || method === 'HEAD') assert.equal(got.status, 403)
        else refused(got, 403, code, /Host header is not one of ours|web origin are refused/)
        assert.equal(got.headers['access-control-allow-origin'], undefined)
        assert.deepEqual(upstream.heard, [])
      })
  })

const hosts: readonly (readonly [says: string, host: () => string, admitted: boolean])[] = [
  ['the port of somebody else', () => '127.0.0.1:1', false],
  ['no port', () => '127.0.0.1', false],
  ['a name that ends like ours', () => `localhost:${port()}.attacker.example`, false],
  ['a name that begins like ours', () => `127.0.0.1.attacker.example:${port()}`, false],
  ['another loopback address', () => `127.0.0.2:${port()}`, false],
  ['the address in one number', () => `2130706433:${port()}`, false],
  ['a trailing dot', () => `localhost.:${port()}`, false],
  ['user information', () => `attacker@127.0.0.1:${port()}`, false],
  ['two hosts in one', () => `127.0.0.1:${port()}, attacker.example`, false],
  ['IPv6', () => `[::1]:${port()}`, true],
  ['capital letters', () => `LOCALHOST:${port()}`, true],
]
describe('Host is compared whole', () => {
  for (const [says, host, admitted] of hosts)
    it(says, async () => {
      upstream.heard.length = 0
      const got = await attempt('POST', '/notes/mcp', { host: host() })
      if (admitted) return void passed(got)
      refused(got, 403, 'HOST_REFUSED', /Host header is not one of ours/)
      assert.deepEqual(upstream.heard, [])
    })

  it('two Host headers, an empty one, or none', async () => {
    upstream.heard.length = 0
    for (const lines of [[`Host: 127.0.0.1:${port()}`, 'Host: attacker.example'], ['Host:'], []]) {
      const socket = raw(Number(port()))
      const all = ['POST /notes/mcp HTTP/1.1', ...lines, 'Content-Type: application/json', `Content-Length: ${body.length}`]
      socket.socket.write(`${all.join('\r\n')}\r\n\r\n${body}`)
      await until('an answer', () => /^HTTP\/1.1 40[03] /.test(socket.text()))
      socket.socket.destroy()
    }
    assert.deepEqual(upstream.heard, [])
  })
})

const origins: readonly (readonly [says: string, origin: () => string, admitted: boolean])[] = [
  ['null, as a sandboxed frame says', () => 'null', false],
  ['file', () => 'file://', false],
  ['our address over https', () => `https://127.0.0.1:${port()}`, false],
  ['our address on another port', () => 'http://127.0.0.1:1', false],
  ['an origin that begins like an allowed one', () => 'https://app.example.com.attacker.example', false],
  ['an allowed one over http', () => 'http://app.example.com', false],
  ['an allowed one with a path', () => 'https://app.example.com/x', false],
  ['two at once', () => 'https://app.example.com, https://attacker.example', false],
  ['an extension', () => 'chrome-extension://abcdefghijklmnop', false],
  ['nonsense', () => '::', false],
  ['an allowed one', () => 'https://app.example.com', true],
  ['our own', () => `http://127.0.0.1:${port()}`, true],
]
describe('Origin is compared whole', () => {
  for (const [says, origin, admitted] of origins)
    it(says, async () => {
      upstream.heard.length = 0
      const got = await attempt('POST', '/notes/mcp', { origin: origin() })
      if (!admitted) {
        refused(got, 403, 'ORIGIN_REFUSED', /web origin are refused/)
        return assert.deepEqual(upstream.heard, [])
      }
      passed(got)
      assert.equal(got.headers['access-control-allow-origin'], origin())
      assert.equal(got.headers['access-control-allow-credentials'], undefined)
    })

  it('a preflight is answered only for an allowed origin, and never with a wildcard', async () => {
    const got = await attempt('OPTIONS', '/notes/mcp', {
      origin: 'https://app.example.com',
      'access-control-request-method': 'POST',
    })
    assert.deepEqual(
      [got.status, got.headers['access-control-allow-origin'], got.headers['vary']],
      [204, 'https://app.example.com', 'origin'],
    )
    assert.ok(!JSON.stringify(got.headers).includes('*'))
  })

  it('a simple cross-site POST is refused for its content type, should a browser send no Origin', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      upstream.heard.length = 0
      refused(await attempt('POST', '/notes/mcp', { 'content-type': type }), 415, 'UNSUPPORTED_MEDIA', /application\/json/)
      assert.deepEqual(upstream.heard, [])
    }
  })

  it('forwarded headers from somebody who is no trusted proxy change nothing', async () => {
    upstream.heard.length = 0
    const more = {
      host: `attacker.example:${port()}`,
      'x-forwarded-host': `127.0.0.1:${port()}`,
      forwarded: `host=127.0.0.1:${port()}`,
    }
    refused(await attempt('POST', '/notes/mcp', more), 403, 'HOST_REFUSED', /Host/)
    assert.deepEqual(upstream.heard, [])
  })
})
