/**
 * TOK-C4, SES-C5: plain http stays on this machine, or behind a proxy that ends TLS and is believed only from its own address;
 * a proxy on the way out sees the address and nothing else.
 */
import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import type { Gateway } from '../e2e/support/yard.ts'
import { Authority, type Certificate } from './support/certificates.ts'
import { modern, modernParts, send } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { codeOf, httpServer, keyed, open, passed, recordOf, startIn, until, yard } from './support/house.ts'

const house = yard()
const ours = new Authority(house.folder(), 'ours')
const { identity, bindings, tokens } = keyed(['ci'])
const token = tokens['ci'] as string
let good: Certificate
let plain: Echo
const closing: { close(): unknown }[] = []

before(async () => {
  good = ours.issue('good')
  plain = await echo()
})
after(async () => {
  await house.close()
  for (const one of [plain, ...closing]) await one.close()
})
const start = (config: object, env: Record<string, string> = {}) => startIn(house, config, env)

describe('plain http', () => {
  it('off loopback is refused at start, with the reason', async () => {
    const { child, errors } = await start(open({}, { listen: '0.0.0.0:0', identity, bindings }))
    assert.equal(child.exitCode, 1)
    assert.match(errors.join('\n'), /plain HTTP that others can reach, so start is refused/)
  })

  it('behind a proxy: only from its address, and only for what came to it by https', async (context) => {
    // A name for this machine that is not on the list of loopback names: to the gateway, an address that others can reach.
    const found = await lookup(hostname(), 4).catch(() => undefined)
    if (!found?.address.startsWith('127.')) return context.skip(`${hostname()} is not a loopback address here`)
    const config = {
      listen: `${hostname()}:0`,
      identity,
      bindings,
      allowedHosts: ['mcp.example.com'],
      trustedProxies: ['127.0.0.2'],
    }
    const { url } = await start(open({ x: httpServer(plain) }, config))
    const rows: readonly (readonly [from: string, proto: string | undefined, status: number])[] = [
      ['127.0.0.1', undefined, 403],
      ['127.0.0.1', 'https', 403],
      ['127.0.0.3', 'https', 403],
      ['127.0.0.2', undefined, 403],
      ['127.0.0.2', 'http', 403],
      ['127.0.0.2', 'https, http', 403],
      ['127.0.0.2', 'https', 200],
    ]
    const { body, headers } = modernParts('tools/list', {}, { token })
    for (const [from, proto, status] of rows) {
      plain.heard.length = 0
      const more = { host: 'mcp.example.com', ...(proto && { 'x-forwarded-proto': proto }) }
      const got = await send(`http://127.0.0.1:${new URL(url).port}/x/mcp`, { body, from, headers: { ...headers, ...more } })
      assert.deepEqual([got.status, plain.heard.length > 0], [status, status === 200], `${from} ${proto}`)
    }
  })
})

describe('a proxy in front is believed only from its own address', () => {
  let gateway: Pick<Gateway, 'url' | 'folder'>
  before(async () => {
    gateway = await start(
      open({ x: httpServer(plain) }, { allowedHosts: ['mcp.example.com'], trustedProxies: ['127.0.0.2', '127.0.1.0/24'] }),
    )
  })
  const { body, headers } = modernParts('tools/list', {})
  const rows: readonly (readonly [says: string, from: string, forwarded: string | undefined, remote: string])[] = [
    ['nobody in between', '127.0.0.1', undefined, '127.0.0.1'],
    ['somebody who says he is', '127.0.0.1', '203.0.113.9', '127.0.0.1'],
    ['another loopback address', '127.0.0.3', '203.0.113.9', '127.0.0.3'],
    ['the proxy', '127.0.0.2', '203.0.113.9', '203.0.113.9'],
    ['the proxy, and a client that lied to it', '127.0.0.2', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['two proxies', '127.0.0.2', '198.51.100.1, 203.0.113.9, 127.0.1.7', '203.0.113.9'],
    ['the proxy, with nonsense', '127.0.0.2', 'unknown, _hidden, "x"', '127.0.0.2'],
    ['the proxy, with IPv6', '127.0.0.2', '2001:db8::1', '2001:db8::1'],
  ]
  for (const [says, from, forwarded, remote] of rows)
    it(`${says}: ${remote}`, async () => {
      const before = recordOf(gateway).length
      const more = {
        ...(forwarded && { 'x-forwarded-for': forwarded }),
        host: 'mcp.example.com',
        'x-real-ip': '192.0.2.1',
        forwarded: 'for=192.0.2.1',
      }
      passed(await send(`${gateway.url}/x/mcp`, { body, from, headers: { ...headers, ...more } }))
      const entry = await until('an entry', () =>
        recordOf(gateway)
          .slice(before)
          .find((one) => one['kind'] === 'outcome'),
      )
      assert.equal(entry['remote'], remote)
    })
})

describe('a proxy on the way out (HTTPS_PROXY, NO_PROXY)', () => {
  it('is used, sees the address and nothing else, and does not make a wrong certificate right', async () => {
    const seen: string[] = []
    const passing: Buffer[] = []
    const proxy = createHttpServer((_, response) => response.writeHead(405).end())
    proxy.on('connect', (request, client, head: Buffer) => {
      seen.push(String(request.url))
      const [host, port] = String(request.url).split(':') as [string, string]
      const server = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        server.write(head)
        client.on('data', (chunk: Buffer) => passing.push(chunk))
        client.pipe(server).pipe(client)
      })
      for (const end of [client, server]) end.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    closing.push(proxy)
    const [right, wrong] = await Promise.all(
      [good, ours.issue('wrong-name', { hosts: ['crm.example.com'] })].map(({ cert, key }) =>
        echo({ listen: (listener) => createServer({ cert: readFileSync(cert), key: readFileSync(key) }, listener) }),
      ),
    )
    closing.push(right as Echo, wrong as Echo)
    const tls = { tls: { ca: ours.cert } }
    const servers = { right: httpServer(right as Echo, 'modern', tls), wrong: httpServer(wrong as Echo, 'modern', tls) }
    const HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const through = await start(open(servers, { identity, bindings }), { HTTPS_PROXY })
    passed(await modern(`${through.url}/right/mcp`, 'tools/list', {}, { token }))
    assert.equal(codeOf(await modern(`${through.url}/wrong/mcp`, 'tools/list', {}, { token })), 'UPSTREAM_UNAVAILABLE')
    assert.deepEqual([...new Set(seen)].sort(), [right, wrong].map((one) => `127.0.0.1:${(one as Echo).port}`).sort())
    assert.ok(passing.length > 0 && !/tools\/list|mcp-|sk_ci/i.test(Buffer.concat(passing).toString('latin1')))
    assert.deepEqual((wrong as Echo).heard, [])

    for (const NO_PROXY of ['127.0.0.1', '*', `example.com, 127.0.0.1:${(right as Echo).port}`]) {
      seen.length = 0
      const around = await start(open(servers, { identity, bindings }), { HTTPS_PROXY, NO_PROXY })
      passed(await modern(`${around.url}/right/mcp`, 'tools/list', {}, { token }))
      assert.deepEqual(seen, [], NO_PROXY)
    }
    const near = await start(open(servers, { identity, bindings }), {
      HTTPS_PROXY,
      NO_PROXY: '27.0.0.1,127.0.0.10,.127.0.0.1.example',
    })
    seen.length = 0
    passed(await modern(`${near.url}/right/mcp`, 'tools/list', {}, { token }))
    assert.equal(seen.length, 1)
    proxy.closeAllConnections()
  })
})
