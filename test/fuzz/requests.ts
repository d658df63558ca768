/**
 * HTTP requests for the gateway as bytes, from good ones to rubbish. They are latin1 text in which `%PORT%` and
 * `%SESSION3%` stand for what is known only when they are sent.
 */
import { jsonVocabulary, legacySamples, messageOf, modernSamples, type Sample } from './messages.ts'
import { mutated, type Vocabulary } from './mutate.ts'
import type { Random } from './random.ts'

export interface Visit {
  readonly about: string
  readonly text: string
  /** Whole as HTTP/1.1, so there has to be an answer. What is not may also end in a closed connection. */
  readonly framed: boolean
  readonly door: 'mcp' | 'admin'
}

/** The sessions that legacy requests are made in. */
export const sessions = [
  { server: 'legacy', version: '2025-11-25' },
  { server: 'legacy', version: '2025-03-26' },
  { server: 'modern', version: '2025-06-18' },
  { server: 'hostile', version: '2025-11-25' },
  { server: undefined, version: '2025-11-25' },
] as const
export const servers = ['modern', 'legacy', 'hostile', 'unfriendly', undefined] as const

/** In every request. Nothing like it may arrive at a server. */
export const credential = 'caller-credential-0123456789'

export const pathOf = (server: string | undefined): string => (server === undefined ? '/mcp' : `/${server}/mcp`)

type Header = readonly [name: string, value: string]
const usual: readonly Header[] = [
  ['Host', '127.0.0.1:%PORT%'],
  ['Accept', 'application/json, text/event-stream'],
  ['Content-Type', 'application/json'],
  ['Authorization', `Bearer ${credential}`],
  ['Cookie', `session=${credential}`],
]

const headerWords: Vocabulary = {
  seeds: [
    'tools/call',
    '2026-07-28',
    '2025-11-25',
    'application/json',
    'text/event-stream',
    '=?base64?cmVhZF9maWxl?=',
    'read_file',
    '127.0.0.1:%PORT%',
    'http://evil.example',
    '*/*;q=0',
  ],
  token: /[\w.*-]+|[\s\S]/g,
  words: [
    'localhost:%PORT%',
    'evil.example',
    '[::1]:%PORT%',
    '127.0.0.1',
    ',',
    ';',
    'q=0',
    ' ',
    '\t',
    '\u00a0',
    '\u0080',
    '\u00ff',
    '=?base64?',
    '?=',
    'YQ==',
    'TOOLS/CALL',
    '2099-01-01',
    '',
    'null',
    'https://127.0.0.1:%PORT%',
  ],
}
const headerNames = [
  ...[
    'Mcp-Method',
    'mcp-method',
    'Mcp-Name',
    'MCP-Protocol-Version',
    'Mcp-Session-Id',
    'Last-Event-ID',
    'Origin',
    'Host',
    'Accept',
    'Content-Type',
    'Mcp-Param-Region',
    'Mcp-Param-Stray',
    'Mcp-Param-X',
  ],
  ...[
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'Forwarded',
    'Authorization',
    'Proxy-Authorization',
    'Cookie',
    'Mcp_Method',
    'Mcp-Nаme',
    '__proto__',
    'constructor',
    'TE',
    'Via',
    'Range',
    'X-Http-Method-Override',
  ],
]

/** Bytes as HTTP has them: the request line and the headers, and what breaks parsers. */
const wire: Vocabulary = {
  seeds: ['GET /mcp HTTP/1.1\r\n\r\n'],
  token: /\r\n|[^\r\n:]+: ?|[^\r\n]{1,40}|[\s\S]/g,
  words: [
    ...[
      'Content-Length: 0\r\n',
      'Content-Length: 5\r\n',
      'Content-Length: +5\r\n',
      'Content-Length: 5, 5\r\n',
      'Content-Length: 99999999999\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Transfer-Encoding : chunked\r\n',
    ],
    ...[
      'Transfer-Encoding: chunked, identity\r\n',
      'Transfer-Encoding: xchunked\r\n',
      'Transfer-Encoding:\u000bchunked\r\n',
      ' folded: x\r\n',
      'Expect: 100-continue\r\n',
      'Upgrade: websocket\r\nConnection: upgrade\r\n',
      'Connection: close\r\n',
    ],
    ...[
      '0\r\n\r\n',
      '5\r\nhello\r\n',
      '5;x=y\r\n',
      'ffffffffffffffff\r\n',
      '\r\n',
      '\n',
      '\r',
      '\r\n\r\n',
      '\u0000',
      ': ',
      'HTTP/1.0',
      'HTTP/1.1',
      'HTTP/2.0',
      'HTTP/0.9',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ],
    ...[
      'GET ',
      'POST ',
      'HEAD ',
      'CONNECT ',
      'TRACE ',
      'PUT ',
      'DELETE ',
      'OPTIONS ',
      '/mcp',
      '/modern/mcp',
      '//modern/mcp',
      '/modern/./mcp',
      '/modern%2fmcp',
      '/modern/mcp?x',
      '/modern/mcp#x',
      'http://evil.example/mcp',
      '*',
      '/metrics',
      '/healthz',
    ],
    `X-Long: ${'x'.repeat(40_000)}\r\n`,
  ],
}

