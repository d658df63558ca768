/**
 * More than there is room for: answers without end, lines without end, notices that nobody reads, bodies that grow when they are
 * unpacked (CWE-400, CWE-409; K-6). Whatever a server or a client sends,
 * the gateway's memory stays within bounds, everybody else is served, and the one who asked is told why.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { createGateway } from '../../src/index.ts'
import type { Gateway } from '../e2e/support/yard.ts'
import { Legacy, modern, modernParts, send, version } from './support/client.ts'
import { type Echo, echo, type Json, saying, type Turn } from './support/echo.ts'
import { codeOf, httpServer, node, open, passed, refused, textOf, until, within, yard } from './support/house.ts'
import { naive } from './support/naive.ts'

const house = yard()
const MB = 1 << 20
/** Too small for what is sent here, so that keeping it ends the gateway, whenever its collector runs. */
const smallHeap = ['--max-old-space-size=112', '--max-semi-space-size=8']
const child = node(join(import.meta.dirname, 'support/child.ts'))
let upstream: Echo
let older: Echo
let gateway: Gateway
let url: string

const write = async ({ response }: Turn, chunk: Buffer, count: number): Promise<void> => {
  for (let sent = 0; sent < count && !response.destroyed; sent++)
    if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve))
  response.end()
}
const events = { 'content-type': 'text/event-stream' }
const json = { 'content-type': 'application/json' }
/** What each tool of the server answers with. */
const bombs: Readonly<Record<string, (turn: Turn) => void>> = {
  'a JSON text of 64 MB': (turn) => (turn.response.writeHead(200, json), void write(turn, Buffer.alloc(MB, 'x'), 64)),
  'a JSON text with a length of 64 MB': (turn) => (
    turn.response.writeHead(200, { ...json, 'content-length': 64 * MB }), void write(turn, Buffer.alloc(MB, 'x'), 64)
  ),
  'an event of 64 MB': (turn) => (
    turn.response.writeHead(200, events), void write(turn, Buffer.from(`data: ${'x'.repeat(MB)}\n`), 64)
  ),
  'a line of 64 MB in an event': (turn) => (turn.response.writeHead(200, events), void write(turn, Buffer.alloc(MB, 'd'), 64)),
  'a comment of 64 MB': (turn) => (turn.response.writeHead(200, events), void write(turn, Buffer.alloc(MB, ':'), 64)),
  'an event of 64 MB in small pieces': (turn) => (
    turn.response.writeHead(200, events), turn.response.write('data: '), void write(turn, Buffer.alloc(1024, 'x'), 64 * 1024)
  ),
}
const unpacked: Readonly<Record<string, (turn: Turn) => void>> = {
  gzip: ({ response }) =>
    void response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(64 * MB, 32))),
  'gzip in a stream': ({ response }) =>
    void response.writeHead(200, { ...events, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(64 * MB, 32))),
}

before(async () => {
  const call = async (turn: Turn) => {
    const { name, arguments: given } = turn.params as { name: string; arguments?: { count?: number; bytes?: number } }
    const bomb = bombs[name] ?? unpacked[name]
    if (bomb) return bomb(turn) as undefined
    const data = 'x'.repeat(given?.bytes ?? 0)
    for (let sent = 0; sent < (given?.count ?? 0) && !turn.response.destroyed; sent++) {
      turn.send({ method: 'notifications/message', params: { level: 'info', data } })
      if (turn.response.writableNeedDrain)
        await new Promise((resolve) => turn.response.once('drain', resolve).once('close', resolve))
    }
    return saying('done')
  }
  upstream = await echo({ answers: { 'tools/call': call } })
  older = await echo({ era: 'legacy', answers: { 'tools/call': call } })
  const servers = {
    x: httpServer(upstream),
    older: httpServer(older, 'legacy'),
    local: { command: child, requestTimeoutMs: 2000, lineBytesMax: MB },
  }
  gateway = await house.gateway(
    open(servers, { limits: { resultBytesMax: MB, principal: { perMinute: 'unlimited', concurrent: 'unlimited' } } }),
    ...smallHeap,
  )
  url = gateway.url
  await modern(`${url}/x/mcp`, 'tools/call', { name: 'warm up' })
  await modern(`${url}/local/mcp`, 'tools/call', { name: 'echo' })
})
after(async () => {
  await house.close()
  await Promise.all([upstream.close(), older.close()])
})

