/**
 * HTTP as nobody should speak it: too much, too slowly, half, in the wrong words (CWE-400). Each ends in a status and a reason,
 * reaches no server, and takes nothing from the others. What a stream has to be is here too; two requests in the bytes of one
 * are in test/attacks/smuggling.test.ts.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as bytes from '../attacks/support/bytes.ts'
import { body, headers, smuggled, statuses } from '../attacks/support/bytes.ts'
import { type Got, Legacy, modern, modernParts, type Raw, raw, Stream, send } from '../attacks/support/client.ts'
import { type Echo, echo, type Json, saying, type Turn } from '../attacks/support/echo.ts'
import { codeOf, httpServer, open, passed, refused, textOf, until, yard } from '../attacks/support/house.ts'

const house = yard()
let upstream: Echo
let older: Echo
let url: string
let port: number
let release: () => void = () => undefined

/** How the server answers, by the name of the tool. */
const ways: Readonly<Record<string, (turn: Turn) => Json | undefined | Promise<Json>>> = {
  plain: () => saying('plain'),
  async held({ send: tell }) {
    tell({ method: 'notifications/message', params: { level: 'info', data: 'first' } })
    await new Promise<void>((resolve) => {
      release = resolve
    })
    return saying('second')
  },
  silent: ({ response }) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
}

/** Slow requests and a silent stream take their time while the other tests run. */
let slowHead: { raw: Raw; tookMs: Promise<number> }
let slowBody: { raw: Raw; tookMs: Promise<number> }
let quiet: Stream

before(async () => {
  const call = (turn: Turn) => (ways[String(turn.params['name'])] ?? ways['plain'])?.(turn) as Json
  upstream = await echo({ answers: { 'tools/call': call } })
  older = await echo({ era: 'legacy' })
  const limits = { bodyBytesMax: 10_000, batchMax: 5, principal: { perMinute: 'unlimited', concurrent: 'unlimited' } }
  url = (await house.gateway(open({ x: httpServer(upstream), older: httpServer(older, 'legacy') }, { limits }))).url
  port = Number(new URL(url).port)
  slowHead = drip('POST /x/mcp HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  slowBody = drip(
    `POST /x/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n`,
  )
  const session = await Legacy.open(`${url}/older/mcp`)
  quiet = new Stream(session.url, { method: 'GET', headers: session.headers() })
})
after(async () => {
  quiet.close()
  await house.close()
  await Promise.all([upstream.close(), older.close()])
})

/** Sends this, and then a byte a second until it is cut off. */
function drip(head: string): { raw: Raw; tookMs: Promise<number> } {
  const one = raw(port)
  const began = performance.now()
  one.socket.write(head)
  const timer = setInterval(() => one.socket.write('x'), 1000)
  const tookMs = one.closed.then(() => {
    clearInterval(timer)
    return performance.now() - began
  })
  return { raw: one, tookMs }
}

const post = (more?: readonly string[], content?: string | Buffer): string => bytes.post(port, more, content)
const lines = (more?: readonly string[]): string => bytes.lines(port, more)
const answerTo = (sent: string | Buffer, options?: { halfClose?: boolean }): Promise<string> =>
  bytes.answerTo(port, sent, options)
const nothing = (): void =>
  assert.deepEqual(
    upstream.heard.map(({ line }) => line),
    [],
  )