export function makeVisit(random: Random): Visit {
  const kind = random.below(20)
  if (kind < 7) return modern(random, false)
  if (kind < 11) return legacy(random)
  if (kind < 14) return modern(random, true)
  if (kind < 15) return batch(random)
  if (kind < 17) return bodiless(random)
  if (kind < 18) return admin(random)
  return raw(random)
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

function request(line: string, headers: readonly Header[], body: string): string {
  const bytes = body === '' && line.startsWith('GET') ? [] : [['Content-Length', String(body.length)] as const]
  const lines = [...headers, ...bytes].map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Whether the server can tell from this head where the request ends. */
const isWhole = (headers: readonly Header[]): boolean =>
  headers.every(
    ([name, value]) => !/content-length|transfer-encoding|expect|upgrade|connection/i.test(name) && !/[\r\n]/.test(name + value),
  )

/** A message as text: mutated, and now and then not even UTF-8. */
export function bodyOf(random: Random, message: object): string {
  const bytes = latin1(mutated(random, jsonVocabulary, 3, JSON.stringify(message)))
  if (!random.once(30)) return bytes
  const place = random.below(bytes.length)
  return bytes.slice(0, place) + String.fromCharCode(128 + random.below(128)) + bytes.slice(place)
}

/** The headers of a modern request, from what its body says where that can be read: else from what it once said. */
function mirrored(body: string, sample: Sample): Header[] {
  let { method, params }: { method: unknown; params: Readonly<Record<string, unknown>> | undefined } = sample
  try {
    ;({ method, params } = JSON.parse(Buffer.from(body, 'latin1').toString()) as Sample)
  } catch {
    // the sample's own
  }
  const headers: Header[] = [['MCP-Protocol-Version', '2026-07-28']]
  headers.push(['Mcp-Method', typeof method === 'string' ? method.replace(/[^ -~]/g, '?') : ''])
  const name = params?.['uri'] ?? params?.['name'] ?? params?.['taskId']
  if (typeof name === 'string') headers.push(['Mcp-Name', encoded(name)])
  const { region, at, on } = (params?.['arguments'] ?? {}) as { region?: unknown; at?: { n?: unknown }; on?: unknown }
  if (name === 'region')
    for (const [header, value] of [
      ['Region', region],
      ['At-N', at?.n],
      ['On', on],
    ] as const)
      if (value !== undefined && value !== null) headers.push([`Mcp-Param-${header}`, encoded(String(value))])
  return headers
}
const encoded = (text: string): string =>
  /^[!-~]+$/.test(text) && !text.startsWith('=?') ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`

function modern(random: Random, withHeaders: boolean): Visit {
  const sample = random.pick(modernSamples)
  const server = random.pick(servers)
  const body =
    withHeaders && random.once(2)
      ? latin1(JSON.stringify(messageOf(sample)))
      : bodyOf(random, messageOf(onDoor(sample, server), random.below(5)))
  const good = [...usual, ...mirrored(body, sample)]
  const headers = withHeaders ? mutatedHeaders(random, good) : good
  return { about: 'modern', text: request(`POST ${pathOf(server)}`, headers, body), framed: isWhole(headers), door: 'mcp' }
}

/** On the door to all servers a name has the server's before it. */
export function onDoor(sample: Sample, server: string | undefined): Sample {
  const { name } = sample.params
  return server !== undefined || typeof name !== 'string'
    ? sample
    : { ...sample, params: { ...sample.params, name: `legacy__${name}` } }
}

function mutatedHeaders(random: Random, good: readonly Header[]): Header[] {
  const headers = [...good]
  for (let count = 1 + random.few(3); count > 0; count--) {
    const place = random.below(headers.length)
    const [name, value] = headers[place] as Header
    switch (random.below(6)) {
      case 0:
        headers.splice(place, 1)
        break
      case 1:
        headers.push([name, random.once(2) ? value : clean(mutated(random, headerWords))])
        break
      case 2:
        headers.push([latin1(random.pick(headerNames)), clean(mutated(random, headerWords))])
        break
      case 3:
        headers[place] = [latin1(random.pick(headerNames)), value]
        break
      case 4:
        headers[place] = [random.once(2) ? name.toUpperCase() : name.toLowerCase(), value]
        break
      default:
        headers[place] = [name, clean(mutated(random, headerWords, 3, value))]
    }
  }
  if (random.once(60)) for (let count = 0; count < 1500; count++) headers.push([`X-${count}`, 'y'])
  return headers
}
const clean = (value: string): string => latin1(value).replace(/[\r\n]/g, '')

function inSession(random: Random): { slot: number; headers: Header[]; server: string | undefined } {
  const slot = random.below(sessions.length)
  const { server, version } = sessions[slot] as (typeof sessions)[number]
  const headers: Header[] = [...usual, ['Mcp-Session-Id', `%SESSION${slot}%`]]
  if (!random.once(10)) headers.push(['MCP-Protocol-Version', version])
  return {
    slot,
    headers: random.once(10) ? mutatedHeaders(random, headers) : headers,
    server: random.once(30) ? random.pick(servers) : server,
  }
}

function legacy(random: Random): Visit {
  const { headers, server } = inSession(random)
  const sample = onDoor(random.pick(legacySamples), server)
  const message = random.once(12)
    ? { jsonrpc: '2.0', id: random.pick(['sekisho-1', 1, 'x']), result: { action: 'accept' } }
    : messageOf(sample, random.next())
  return {
    about: 'legacy',
    text: request(`POST ${pathOf(server)}`, headers, bodyOf(random, message)),
    framed: isWhole(headers),
    door: 'mcp',
  }
}

function batch(random: Random): Visit {
  const { headers, server } = inSession(random)
  const messages = Array.from({ length: random.below(6) }, () =>
    messageOf(random.pick(legacySamples), random.once(20) ? 1 : random.next()),
  )
  return {
    about: 'batch',
    text: request(`POST ${pathOf(server)}`, headers, bodyOf(random, messages)),
    framed: isWhole(headers),
    door: 'mcp',
  }
}

/** GET, DELETE, OPTIONS and what is none of them. */
function bodiless(random: Random): Visit {
  const { slot, headers, server } = inSession(random)
  const extra: Header[] = random.once(3)
    ? [['Last-Event-ID', random.pick(['x', `${'A'.repeat(43)}_1`, `%SESSION${slot}%_1`, '%STREAM%'])]]
    : []
  const method = random.pick(['GET', 'GET', 'GET', 'DELETE', 'OPTIONS', 'PUT', 'PATCH', 'HEAD', 'get', 'M-SEARCH'])
  const all = [...headers, ...extra]
  return {
    about: method,
    text: request(`${method} ${pathOf(server)}${random.once(8) ? '?x=1' : ''}`, all, ''),
    framed: isWhole(all),
    door: 'mcp',
  }
}

function admin(random: Random): Visit {
  const path = random.pick(['/metrics', '/healthz', '/readyz', '/health', '/', '/mcp', '/../metrics'])
  const headers = random.once(2) ? [...usual] : mutatedHeaders(random, usual)
  return {
    about: 'admin',
    text: request(`${random.pick(['GET', 'GET', 'POST', 'HEAD'])} ${path}`, headers, ''),
    framed: isWhole(headers),
    door: 'admin',
  }
}

/** Whole requests, one or two on a connection, with their bytes mutated. */
function raw(random: Random): Visit {
  const one = random.once(2) ? modern(random, false) : random.once(2) ? legacy(random) : bodiless(random)
  const two = random.once(4) ? modern(random, false).text : ''
  const text = chunkedBody(random, one.text) + two
  return { about: 'raw', text: mutated(random, wire, 6, text), framed: false, door: 'mcp' }
}

/** The same request with its body in chunks. */
function chunkedBody(random: Random, text: string): string {
  if (!random.once(3)) return text
  const [head = '', body = ''] = text.split(/\r\n\r\n/, 2)
  const half = random.below(body.length)
  const chunks = [body.slice(0, half), body.slice(half)]
    .filter((chunk) => chunk !== '')
    .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
  return `${head.replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked')}\r\n\r\n${chunks.join('')}0\r\n\r\n`
}