const megabytes = ({ pid }: Gateway): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
/** Runs something and tells how much the gateway grew meanwhile, at most. */
async function growth(run: () => Promise<unknown>, of = gateway): Promise<number> {
  const before = megabytes(of)
  let most = before
  const timer = setInterval(() => (most = Math.max(most, megabytes(of))), 20)
  try {
    await run()
  } finally {
    clearInterval(timer)
  }
  return Math.max(most, megabytes(of)) - before
}
const served = async (): Promise<void> =>
  void passed(await within(2000, 'others are served', modern(`${url}/x/mcp`, 'tools/list')))

it('the exploit: a relay without a limit hands on all 64 MB', async () => {
  const relay = await naive(upstream.url)
  assert.ok((await modern(relay.url, 'tools/call', { name: 'a JSON text of 64 MB' })).text.length >= 64 * MB)
  await relay.close()
})

describe('an answer without end: RESULT_TOO_LARGE, without keeping it', () => {
  for (const name of Object.keys(bombs))
    it(name, async () => {
      const grown = await growth(async () => {
        const got = await modern(`${url}/x/mcp`, 'tools/call', { name })
        refused(got, 200, 'RESULT_TOO_LARGE', /larger than 1048576 bytes/)
        await served()
      })
      assert.ok(grown < 48, `${grown.toFixed(0)} MB`)
    })
  for (const name of Object.keys(unpacked))
    it(`${name}: nothing is unpacked, and none is asked for`, async () => {
      const grown = await growth(async () => {
        const got = await modern(`${url}/x/mcp`, 'tools/call', { name })
        assert.ok(['UPSTREAM_INVALID', 'UPSTREAM_UNAVAILABLE'].includes(codeOf(got) ?? ''), got.text)
      })
      assert.ok(grown < 32, `${grown.toFixed(0)} MB`)
      assert.equal(upstream.heard.at(-1)?.headers['accept-encoding'], undefined)
    })

  it('a packed request is not unpacked either', async () => {
    const { body, headers } = modernParts('tools/list', {})
    const packed = await send(`${url}/x/mcp`, { headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipSync(body) })
    assert.equal(packed.status >= 400 && packed.status < 500, true, packed.text)
  })
})

describe('a local server that floods', () => {
  it('a line of 256 MB on stdout is left out, and the next is read', async () => {
    const grown = await growth(async () => {
      const got = await modern(`${url}/local/mcp`, 'tools/call', { name: 'flood', arguments: { bytes: 256 * MB } })
      assert.ok(codeOf(got) !== 'INTERNAL', got.text)
    })
    assert.ok(grown < 128, `${grown.toFixed(0)} MB`)
    assert.equal(textOf(await modern(`${url}/local/mcp`, 'tools/call', { name: 'echo', arguments: { a: 1 } })), '{"a":1}')
  })

  it('an answer longer than a line may be is refused, and does not wait for its timeout', async () => {
    const got = await modern(`${url}/local/mcp`, 'tools/call', { name: 'big', arguments: { bytes: 2 * MB } })
    assert.ok(['RESULT_TOO_LARGE', 'UPSTREAM_TIMEOUT', 'UPSTREAM_INVALID'].includes(codeOf(got) ?? ''), got.text)
  })

  it('20 000 lines on stderr do not hold anybody up', async () => {
    const call = modern(`${url}/local/mcp`, 'tools/call', { name: 'mutter', arguments: { lines: 20_000 } })
    await served()
    passed(await call)
  })

  it('one that reads no more: the call ends in time, also when the pipe is full', async () => {
    const as = { client: { name: 'deaf', version: '1' } }
    passed(await modern(`${url}/local/mcp`, 'tools/call', { name: 'deaf' }, as))
    for (const bytes of [MB, 10]) {
      const got = await within(
        6000,
        'a timeout',
        modern(`${url}/local/mcp`, 'tools/call', { name: 'echo', arguments: { x: 'x'.repeat(bytes) } }, as),
      )
      assert.equal(codeOf(got), 'UPSTREAM_TIMEOUT', got.text)
    }
  })
})

/** Sends a request and then reads nothing. */
async function stalled(path: string, headers: object, body: string | Buffer, ms: number): Promise<void> {
  const { port, host } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1').pause()
  const lines = Object.entries({
    host,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
    'content-length': body.length,
  })
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
  await wait(ms)
  socket.destroy()
}