describe('more than there is room for', () => {
  const big = Buffer.alloc(20_000, ' ')
  const rows: readonly (readonly [says: string, make: () => string | Buffer, status: number])[] = [
    ['a body longer than bodyBytesMax, declared', () => post([`Content-Length: ${big.length}`], big.toString()), 413],
    ['a declared length, and nothing of it', () => post(['Content-Length: 99999999999'], ''), 413],
    ['a body in chunks', () => post(['Transfer-Encoding: chunked'], `${(20_000).toString(16)}\r\n${big}\r\n0\r\n\r\n`), 413],
    ['40 000 bytes of one header', () => post([`X-Long: ${'x'.repeat(40_000)}`, `Content-Length: ${body.length}`]), 431],
    [
      '40 000 bytes of many headers',
      () => post([...Array.from({ length: 1000 }, (_, at) => `X-${at}: ${'x'.repeat(36)}`), `Content-Length: ${body.length}`]),
      431,
    ],
    ['40 000 bytes of path', () => `POST /${'x'.repeat(40_000)} HTTP/1.1\r\n${lines()}\r\n`, 431],
  ]
  for (const [says, make, status] of rows)
    it(`${says}: ${status}, and what follows is no request`, async () => {
      upstream.heard.length = 0
      const text = await answerTo(Buffer.concat([Buffer.from(make()), Buffer.from(smuggled)]))
      assert.deepEqual(statuses(text), [status])
      nothing()
    })

  it('10 000 bytes of headers are not too many', async () => {
    passed(await modern(`${url}/x/mcp`, 'tools/call', { name: 'plain' }, { headers: { 'x-long': 'x'.repeat(10_000) } }))
  })

  it('a million opening brackets are refused at once', async () => {
    refused(await send(`${url}/x/mcp`, { headers, body: '['.repeat(9000) }), 400, 'PARSE', /nested more than/)
  })

  it('no header is silently forgotten: node looks at 2000, we look at all', async () => {
    upstream.heard.length = 0
    const many = Array.from({ length: 2100 }, (_, at) => `X${at}:1`)
    const text = await answerTo(post([`Content-Length: ${body.length}`, ...many, 'Origin: https://attacker.example']))
    assert.ok(
      statuses(text).every((status) => status === 403 || status === 431),
      text.slice(0, 300),
    )
    nothing()
  })
})

describe('what is asked for in the wrong words', () => {
  const rows: readonly (readonly [says: string, attempt: () => Promise<Got>, status: number, code: string])[] = [
    [
      'no Content-Type',
      () => send(`${url}/x/mcp`, { body, headers: { ...headers, 'content-type': undefined } }),
      415,
      'UNSUPPORTED_MEDIA',
    ],
    [
      'text/json',
      () => send(`${url}/x/mcp`, { body, headers: { ...headers, 'content-type': 'text/json' } }),
      415,
      'UNSUPPORTED_MEDIA',
    ],
    [
      'a type that begins like ours',
      () => send(`${url}/x/mcp`, { body, headers: { ...headers, 'content-type': 'application/jsonp' } }),
      415,
      'UNSUPPORTED_MEDIA',
    ],
    [
      'Accept: text/html',
      () => send(`${url}/x/mcp`, { body, headers: { ...headers, accept: 'text/html' } }),
      406,
      'NOT_ACCEPTABLE',
    ],
    [
      'Accept: application/json alone',
      () => send(`${url}/x/mcp`, { body, headers: { ...headers, accept: 'application/json' } }),
      406,
      'NOT_ACCEPTABLE',
    ],
    [
      'Accept with a weight of 0',
      () => send(`${url}/x/mcp`, { body, headers: { ...headers, accept: 'application/json, text/event-stream;q=0' } }),
      406,
      'NOT_ACCEPTABLE',
    ],
    [
      'GET without a session',
      () => send(`${url}/x/mcp`, { method: 'GET', headers: { accept: 'text/event-stream' } }),
      405,
      'METHOD_NOT_ALLOWED',
    ],
    ['DELETE without a session', () => send(`${url}/x/mcp`, { method: 'DELETE' }), 405, 'METHOD_NOT_ALLOWED'],
    ['OPTIONS without an origin', () => send(`${url}/x/mcp`, { method: 'OPTIONS' }), 405, 'METHOD_NOT_ALLOWED'],
    ['a body that is not UTF-8', () => send(`${url}/x/mcp`, { headers, body: Buffer.from([0x7b, 0xff, 0x7d]) }), 400, 'PARSE'],
  ]
  for (const [says, attempt, status, code] of rows)
    it(`${says}: ${status}`, async () => {
      upstream.heard.length = 0
      refused(await attempt(), status, code, /./)
      nothing()
    })
  for (const [says, make] of [
    ['CONNECT', () => `CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`],
    [
      'an upgrade',
      () => post([`Content-Length: ${body.length}`, 'Connection: Upgrade', 'Upgrade: websocket']).replace('POST', 'GET'),
    ],
    ['Expect: something', () => post([`Content-Length: ${body.length}`, 'Expect: something'])],
  ] as const)
    it(`${says}: no tunnel, and no server hears of it`, async () => {
      upstream.heard.length = 0
      const text = await answerTo(make())
      assert.ok(
        statuses(text).every((status) => status >= 400),
        text,
      )
      nothing()
    })
})

