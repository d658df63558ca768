/** The attacks are in test/attacks/ssrf.test.ts. Here: what is asked, what is answered, and that nothing stays open. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { discoverOAuthProtectedResourceMetadata, type FetchLike } from '@modelcontextprotocol/client'
import { createRemoteJWKSet, customFetch, exportJWK, type FetchImplementation, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import type { Configuration } from 'oidc-provider'
import { type CustomFetch, discovery } from 'openid-client'
import { type FetchRefusalCode, FetchRefused } from './fetch-refused.ts'
import { type SafeFetch, safeFetch } from './safe-fetch.ts'

interface Heard {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
const heard: Heard[] = []
const routes: Record<string, (response: ServerResponse, request: IncomingMessage) => void> = {}
const sockets = new Set<Socket>()
const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (chunk: string) => {
    body += chunk
  })
  request.on('end', () => {
    heard.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
    ;(routes[request.url as string] ?? ((to) => to.end('hello')))(response, request)
  })
}).on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))))

let here: string
let other: string
let fetched: SafeFetch
const another = createServer((request, response) => {
  heard.push({ line: `${request.method} ${request.url}`, headers: request.headers, body: '' })
  response.end('another')
})
before(async () => {
  for (const each of [server, another]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve))
  here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  other = `http://127.0.0.1:${(another.address() as AddressInfo).port}`
  fetched = safeFetch({ trustedOrigins: [here, other] })
})
beforeEach(() => void (heard.length = 0))
after(() => {
  server.close()
  another.close()
})

const refusal = (code: FetchRefusalCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof FetchRefused, String(error))
  assert.equal(error.code, code)
  assert.match(error.message, message)
  assert.notEqual(error.fix, '')
  return true
}
const closed = async (): Promise<void> => {
  while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('what is no origin is not trusted', () => {
  const origins: readonly (readonly [origin: string, why: RegExp])[] = [
    ['idp.corp.local', /trustedOrigins\[0\] is not a URL/],
    ['https://idp.corp.local/tenant', /more than an origin/],
    ['https://idp.corp.local?x', /more than an origin/],
    ['https://name:word@idp.corp.local', /more than an origin/],
    ['http://idp.corp.local', /plain http is for loopback only/],
    ['http://10.0.0.1', /plain http is for loopback only/],
    ['http://169.254.169.254', /plain http is for loopback only/],
    ['ftp://127.0.0.1', /more than an origin|not https/],
  ]
  for (const [origin, why] of origins)
    it(origin, () =>
      assert.throws(
        () => safeFetch({ trustedOrigins: [origin] }),
        (error: TypeError) => why.test(error.message) && !error.message.includes('word'),
      ),
    )
})

for (const ca of ['', 'secret', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])
  it(`what is no certificate trusts nobody: ${JSON.stringify(ca.slice(0, 10))}`, () =>
    assert.throws(() => safeFetch({ ca }), /^TypeError: ca is not a certificate: it begins with -----BEGIN CERTIFICATE-----$/))

describe('what a trusted origin may lead to', () => {
  const cases: readonly (readonly [says: string, origin: string, address: string, code: FetchRefusalCode])[] = [
    ['the metadata service', 'https://idp.corp.local', '169.254.169.254', 'address'],
    ['the metadata service in IPv6', 'https://idp.corp.local', 'fd00:ec2::254', 'address'],
    ['everybody', 'https://idp.corp.local', '255.255.255.255', 'address'],
    ['plain http to a network', 'http://localhost:1', '10.0.0.1', 'address'],
    ['plain http to the internet', 'http://localhost:1', '8.8.8.8', 'address'],
    ['this machine', 'https://idp.corp.local:1', '127.0.0.1', 'unreachable'],
    ['this machine, plainly', 'http://localhost:1', '127.0.0.1', 'unreachable'],
  ]
  for (const [says, origin, address, code] of cases)
    it(says, () =>
      assert.rejects(
        safeFetch({ trustedOrigins: [origin], lookup: async () => [{ address, family: address.includes(':') ? 6 : 4 }] })(origin),
        refusal(code, /./),
      ),
    )

  it('is what was written, not what looks like it', async () => {
    const lookup = async () => [{ address: '127.0.0.1', family: 4 }]
    const guarded = safeFetch({ trustedOrigins: ['https://idp.example.com'], lookup })
    const urls = ['https://idp.example.com:8443', 'https://a.idp.example.com', 'https://idp.example.com.evil.example']
    for (const url of urls) await assert.rejects(guarded(url), refusal('address', /127\.0\.0\.1, a loopback address/))
    await assert.rejects(guarded('http://idp.example.com'), refusal('scheme', /not https/))
    await assert.rejects(guarded('https://idp.example.com./'), refusal('url', /./))
    await assert.rejects(guarded('https://x@idp.example.com/'), refusal('credentials', /./))
  })
})

describe('what is no request', () => {
  const stream = new ReadableStream()
  const inits: Readonly<Record<string, RequestInit>> = {
    'a Host of the caller': { headers: { Host: 'evil.example' } },
    'a length of the caller': { method: 'POST', body: 'x', headers: { 'content-length': '9' } },
    'a coding of the caller': { method: 'POST', body: 'x', headers: { 'transfer-encoding': 'chunked' } },
    'a connection of the caller': { headers: { connection: 'keep-alive' } },
    'proxy credentials': { headers: { 'proxy-authorization': 'Basic c2VjcmV0' } },
    'a header with a line break': { headers: { authorization: 'Bearer s3cret\r\nx: y' } },
    'a method that is none': { method: 'GET x' },
    CONNECT: { method: 'CONNECT' },
    'a GET with a body': { body: 'x' },
    'a stream': { method: 'POST', body: stream },
  }
  for (const [says, init] of Object.entries(inits))
    it(says, async () => {
      await assert.rejects(fetched(here, init), (error: Error) => {
        assert.doesNotMatch(`${error.message}${error.stack}${error.cause}`, /s3cret|c2VjcmV0|evil/)
        return refusal('request', /^this is not a request/)(error)
      })
      assert.deepEqual(heard, [])
    })
})

describe('what is asked', () => {
  const asked: readonly (readonly [says: string, init: RequestInit, line: string, type: string | undefined, body: string])[] = [
    ['nothing', {}, 'GET /x?a=b', undefined, ''],
    ['HEAD', { method: 'head' }, 'HEAD /x?a=b', undefined, ''],
    ['a text', { method: 'POST', body: 'é' }, 'POST /x?a=b', 'text/plain;charset=UTF-8', 'é'],
    [
      'a form',
      { method: 'POST', body: new URLSearchParams({ a: '1 &' }) },
      'POST /x?a=b',
      'application/x-www-form-urlencoded;charset=UTF-8',
      'a=1+%26',
    ],
    ['bytes', { method: 'PUT', body: Buffer.from('bytes') }, 'PUT /x?a=b', undefined, 'bytes'],
    [
      'JSON',
      { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } },
      'POST /x?a=b',
      'application/json',
      '{}',
    ],
  ]
  for (const [says, init, line, type, body] of asked)
    it(says, async () => {
      assert.equal((await fetched(`${here}/x?a=b#c`, init)).status, 200)
      assert.deepEqual(
        heard.map((each) => [each.line, each.headers['content-type'], each.body]),
        [[line, type, body]],
      )
    })

  it('a Request, with what is said otherwise', async () => {
    const request = new Request(`${here}/r`, { method: 'POST', body: 'a', headers: { 'x-a': '1' } })
    await fetched(request, { headers: { 'x-b': '2' } })
    assert.deepEqual(
      [heard[0]?.line, heard[0]?.headers['x-b'], heard[0]?.headers['x-a'], heard[0]?.body],
      ['POST /r', '2', undefined, 'a'],
    )
  })

  it('uncompressed, on a connection for once, whatever the caller says; no dispatcher of his is used', async () => {
    const dispatcher = { dispatch: () => assert.fail('used') }
    const headers = { 'accept-encoding': 'gzip', 'user-agent': '', accept: 'application/json' }
    await fetched(here, { headers, dispatcher } as object)
    const { host: _, ...rest } = heard[0]!.headers
    assert.deepEqual(rest, { 'accept-encoding': 'identity', connection: 'close', accept: 'application/json' })
  })
})

describe('what is answered', () => {
  it('a Response as any: status, headers, body, where it came from', async () => {
    routes['/json'] = (to) =>
      to.writeHead(404, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] }).end('{"a":1}')
    const response = await fetched(`${here}/json?q#f`)
    routes['/json?q'] = routes['/json']
    assert.deepEqual([response.status, response.ok, response.redirected, response.url], [200, true, false, `${here}/json?q`])
    const second = await fetched(`${here}/json`)
    assert.ok(second instanceof Response)
    assert.deepEqual([second.status, second.ok, second.headers.getSetCookie()], [404, false, ['a=1', 'b=2']])
    assert.deepEqual(await second.json(), { a: 1 })
  })

  for (const status of [204, 205, 304])
    it(`${status} without a body`, async () => {
      routes['/empty'] = (to) => to.writeHead(status).end()
      const response = await fetched(`${here}/empty`)
      assert.deepEqual([response.status, response.body], [status, null])
    })

  it('announced too long: nobody waits for it', async () => {
    routes['/announced'] = (to) => to.writeHead(200, { 'content-length': 262_145 }).flushHeaders()
    await assert.rejects(fetched(`${here}/announced`), refusal('size', /more than 262144 bytes/))
    await closed()
  })

  it('exactly as long as it may be', async () => {
    routes['/long'] = (to) => to.end('x'.repeat(100))
    const exact = safeFetch({ trustedOrigins: [here], bytesMax: 100 })
    assert.equal((await (await exact(`${here}/long`)).text()).length, 100)
    await assert.rejects(
      safeFetch({ trustedOrigins: [here], bytesMax: 99 })(`${here}/long`),
      refusal('size', /more than 99 bytes/),
    )
    assert.equal((await safeFetch({ trustedOrigins: [here], bytesMax: 99 })(`${here}/long`, { method: 'HEAD' })).status, 200)
  })
})

describe('answers that are none', () => {
  const raw: readonly (readonly [says: string, bytes: string, code: FetchRefusalCode])[] = [
    ['another protocol', '220 smtp ready\r\n', 'answer'],
    ['an end in the middle', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc', 'unreachable'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 'answer'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 'answer'],
    ['a status that does not exist', 'HTTP/1.1 999 x\r\ncontent-length: 0\r\n\r\n', 'answer'],
    ['no end of headers', `HTTP/1.1 200 OK\r\n${'x: yyyyyyyy\r\n'.repeat(5000)}`, 'size'],
    ['one endless header', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}`, 'size'],
    ['nothing at all', '', 'unreachable'],
  ]
  for (const [says, bytes, code] of raw)
    it(says, async () => {
      const rude = createTcpServer(
        (socket) => void socket.on('error', () => undefined).once('data', () => socket.end(bytes)),
      ).listen(0, '127.0.0.1')
      await new Promise((resolve) => rude.once('listening', resolve))
      const url = `http://127.0.0.1:${(rude.address() as AddressInfo).port}`
      try {
        await assert.rejects(safeFetch({ trustedOrigins: [url] })(`${url}/secret?token=s3cret`), (error: Error) => {
          assert.doesNotMatch(error.message, /s3cret|secret/)
          return refusal(code, /^(http:\/\/127|a status)/)(error)
        })
      } finally {
        rude.close()
      }
    })
})

describe('redirects', () => {
  before(() => {
    routes['/to-here'] = (to) => to.writeHead(302, { location: '/end' }).end('not read')
    routes['/to-other'] = (to) => to.writeHead(301, { location: `${other}/end` }).end()
    routes['/nowhere'] = (to) => to.writeHead(302).end('stays')
    routes['/nonsense'] = (to) => to.writeHead(302, { location: 'https://' }).end()
    routes['/round'] = (to) => to.writeHead(307, { location: '/round' }).end()
  })
  const refused: readonly (readonly [says: string, path: string, init: RequestInit, message: RegExp, calls: number])[] = [
    ['the caller wants none', '/to-here', { redirect: 'error' }, /redirects$/, 1],
    ['the caller wants none, not even one that leads nowhere', '/nowhere', { redirect: 'error' }, /redirects$/, 1],
    ['a form', '/to-here', { method: 'POST', body: new URLSearchParams({ code: 'c' }) }, /redirects a POST/, 1],
    ['what is no URL', '/nonsense', {}, /not a URL/, 1],
    ['for ever', '/round', {}, /once more after 3 redirects/, 4],
  ]
  for (const [says, path, init, message, calls] of refused)
    it(`not followed: ${says}`, async () => {
      await assert.rejects(fetched(here + path, init), refusal('redirect', message))
      assert.equal(heard.length, calls)
    })

  it('handed over, when the caller follows them himself', async () => {
    const response = await fetched(`${here}/to-here`, { redirect: 'manual' })
    assert.deepEqual([response.status, response.headers.get('location'), await response.text()], [302, '/end', 'not read'])
    assert.deepEqual([(await fetched(`${here}/nowhere`)).status, heard.length], [302, 2])
  })

  it('followed on the same origin with what was sent', async () => {
    const response = await fetched(`${here}/to-here`, { headers: { authorization: 'Bearer a' } })
    assert.deepEqual([response.url, response.redirected], [`${here}/end`, true])
    assert.deepEqual([heard[1]?.line, heard[1]?.headers.authorization], ['GET /end', 'Bearer a'])
  })

  it('followed elsewhere without credentials', async () => {
    const headers = { authorization: 'Bearer a', cookie: 'b', 'x-api-key': 'c', dpop: 'd', accept: 'application/json' }
    assert.equal(await (await fetched(`${here}/to-other`, { headers })).text(), 'another')
    const { host: _, ...rest } = heard[1]!.headers
    assert.deepEqual(rest, { accept: 'application/json', 'accept-encoding': 'identity', connection: 'close' })
  })
})

describe('the end of it', () => {
  const never = (): void => undefined
  const endings: Readonly<Record<string, (response: ServerResponse) => void>> = {
    'no answer': never,
    'a head, and no body': (to) => to.writeHead(200).flushHeaders(),
    'a body that never ends': (to) => void to.write('{'),
  }
  for (const [says, route] of Object.entries(endings)) {
    it(`called off by the caller: ${says}`, async () => {
      const abort = new AbortController()
      routes['/stuck'] = (to) => {
        route(to)
        setImmediate(() => abort.abort(new Error('enough')))
      }
      await assert.rejects(fetched(`${here}/stuck`, { signal: abort.signal }), /^Error: enough$/)
      await closed()
    })

    it(`out of time: ${says}`, async () => {
      routes['/stuck'] = route
      const hasty = safeFetch({ trustedOrigins: [here], timeoutMs: 50 })
      await assert.rejects(hasty(`${here}/stuck`), refusal('time', /did not answer within 50 ms$/))
      await closed()
    })
  }

  it('called off before it begins', async () => {
    await assert.rejects(fetched(here, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
    assert.deepEqual(heard, [])
  })

  it('a name server that never answers', async () => {
    const hasty = safeFetch({ timeoutMs: 50, lookup: () => new Promise(never) })
    await assert.rejects(hasty('https://example.com'), refusal('time', /example\.com did not answer/))
  })

  it('a name without an address', async () => {
    const unknown = safeFetch({ lookup: async () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })) })
    await assert.rejects(unknown('https://nobody.example.com'), refusal('name', /nobody\.example\.com has no address/))
    await assert.rejects(safeFetch({ lookup: async () => [] })('https://nobody.example.com'), refusal('name', /./))
  })

  it('a TLS handshake that never ends', async () => {
    const open = new Set<Socket>()
    const mute = createTcpServer(
      (socket) =>
        void open.add(
          socket
            .resume()
            .on('error', never)
            .once('close', () => open.delete(socket)),
        ),
    )
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`
    await assert.rejects(safeFetch({ trustedOrigins: [url], timeoutMs: 100 })(url), refusal('time', /./))
    while (open.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    mute.close()
  })

  it('nothing stays open or listens afterwards, however it went', async () => {
    const abort = new AbortController()
    let listening = 0
    const { signal } = abort
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = ((...args: Parameters<typeof add>) => ((listening += 1), add(...args))) as typeof add
    signal.removeEventListener = ((...args: Parameters<typeof remove>) => ((listening -= 1), remove(...args))) as typeof remove
    await fetched(here, { signal })
    await assert.rejects(fetched(`${here}/round`, { signal }))
    await closed()
    assert.equal(listening, 0)
  })
})

describe('others take it as their fetch', () => {
  it('jose: a key set', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const key = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }
    routes['/jwks'] = (to) => void to.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [key] }))
    const forJose: FetchImplementation = fetched
    const keys = createRemoteJWKSet(new URL(`${here}/jwks`), { [customFetch]: forJose })
    const token = await new SignJWT({ a: 1 }).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey)
    assert.equal((await jwtVerify(token, keys)).payload['a'], 1)
    await assert.rejects(
      jwtVerify(token, createRemoteJWKSet(new URL('https://169.254.169.254/jwks'), { [customFetch]: forJose })),
      refusal('address', /169\.254\.169\.254/),
    )
  })

  it('the MCP SDK: protected resource metadata', async () => {
    const forSdk: FetchLike = fetched
    routes['/.well-known/oauth-protected-resource/mcp'] = (to) =>
      void to.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ resource: `${here}/mcp` }))
    assert.equal((await discoverOAuthProtectedResourceMetadata(`${here}/mcp`, {}, forSdk)).resource, `${here}/mcp`)
    const elsewhere = { resourceMetadataUrl: 'http://169.254.169.254/latest' }
    await assert.rejects(discoverOAuthProtectedResourceMetadata(`${here}/mcp`, elsewhere, forSdk), refusal('scheme', /not https/))
  })

  it('openid-client: discovery', async () => {
    const forClient: CustomFetch = fetched
    const options = { [(await import('openid-client')).customFetch]: forClient }
    await assert.rejects(discovery(new URL('https://10.0.0.1'), 'client', undefined, undefined, options), (error: Error) =>
      refusal('address', /10\.0\.0\.1, a private address/)(error.cause ?? error),
    )
  })

  it('oidc-provider: by its type', () => {
    const configuration: Configuration = { fetch: fetched }
    assert.equal(configuration.fetch, fetched)
  })
})
