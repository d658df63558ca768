/**
 * The gateway as a function: `gateway.fetch(request)`, with servers that are functions too. All of it in this process:
 * whoever opens a socket here fails the test.
 */
import assert from 'node:assert/strict'
import net from 'node:net'
import { PassThrough } from 'node:stream'
import { after, before, describe, it, mock } from 'node:test'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { parseConfig } from '../../src/config/load.ts'
import { type Gateway, openGateway } from '../../src/gateway.ts'
import { newApiKey } from '../../src/identity/api-keys.ts'
import { assemble } from '../conformance/fixture/assemble.ts'
import { createLegacyHandler } from '../conformance/fixture/http-legacy.ts'
import { World } from '../conformance/fixture/world.ts'
import { type Address, connect, flavours, refusalOf } from './support/peers.ts'
import { type Message, Raw, refusalIn } from './support/raw.ts'
import { until, within } from './support/until.ts'
import { configFor, everything, Yard } from './support/yard.ts'

const yard = new Yard()
const listens = mock.method(net.Server.prototype, 'listen', () => assert.fail('something listens'))
const connects = mock.method(net.Socket.prototype, 'connect', () => assert.fail('something connects'))

type Fetch = (request: Request) => Response | Promise<Response>
const { key, sha256 } = newApiKey('host')
const seen: Request[] = []
/** The calls under way at the drip server, newest last. */
const drips: { readonly token: unknown; write(message: object): void; aborted: boolean; cancelled: boolean }[] = []

/** A modern server by hand, whose only tool says what the test makes it say. */
async function drip(request: Request): Promise<Response> {
  const { id, method, params } = (await request.json()) as Message
  const tools = [{ name: 'slow', inputSchema: { type: 'object' } }]
  if (method === 'tools/list')
    return Response.json({ jsonrpc: '2.0', id, result: { resultType: 'complete', tools, ttlMs: 0, cacheScope: 'private' } })
  const token = (params?.['_meta'] as { progressToken?: unknown }).progressToken
  const one = { token, aborted: false, cancelled: false, write: (_: object): void => undefined }
  request.signal.addEventListener('abort', () => void (one.aborted = true))
  const body = new ReadableStream<string>({
    start: (controller) => void (one.write = (message) => controller.enqueue(`data: ${JSON.stringify(message)}\n\n`)),
    cancel: () => void (one.cancelled = true),
  })
  drips.push(one)
  return new Response(body.pipeThrough(new TextEncoderStream()), { headers: { 'content-type': 'text/event-stream' } })
}

const fetches: Record<string, Fetch> = {
  legacy: createLegacyHandler(new World()),
  modern: createMcpHandler(() => assemble(new World()).mcp, { legacy: 'reject' }).fetch,
  drip,
  broken: () => Promise.reject(new Error('a secret of the house')),
  mute: () => new Promise<Response>(() => undefined),
  odd: () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
}
const inProcess = { url: 'http://localhost/mcp' }
const special: Record<string, object> = {
  drip: { era: 'modern' },
  broken: { era: 'modern' },
  mute: { era: 'modern', requestTimeoutMs: 300 },
}
const config = (changes: object = {}, folder = yard.folder()) => {
  const servers = Object.fromEntries(Object.keys(fetches).map((id) => [id, { ...inProcess, ...special[id] }]))
  const all = [everything, { effect: 'deny', server: '*', tools: ['test_error_handling'] }]
  const identity = { mode: 'api-keys', keys: [{ id: 'host', sha256 }] }
  return parseConfig(
    JSON.stringify(
      configFor(servers, {
        allowedHosts: ['localhost'],
        identity,
        roles: { all },
        bindings: [{ role: 'all', apiKey: 'host' }],
        ...changes,
      }),
    ),
    folder,
  )
}

let gateway: Gateway
before(async () => {
  const watched = Object.entries(fetches).map(([id, fetch]): [string, Fetch] => [
    id,
    (request) => (seen.push(request.clone()), fetch(request)),
  ])
  gateway = await openGateway({ config: config(), fetches: Object.fromEntries(watched) })
})
after(async () => {
  await gateway.close()
  mock.restoreAll()
  await yard.close()
})