describe('batches (2025-03-26 alone has them)', () => {
  const ping = (id: number): Json => ({ jsonrpc: '2.0', id, method: 'ping' })
  const batch = (session: Legacy, messages: unknown): Promise<Got> =>
    send(session.url, { headers: session.headers(), body: JSON.stringify(messages) })
  const rows: readonly (readonly [says: string, version: string, messages: unknown])[] = [
    ['one more than batchMax', '2025-03-26', [1, 2, 3, 4, 5, 6].map(ping)],
    ['none', '2025-03-26', []],
    ['a batch in a batch', '2025-03-26', [[ping(1)]]],
    ['initialize in a batch', '2025-03-26', [ping(1), { jsonrpc: '2.0', id: 2, method: 'initialize', params: {} }]],
    ['one of 2025-06-18', '2025-06-18', [ping(1)]],
    ['one of 2025-11-25', '2025-11-25', [ping(1)]],
  ]
  for (const [says, protocolVersion, messages] of rows)
    it(`${says}: refused whole`, async () => {
      const session = await Legacy.open(`${url}/older/mcp`, { protocolVersion })
      refused(await batch(session, messages), 400, 'INVALID_REQUEST', /./)
    })

  it('the same id twice is refused, and the id can be used afterwards', async () => {
    const session = await Legacy.open(`${url}/older/mcp`, { protocolVersion: '2025-03-26' })
    refused(await batch(session, [ping(1), ping(1)]), 400, 'INVALID_REQUEST', /still under way/)
    passed(await session.raw(ping(1)))
  })

  it('each message of a batch is decided by itself', async () => {
    const session = await Legacy.open(`${url}/older/mcp`, { protocolVersion: '2025-03-26' })
    const { text } = await batch(session, [
      ping(1),
      { jsonrpc: '2.0', id: 2, method: 'tools/erase' },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } },
    ])
    const [second, first, ...rest] = (JSON.parse(text) as Json[]).sort((one, two) => Number(two['id']) - Number(one['id']))
    assert.deepEqual([first?.['result'], codeOf({ json: second as Json }), rest], [{}, 'UNKNOWN_METHOD', []])
  })
})

describe('streams', () => {
  const meta = { 'io.modelcontextprotocol/logLevel': 'info' }
  const start = (name: string): Stream => new Stream(`${url}/x/mcp`, { ...modernParts('tools/call', { name, _meta: meta }) })

  it('an event arrives before the next is produced, and no proxy is invited to gather them', async () => {
    const stream = start('held')
    await until('the first event', () => stream.text.includes('first'))
    assert.ok(!stream.text.includes('second') && !stream.ended)
    assert.deepEqual(
      [stream.headers['x-accel-buffering'], stream.headers['cache-control'], stream.headers['content-encoding']],
      ['no', 'no-store', undefined],
    )
    release()
    await until('the answer', () => stream.ended)
    assert.match(stream.text, /"text":"second"/)
  })

  it('a client that closes its side is gone: the connection is closed, and nothing hangs', async () => {
    assert.doesNotMatch(await answerTo(post(), { halfClose: true }), /HTTP\/1\.1 5/)
    passed(await modern(`${url}/x/mcp`, 'tools/call', { name: 'plain' }))
  })

  it('a client that hangs up ends the request at the server', async () => {
    upstream.heard.length = 0
    const stream = start('silent')
    const closed = new Promise<void>((resolve) =>
      upstream.server.once('request', (_, response) => response.once('close', resolve)),
    )
    await until('the call arrives', () => upstream.methods().includes('tools/call'))
    stream.close()
    await closed
  })

  it('comments keep a silent stream open (within 20 s)', async () => {
    await until('a comment', () => /^:\s*$/m.test(quiet.text), 20_000)
    assert.ok(!quiet.ended)
    assert.deepEqual(quiet.messages, [])
  })
})

describe('slowly', () => {
  it('a head that never ends is cut off (headersTimeout 10 s)', { timeout: 60_000 }, async () => {
    assert.ok((await slowHead.tookMs) < 14_000, `${Math.round((await slowHead.tookMs) / 1000)} s`)
    assert.match(slowHead.raw.text(), /^HTTP\/1\.1 408 /)
  })
  it('a body that never ends is cut off (requestTimeout 30 s)', { timeout: 70_000 }, async () => {
    assert.ok((await slowBody.tookMs) < 62_000, `${Math.round((await slowBody.tookMs) / 1000)} s`)
    upstream.heard.length = 0
    assert.equal(textOf(await modern(`${url}/x/mcp`, 'tools/call', { name: 'plain' })), 'plain')
  })
})
