/**
 * Headers that say one thing while the body says another (SEP-2243; checklist 14-18, 25, 26). An intermediary that decides by
 * `Mcp-Name` is led past its own policy; we decide by the body, refuse the contradiction, and derive what we send.
 */
import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { glob } from '../../src/lib/glob.ts'
import { envelope, type Got, modern, modernParts, send, version } from './support/client.ts'
import { type Echo, echo, tool } from './support/echo.ts'
import { httpServer, open, passed, refused, within, yard } from './support/house.ts'

const house = yard()
const sentinel = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`
const declared = {
  inputSchema: {
    type: 'object',
    properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, n: { type: 'integer', 'x-mcp-header': 'N' } },
  },
}
const rules = [
  { effect: 'allow', server: 'notes', tools: ['*'] },
  { effect: 'deny', server: 'notes', tools: ['delete*', '削除*'] },
]
let upstream: Echo
let url: string

before(async () => {
  upstream = await echo({ tools: [tool('read_note', declared), tool('delete_note')] })
  url = `${(await house.gateway(open({ notes: httpServer(upstream) }, { roles: { all: rules } }))).url}/notes/mcp`
})
after(async () => {
  await house.close()
  await upstream.close()
})

const calls = (): string[] => upstream.methods().filter((method) => method === 'tools/call')
const call = (headers: Record<string, string | undefined>, name = 'read_note', args: object = {}): Promise<Got> =>
  modern(url, 'tools/call', { name, arguments: args }, { headers })

it('the exploit: an intermediary that decides by Mcp-Name lets delete_note through', async () => {
  const target = new URL(upstream.url)
  const byHeader = createServer((request, response) => {
    if (request.headers['mcp-name'] !== 'read_note') return void response.writeHead(403).end()
    const { host: _, ...headers } = request.headers
    request.pipe(
      httpRequest({ ...target, hostname: target.hostname, port: target.port, path: '/mcp', method: 'POST', headers }, (answer) =>
        answer.pipe(response),
      ),
    )
  })
  await new Promise<void>((resolve) => byHeader.listen(0, '127.0.0.1', resolve))
  const { body, headers } = modernParts('tools/call', { name: 'delete_note', arguments: {} })
  await send(`http://127.0.0.1:${(byHeader.address() as AddressInfo).port}/mcp`, {
    body,
    headers: { ...headers, 'mcp-name': 'read_note' },
  })
  assert.ok(upstream.heard.at(-1)?.body.includes('"name":"delete_note"'))
  byHeader.close()
})

type Row = readonly [says: string, headers: Record<string, string | undefined>, sentence: RegExp, name?: string, args?: object]
const mismatches: readonly Row[] = [
  ['Mcp-Name names another tool', { 'mcp-name': 'read_note' }, /Mcp-Name header is not "name"/, 'delete_note'],
  ['Mcp-Name is missing', { 'mcp-name': undefined }, /Mcp-Name header is missing/],
  ['Mcp-Name in other letters', { 'mcp-name': 'READ_NOTE' }, /Mcp-Name header is not "name"/],
  ['Mcp-Name is another tool behind the sentinel', { 'mcp-name': sentinel('delete_note') }, /Mcp-Name header is not "name"/],
  [
    'the sentinel in capital letters is no sentinel',
    { 'mcp-name': sentinel('read_note').replace('base64', 'BASE64') },
    /Mcp-Name header is not "name"/,
  ],
  ['the sentinel without its end', { 'mcp-name': sentinel('read_note').slice(0, -2) }, /Mcp-Name header is not "name"/],
  ['bad Base64', { 'mcp-name': '=?base64?cmVhZF9ub3R*?=' }, /invalid Base64/],
  ['Base64 without padding', { 'mcp-name': '=?base64?cmVhZF9ub3RlMTI?=' }, /invalid Base64/],
  ['Base64 of the URL alphabet', { 'mcp-name': '=?base64?cmVhZF9ub3Rl-_8=?=' }, /invalid Base64/],
  [
    'Base64 of bytes that are not UTF-8',
    { 'mcp-name': `=?base64?${Buffer.from([0x72, 0xc0, 0xaf]).toString('base64')}?=` },
    /invalid Base64/,
  ],
  ['bytes over 127', { 'mcp-name': 'read_n\u00f6te' }, /invalid characters/],
  ['Mcp-Method is another method', { 'mcp-method': 'tools/list' }, /Mcp-Method header is not the method/],
  ['Mcp-Method in other letters', { 'mcp-method': 'TOOLS/CALL' }, /Mcp-Method header is not the method/],
  ['Mcp-Method is missing', { 'mcp-method': undefined }, /Mcp-Method header is missing/],
  ['Mcp-Method behind the sentinel', { 'mcp-method': sentinel('tools/call') }, /Mcp-Method header is not the method/],
  ['the version is another', { 'mcp-protocol-version': '2025-11-25' }, /MCP-Protocol-Version header is not the version/],
  ['the version is missing', { 'mcp-protocol-version': undefined }, /MCP-Protocol-Version header is missing/],
  ['a declared parameter is missing', {}, /Mcp-Param-Region header is missing/, 'read_note', { region: 'eu' }],
  [
    'a declared parameter is another',
    { 'mcp-param-region': 'us' },
    /Mcp-Param-Region header is not "region"/,
    'read_note',
    { region: 'eu' },
  ],
  ['a declared parameter is not in the body', { 'mcp-param-region': 'us' }, /Mcp-Param-Region header is not "region"/],
  [
    'a declared parameter is null in the body',
    { 'mcp-param-region': 'us' },
    /Mcp-Param-Region header is not "region"/,
    'read_note',
    { region: null },
  ],
  ['a declared integer is another', { 'mcp-param-n': '41' }, /Mcp-Param-N header is not "n"/, 'read_note', { n: 42 }],
  [
    'a declared parameter with bad Base64',
    { 'mcp-param-region': '=?base64?e*U=?=' },
    /invalid Base64/,
    'read_note',
    { region: 'eu' },
  ],
]