const through = async (url: string | URL | Request, init?: RequestInit): Promise<Response> =>
  gateway.fetch(new Request(url, init))
const headers = { authorization: `Bearer ${key}` }
const at = (server: string): Address => ({ url: `http://localhost/${server}/mcp`, fetch: through, headers })
const raw = (server: string): Raw =>
  new Raw(`http://localhost/${server}/mcp`, (url, init) =>
    through(url, { ...init, headers: { ...headers, ...(init.headers as object) } }),
  )

describe('gateway.fetch', () => {
  const list = { method: 'POST', body: JSON.stringify(new Raw('').modernMessage('tools/list')) }
  const asked = {
    ...headers,
    'content-type': 'application/json',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/list',
  }
  const refusals: readonly (readonly [says: string, url: string, init: RequestInit, status: number])[] = [
    ['nobody in particular', 'http://localhost/modern/mcp', { ...list, headers: { ...asked, authorization: '' } }, 401],
    [
      'somebody else',
      'http://localhost/modern/mcp',
      { ...list, headers: { ...asked, authorization: `Bearer ${newApiKey('host').key}` } },
      401,
    ],
    ['a foreign host (2)', 'http://evil.example/modern/mcp', { ...list, headers: asked }, 403],
    [
      'a foreign origin (1)',
      'http://localhost/modern/mcp',
      { ...list, headers: { ...asked, origin: 'http://evil.example' } },
      403,
    ],
    ['a path of nothing', 'http://localhost/modern', { ...list, headers: asked }, 404],
    ['a method of nothing (11)', 'http://localhost/modern/mcp', { method: 'PUT', headers: asked, body: '{}' }, 405],
    [
      'something else than JSON (13)',
      'http://localhost/modern/mcp',
      { ...list, headers: { ...asked, 'content-type': 'text/plain' } },
      415,
    ],
    [
      'headers that are not the body’s (16)',
      'http://localhost/modern/mcp',
      { ...list, headers: { ...asked, 'mcp-method': 'ping' } },
      400,
    ],
  ]
  for (const [says, url, init, status] of refusals)
    it(`refuses ${says}`, async () => {
      const before = seen.length
      assert.equal((await through(url, init)).status, status)
      assert.equal(seen.length, before, 'no server heard of it')
    })

  for (const [server, code] of [
    ['broken', 'UPSTREAM_UNAVAILABLE'],
    ['odd', 'UPSTREAM_INVALID'],
    ['mute', 'UPSTREAM_TIMEOUT'],
  ] as const)
    for (const method of ['tools/list', 'tools/call'])
      it(`says that the ${server} server failed at ${method}, and nothing of how`, async () => {
        const { only, body } = await within(3000, 'an answer', raw(server).modern(method, { name: 'x', arguments: {} }))
        assert.equal(refusalIn(only), code, body)
        assert.ok(!body.includes('secret'), body)
      })

  for (const flavour of flavours)
    for (const server of ['legacy', 'modern'])
      it(`serves ${flavour} with a ${server} server (GEN-2)`, async () => {
        const peer = await connect(flavour, at(server))
        assert.equal(await refusalOf(peer.call('test_error_handling')), 'POLICY_DENIED')
        assert.ok(!(await peer.tools()).includes('test_error_handling'))
        assert.equal((await peer.call('test_simple_text')).text, 'Plain text from the fixture.')
        assert.match((await peer.call('test_elicitation', { message: 'Who?' })).text, /ada/)
        await peer.call('test_tool_with_progress', {}, { onprogress: () => undefined })
        assert.deepEqual(
          peer.progress.map(({ progress }) => progress),
          [0, 50, 100],
        )
        await peer.close()
      })

  it('hands a server nothing of what the client proved itself with (TPT-R6, TPT-C3)', async () => {
    const before = seen.length
    const extra = {
      cookie: 'session=1',
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'for=10.0.0.1',
      'proxy-authorization': 'Basic eDp5',
      dpop: 'x',
    }
    const client = new Raw('http://localhost/modern/mcp', (url, init) =>
      through(url, { ...init, headers: { ...headers, ...extra, ...(init.headers as object) } }),
    )
    assert.ok((await client.modern('tools/list')).only.result)
    await client.open('2025-11-25')
    await client.legacy(client.request('tools/list'))
    assert.ok(seen.length >= before + 2)
    for (const request of seen.slice(before)) {
      const sent = JSON.stringify([...request.headers]) + (await request.text())
      assert.ok(!sent.includes(key), 'the key')
      for (const name of ['authorization', ...Object.keys(extra)]) assert.equal(request.headers.get(name), null, name)
    }
  })

  it('streams, and lets go when the caller does (58)', async () => {
    const message = raw('drip').modernMessage('tools/call', { name: 'slow', arguments: {} })
    const params = { ...message.params, _meta: { ...(message.params?.['_meta'] as object), progressToken: 't' } }
    const before = seen.length
    const pending = through('http://localhost/drip/mcp', {
      method: 'POST',
      headers: { ...asked, 'mcp-method': 'tools/call', 'mcp-name': 'slow' },
      body: JSON.stringify({ ...message, params }),
    })
    const call = await until('it is called', () => drips[0])
    assert.ok(seen.length <= before + 2, 'the list of its tools is asked for once')
    call.write({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: call.token, progress: 1 } })
    const response = await within(2000, 'the stream, before there is a result', pending)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const { value } = await within(2000, 'the first event', reader.read())
    assert.match(new TextDecoder().decode(value), /"progressToken":"t"/)
    assert.deepEqual([call.aborted, call.cancelled], [false, false])
    await reader.cancel()
    await until('the server is let go, in both ways it may look at', () => call.aborted && call.cancelled, 3000)
  })

  it('serves a client on streams of this process, with all servers', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()]
    const lines: Message[] = []
    output.on('data', (chunk: Buffer) =>
      lines.push(
        ...chunk
          .toString()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Message),
      ),
    )
    const local = await openGateway({
      config: config({ identity: { mode: 'anonymous' }, bindings: [{ role: 'all', anonymous: true }] }),
      fetches,
    })
    const served = local.connectStdio(input, output)
    input.write(
      `${JSON.stringify(new Raw('').modernMessage('tools/call', { name: 'modern__test_simple_text', arguments: {} }))}\n`,
    )
    const answer = await until('an answer', () => lines[0])
    assert.match(JSON.stringify(answer.result), /Plain text from the fixture/)
    input.end()
    await within(2000, 'the end', served)
    await local.close()
  })

  it('takes another configuration over, whole or not at all', async () => {
    const folder = yard.folder()
    const other = await openGateway({ config: config({}, folder), fetches })
    try {
      const call = () => other.fetch(new Request('http://localhost/modern/mcp', { ...list, headers: asked }))
      const names = async () => ((await (await call()).json()) as Message).result?.['tools']
      await assert.rejects(other.reload(config({ roles: { all: [] } })), /"store" cannot change/)
      assert.notDeepEqual(await names(), [])
      await other.reload(config({ roles: { all: [] } }, folder))
      assert.deepEqual((await names()) ?? [], [])
    } finally {
      await other.close()
    }
  })

  it('serves nobody once it is closed', async () => {
    const other = await openGateway({ config: config(), fetches })
    await other.close()
    const { status } = await other.fetch(new Request('http://localhost/modern/mcp', { ...list, headers: asked }))
    assert.equal(status, 503)
  })

  it('has opened no socket', () => {
    assert.deepEqual([listens.mock.callCount(), connects.mock.callCount()], [0, 0])
    assert.deepEqual(
      process.getActiveResourcesInfo().filter((kind) => /TCP|UDP/.test(kind)),
      [],
    )
  })
})
