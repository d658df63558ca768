/**
 * Two requests in the bytes of one (CWE-444): where we and a proxy in front of us, or a server behind us, could disagree about
 * where a request ends, or which of two headers counts, there is a 4xx and the end of the connection.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as bytes from './support/bytes.ts'
import { body, headers, smuggled, statuses } from './support/bytes.ts'
import { modernParts } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { httpServer, open, yard } from './support/house.ts'

const house = yard()
let upstream: Echo
let port: number

before(async () => {
  upstream = await echo()
  port = Number(new URL((await house.gateway(open({ x: httpServer(upstream) }))).url).port)
})
after(async () => {
  await house.close()
  await upstream.close()
})

const post = (more?: readonly string[], content?: string | Buffer): string => bytes.post(port, more, content)
const answerTo = (sent: string): Promise<string> => bytes.answerTo(port, sent)
const nothing = (): void =>
  assert.deepEqual(
    upstream.heard.map(({ line }) => line),
    [],
  )

describe('two requests in the bytes of one (request smuggling)', () => {
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const length = `Content-Length: ${body.length}`
  const shapes: readonly (readonly [says: string, bytes: () => string])[] = [
    ['Content-Length and Transfer-Encoding', () => post([length, 'Transfer-Encoding: chunked'], chunked)],
    ['Transfer-Encoding and Content-Length: 0', () => post(['Transfer-Encoding: chunked', 'Content-Length: 0'], chunked)],
    ['two Content-Lengths that differ', () => post([length, 'Content-Length: 0'])],
    ['two that agree', () => post([length, length])],
    ['a list of lengths', () => post([`Content-Length: ${body.length}, 0`])],
    ['a signed length', () => post([`Content-Length: +${body.length}`])],
    ['a hexadecimal length', () => post([`Content-Length: 0x${body.length.toString(16)}`])],
    ['a negative length', () => post(['Content-Length: -1'])],
    ['a length of 2^64', () => post(['Content-Length: 18446744073709551617'])],
    ['xchunked', () => post(['Transfer-Encoding: xchunked'], chunked)],
    ['chunked, identity', () => post(['Transfer-Encoding: chunked, identity'], chunked)],
    ['chunked twice', () => post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], chunked)],
    ['a space before the colon', () => post(['Transfer-Encoding : chunked', length])],
    ['a folded line', () => post(['X-A: 1', ' Transfer-Encoding: chunked', length])],
    ['a tab as a name', () => post(['\tTransfer-Encoding: chunked', length])],
    ['a bare LF', () => post([`X-A: 1\nTransfer-Encoding: chunked`, length])],
    ['a bare CR', () => post([`X-A: 1\rTransfer-Encoding: chunked`, length])],
    ['a NUL in a value', () => post(['X-A: 1\u0000', length])],
    ['a name with a parenthesis', () => post(['X(A): 1', length])],
    ['a chunk size that overflows', () => post(['Transfer-Encoding: chunked'], `FFFFFFFFFFFFFFFFF\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk size with a sign', () => post(['Transfer-Encoding: chunked'], `+5\r\nhello\r\n0\r\n\r\n`)],
    ['a chunk longer than it says', () => post(['Transfer-Encoding: chunked'], `2\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk that ends in LF', () => post(['Transfer-Encoding: chunked'], `${body.length.toString(16)}\n${body}\n0\n\n`)],
    ['HTTP/0.9', () => 'POST /x/mcp\r\n\r\n'],
    ['HTTP/2 without TLS', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS handshake', () => '\u0016\u0003\u0001\u0002\u0000\u0001'],
    ['no Host', () => post([length]).replace(/Host: [^\r]+\r\n/, '')],
    ['a line before the request line', () => `X: y\r\n${post([length])}`],
  ]
  for (const [says, make] of shapes)
    it(`${says}: 4xx, the connection is closed, and no server hears of it`, async () => {
      upstream.heard.length = 0
      const text = await answerTo(`${make()}${smuggled}`)
      assert.ok(statuses(text).length <= 1 && statuses(text).every((status) => status >= 400 && status < 500), text)
      nothing()
    })

  it('bytes of an unread body are no next request', async () => {
    upstream.heard.length = 0
    const inner = post([`Content-Length: ${body.length}`])
    for (const refusedHead of ['Content-Type: text/plain', 'Origin: https://attacker.example']) {
      const text = await answerTo(
        `POST /x/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${refusedHead}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      )
      assert.equal(statuses(text).length, 1, text)
    }
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'HEAD'])
      assert.equal(
        statuses(
          await answerTo(
            `${method} /x/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
          ),
        ).length,
        1,
      )
    nothing()
  })

  it('requests that follow each other on one connection are answered in order', async () => {
    const two = ['a', 'b'].map((id) => modernParts('tools/call', { name: 'plain' }, { id }).body)
    const text = await answerTo(two.map((one) => post([`Content-Length: ${one.length}`], one)).join(''))
    assert.deepEqual(statuses(text), [200, 200])
    assert.ok(text.indexOf('"id":"a"') < text.indexOf('"id":"b"') && text.includes('"id":"a"'))
  })

  for (const name of [
    'Authorization',
    'Origin',
    'Content-Type',
    'Accept',
    'MCP-Protocol-Version',
    'Mcp-Method',
    'Mcp-Name',
    'Mcp-Session-Id',
    'Last-Event-ID',
    'Mcp-Param-X',
    'mcp-NAME',
  ])
    it(`${name} twice, even the same`, async () => {
      upstream.heard.length = 0
      const value =
        (headers as Record<string, string>)[name.toLowerCase()] ??
        (name === 'Origin' ? `http://127.0.0.1:${port}` : 'application/json')
      const text = await answerTo(post([`Content-Length: ${body.length}`, `${name}: ${value}`, `${name}: ${value}`]))
      assert.ok(statuses(text)[0] === 400 || statuses(text)[0] === 403, text)
      assert.match(text, /came twice|ORIGIN_REFUSED/)
      nothing()
    })
})