describe('a header that contradicts the body: HEADER_MISMATCH (-32020), and no call at the server', () => {
  for (const [says, headers, sentence, name, args] of mismatches)
    it(says, async () => {
      const before = calls().length
      const got = await call(headers, name, args)
      refused(got, 400, 'HEADER_MISMATCH', sentence)
      assert.equal((got.json['error'] as { code: number }).code, -32020)
      assert.equal(calls().length, before)
    })
})

/** Each is denied as `delete*` by the name in the body, however the header spells it. */
const evasions: readonly (readonly [says: string, name: string, header: string])[] = [
  ['plain', 'delete_note', 'delete_note'],
  ['behind the sentinel', 'delete_note', sentinel('delete_note')],
  ['with spaces around it', 'delete_note', '  delete_note\t'],
  ['a name that is not ASCII', '削除_note', sentinel('削除_note')],
]

describe('policy decides on the name in the body, not on its spelling in a header', () => {
  for (const [says, name, header] of evasions)
    it(says, async () => {
      const before = calls().length
      refused(await call({ 'mcp-name': header }, name), 200, 'POLICY_DENIED', /does not allow the tool/)
      assert.equal(calls().length, before)
    })

  it('a tool whose own name is a sentinel is that name, and is sent so that nobody reads it as another', async () => {
    const name = sentinel('delete_note')
    passed(await call({ 'mcp-name': sentinel(name) }, name))
    assert.equal(upstream.heard.at(-1)?.headers['mcp-name'], sentinel(name))
    assert.ok(upstream.heard.at(-1)?.body.includes(JSON.stringify(name)))
  })
})

describe('what the server gets is derived from the judged message', () => {
  it('Mcp-Method, Mcp-Name and declared Mcp-Param-* come from the body', async () => {
    const headers = { 'mcp-name': sentinel('read_note'), 'mcp-param-region': sentinel('eu'), 'mcp-param-n': '4.2e1' }
    passed(await call(headers, 'read_note', { region: 'eu', n: 42 }))
    const { headers: sent } = upstream.heard.at(-1) as Echo['heard'][number]
    assert.deepEqual(
      [sent['mcp-method'], sent['mcp-name'], sent['mcp-param-region'], sent['mcp-param-n'], sent['mcp-protocol-version']],
      ['tools/call', 'read_note', 'eu', '42', version],
    )
  })

  it('an argument cannot break out of its header', async () => {
    const region = 'eu\r\nAuthorization: Bearer stolen'
    passed(await call({ 'mcp-param-region': sentinel(region) }, 'read_note', { region }))
    const { headers: sent } = upstream.heard.at(-1) as Echo['heard'][number]
    assert.deepEqual([sent['mcp-param-region'], sent['authorization']], [sentinel(region), undefined])
  })

  it('headers are no reason to trust a legacy message (25)', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read_note', _meta: {} } })
    const got = await send(url, { body, headers: { 'mcp-method': 'tools/call', 'mcp-name': 'read_note' } })
    refused(got, 400, 'SESSION_REQUIRED', /needs the Mcp-Session-Id/)
  })

  it('a modern version in the header alone does not make a message modern', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })
    refused(
      await send(url, { body, headers: { 'mcp-protocol-version': version, 'mcp-method': 'tools/list' } }),
      400,
      'INVALID_PARAMS',
      /_meta/,
    )
  })

  it('a version nobody has yet is refused with the ones that are served', async () => {
    const meta = { ...envelope(), 'io.modelcontextprotocol/protocolVersion': '2027-01-01' }
    const got = await modern(url, 'tools/list', { _meta: meta }, { headers: { 'mcp-protocol-version': '2027-01-01' } })
    refused(got, 400, 'UNSUPPORTED_VERSION', /Unsupported/)
    assert.deepEqual((got.json['error'] as { data: { supported: string[] } }).data.supported, [version])
  })
})

describe('no header costs more than its length (ReDoS, as CVE-2026-0621 was)', () => {
  const spaces = `x${' '.repeat(30_000)}x`
  for (const [name, headers] of [
    ['Mcp-Name', { 'mcp-name': spaces }],
    ['Mcp-Param-Region', { 'mcp-param-region': spaces }],
    ['Accept', { accept: `application/json, text/event-stream${spaces}` }],
    ['Content-Type', { 'content-type': `application/json${spaces}` }],
    ['Authorization', { authorization: `Bearer ${spaces}` }],
    ['MCP-Protocol-Version', { 'mcp-protocol-version': spaces }],
    ['Last-Event-ID', { 'last-event-id': spaces }],
    ['X-Forwarded-For', { 'x-forwarded-for': spaces }],
  ] as const)
    it(name, {}, async () => {
      await within(5000, 'an answer', call(headers, 'read_note', { region: 'eu' }))
    })
})

describe('patterns take time in proportion to their length (CVE-2026-0621)', () => {
  for (const pattern of [
    '*a*a*a*a*a*a*a*a*a*b',
    `${'*'.repeat(500)}b`,
    `${'a*'.repeat(250)}b`,
    `${'?*'.repeat(250)}b`,
    `*${'a'.repeat(100)}b`,
  ])
    it(`${pattern.slice(0, 24)}…`, () => {
      assert.equal(glob(pattern)('a'.repeat(8192)), false) // with backtracking this would not come to an end
    })
})
