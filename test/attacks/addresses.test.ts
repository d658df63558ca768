/**
 * Where a request goes is written in the configuration, and nothing a client or a server says can change it. cves.md:
 * CVE-2026-29791 (arguments into path, query and headers), CVE-2026-26118 and mcp-server-fetch #4143 (SSRF), the stdio disclosure
 * of OX Security (a command from outside), CVE-2025-6514 (an address handed to a shell).
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load.ts'
import { Legacy, modern, send } from './support/client.ts'
import { type Echo, echo, tool } from './support/echo.ts'
import { httpServer, node, open, passed, yard } from './support/house.ts'

const house = yard()
let upstream: Echo
let internal: Echo
let url: string
let admin: string

before(async () => {
  internal = await echo()
  const there = internal.url
  const result = {
    content: [
      { type: 'resource_link', uri: there, name: 'x', icons: [{ src: `${there}/icon.png` }] },
      { type: 'text', text: `![](${there}/pixel.png)` },
    ],
    _meta: { ui: { resourceUri: there } },
  }
  upstream = await echo({
    tools: [
      tool('read_note', {
        inputSchema: { type: 'object', $ref: `${there}/schema.json`, properties: { a: { $ref: there } } },
        icons: [{ src: there }],
      }),
    ],
    answers: {
      'tools/call': () => result,
      'prompts/get': () => ({
        resultType: 'input_required',
        requestState: 's',
        inputRequests: {
          q: { method: 'elicitation/create', params: { mode: 'url', url: there, message: 'm', elicitationId: 'e' } },
        },
      }),
    },
  })
  const servers = { x: httpServer(upstream), local: { command: node(join(import.meta.dirname, 'support/child.ts')) } }
  ;({ url, admin } = await house.gateway(open(servers)))
})
after(async () => {
  await house.close()
  await Promise.all([upstream.close(), internal.close()])
})

const words = (): readonly string[] => [
  '../../admin',
  '/admin',
  '?admin=1',
  '#x',
  'http://127.0.0.1:1/',
  internal.url,
  'a\r\nHost: attacker.example',
  'a\r\n\r\nGET /admin HTTP/1.1',
  '%2e%2e%2fadmin',
  '..\\admin',
  '@attacker.example',
  'file:///etc/passwd',
  'gopher://x',
  '\u0000',
  '{admin}',
  `${internal.url}#@x`,
]

it('the exploit (CVE-2026-29791): an argument pasted into a URL leads elsewhere', async () => {
  const pasted = new URL(upstream.url.replace('/mcp', `/notes/${'../admin?x='}`))
  await fetch(pasted)
  assert.equal(upstream.heard.at(-1)?.line, 'GET /admin?x=')
})

describe('a name, a URI or an argument of a client changes neither path, query, host nor headers', () => {
  for (const [method, key] of [
    ['tools/call', 'name'],
    ['resources/read', 'uri'],
    ['tasks/get', 'taskId'],
  ] as const)
    it(`${method} ${key}`, async () => {
      for (const word of words()) {
        upstream.heard.length = 0
        await modern(`${url}/x/mcp`, method, { [key]: word, arguments: { path: word, url: word }, cursor: word })
        for (const { line, headers } of upstream.heard)
          assert.deepEqual([line, headers.host], ['POST /mcp', new URL(upstream.url).host])
      }
      assert.deepEqual(internal.heard, [])
    })

  it('nor do the client’s name, its capabilities and its version in a legacy session', async () => {
    for (const word of words()) {
      const session = await Legacy.open(`${url}/x/mcp`, { protocolVersion: word, capabilities: { [word]: { url: word } } })
      passed(await session.call('tools/list'))
    }
    assert.deepEqual([...new Set(upstream.heard.map(({ line }) => line))], ['POST /mcp'])
  })
})

describe('nothing that a server names is fetched: no icon, no schema, no link, no page', () => {
  for (const [method, params] of [
    ['tools/list', {}],
    ['tools/call', { name: 'read_note' }],
    ['prompts/get', { name: 'p' }],
    ['server/discover', {}],
  ] as const)
    it(method, async () => {
      await modern(`${url}/x/mcp`, method, params, { capabilities: { elicitation: { url: {}, form: {} } } })
      await modern(`${url}/mcp`, method, 'name' in params ? { name: `x__${params.name}` } : {}, {
        capabilities: { elicitation: { url: {}, form: {} } },
      })
      assert.deepEqual(internal.heard, [])
    })
})

describe('no command comes from outside', () => {
  it('nothing that is sent to either listener starts a program or adds a server', async () => {
    const body = JSON.stringify({
      command: ['touch', '/tmp/pwned'],
      id: 'new',
      servers: { new: { command: ['touch', '/tmp/pwned'] } },
    })
    for (const at of [admin, url])
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
        for (const path of ['/', '/servers', '/admin/v1/servers', '/config', '/mcp/servers', '/reload', '/console']) {
          const { status } = await send(`${at}${path}`, { method, body, headers: { 'content-type': 'application/json' } })
          assert.ok(status === 404 || status === 405, `${method} ${path}: ${status}`)
        }
  })

  const commands: readonly (readonly [says: string, server: object])[] = [
    ['a command line', { command: 'npx server' }],
    ['no words', { command: [] }],
    ['an empty program', { command: [''] }],
    ['a NUL in an argument', { command: ['node', 'a\u0000b'] }],
    ['a shell', { command: ['node'], shell: true }],
    ['a url beside it', { command: ['node'], url: 'https://example.com' }],
  ]
  for (const [says, server] of commands)
    it(`a configuration with ${says} is refused`, () => {
      assert.throws(() => parseConfig(JSON.stringify({ servers: { x: server } })), { name: 'ConfigRefused' })
    })

  const urls: readonly (readonly [says: string, at: string])[] = [
    ['plain http to another machine', 'http://crm.example.com/mcp'],
    ['plain http to a name like localhost', 'http://localhost.example.com/mcp'],
    ['plain http to 0.0.0.0', 'http://0.0.0.0/mcp'],
    ['a password in it', 'https://user:password@crm.example.com/mcp'],
    ['a fragment', 'https://crm.example.com/mcp#x'],
    ['a script', 'javascript:alert(1)'],
    ['a file', 'file:///etc/passwd'],
    ['a WebSocket', 'wss://crm.example.com/mcp'],
    ['the metadata service', 'http://169.254.169.254/latest'],
  ]
  for (const [says, at] of urls)
    it(`a server with ${says} is refused`, () => {
      assert.throws(() => parseConfig(JSON.stringify({ servers: { x: { url: at } } })), { name: 'ConfigRefused' })
    })
})