describe('a client that stops reading holds the server back, and fills no memory', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/logLevel': 'debug',
  }
  const flood = { name: 'chatter', arguments: { count: 10_000, bytes: 20_000 }, _meta: meta }
  for (const server of ['x', 'older', 'local'])
    it(`200 MB of notices from ${server}`, async () => {
      const { body, headers } = modernParts('tools/call', flood)
      const grown = await growth(() => stalled(`/${server}/mcp`, headers, body, 2500))
      assert.ok(grown < 128, `${grown.toFixed(0)} MB`)
      await served()
    })

  it('200 MB that a server says unasked, to a standing stream that nobody reads', async () => {
    const session = await Legacy.open(`${url}/older/mcp`)
    const { port, host } = new URL(url)
    const lines = Object.entries({ host, accept: 'text/event-stream', ...session.headers() })
    const unread = connect(Number(port), '127.0.0.1').pause()
    unread.write(`GET /older/mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
    const [response] = await until('a standing stream', () => older.standing.size > 0 && [...older.standing])
    const params = { level: 'info', data: 'x'.repeat(MB / 2) }
    const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params })}\n\n`
    const grown = await growth(() => write({ response } as Turn, Buffer.from(event), 400))
    unread.destroy()
    assert.ok(grown < 128, `${grown.toFixed(0)} MB`)
    await served()
  })

  it('what is kept for a legacy client to come back to is bounded in bytes', async () => {
    const session = await Legacy.open(`${url}/older/mcp`)
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 5,
      method: 'tools/call',
      params: { name: 'x', arguments: { count: 800, bytes: 500_000 } },
    })
    const grown = await growth(async () => {
      await stalled('/older/mcp', session.headers(), body, 200)
      await until('the server has said it all', () => older.heard.length > 0)
      await wait(2000)
    })
    assert.ok(grown < 160, `${grown.toFixed(0)} MB`)
  })

  it('a body in chunks of one byte costs what its bytes cost', async () => {
    const fresh = await house.gateway(open({ x: httpServer(upstream) }))
    passed(await modern(`${fresh.url}/x/mcp`, 'tools/list')) // so that waking up is not counted
    const { port, host } = new URL(fresh.url)
    const grown = await growth(async () => {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(
        `POST /x/mcp HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      )
      const piece = Buffer.from('1\r\n \r\n'.repeat(50_000))
      for (let sent = 0; sent < 20 && !socket.destroyed; sent++)
        if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve))
      await wait(300)
      socket.destroy()
    }, fresh)
    // A buffer kept for each of them would be 150 MB and more.
    assert.ok(grown < 96, `${grown.toFixed(0)} MB for 1 MB of body`)
  })
})

it('a body without end is cut off at the library’s door too', async () => {
  const gateway = await createGateway(
    { servers: {}, store: 'sqlite::memory:', listen: '127.0.0.1:4180' },
    { folder: house.folder() },
  )
  let sent = 0
  const endless = new ReadableStream({
    pull(controller) {
      sent += MB
      controller.enqueue(new Uint8Array(MB))
    },
  })
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: endless, duplex: 'half' }
  const response = await within(5000, 'an answer', gateway.fetch(new Request('http://127.0.0.1:4180/mcp', init as RequestInit)))
  assert.equal(response.status, 413)
  assert.ok(sent < 16 * MB, `${sent / MB} MB were read`)
  await gateway.close()
})

describe('what a client says of itself is kept while it is here, so it is short', () => {
  const long = 'x'.repeat(100_000)
  const selves: readonly (readonly [says: string, client: Json, capabilities: Json])[] = [
    ['a long name', { name: long, version: '1' }, {}],
    ['long capabilities', { name: 'a', version: '1' }, { experimental: { [long]: {} } }],
    [
      'many capabilities',
      { name: 'a', version: '1' },
      Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`x${at}`, {}])),
    ],
  ]
  for (const [says, clientInfo, capabilities] of selves)
    it(`${says}: refused, in both eras`, async () => {
      const calls = older.heard.length
      const params = { protocolVersion: '2025-11-25', clientInfo, capabilities }
      const got = await send(`${url}/older/mcp`, {
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
      })
      assert.equal(codeOf(got), 'INVALID_PARAMS', got.text.slice(0, 300))
      refused(
        await modern(`${url}/older/mcp`, 'tools/list', {}, { client: clientInfo, capabilities }),
        400,
        'INVALID_PARAMS',
        /more than 65536 characters/,
      )
      assert.equal(older.heard.length, calls)
    })
})
