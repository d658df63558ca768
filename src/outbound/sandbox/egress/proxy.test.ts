import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { allowList } from './allow-list.ts'
import type { Surroundings } from './destination.ts'
import { type EgressLimits, egressProxy } from './proxy.ts'

const surroundings: Surroundings = {
  ownPorts: () => [],
  gateway: undefined,
  neighbours: () => [],
  ownAddresses: () => ['127.0.0.1'],
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port
const listening = (server: Server): Promise<Server> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)).unref())

/** Says back what it hears, and ends when its client does. */
const echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket))
const heard: { line: string; headers: Record<string, unknown>; body: string }[] = []
const site = createHttpServer((request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => (body += chunk))
  request.on('end', () => {
    heard.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
    response.setHeader('x-site', 'yes').end(request.url === '/big' ? 'x'.repeat(100_000) : 'a page')
  })
})
const proxies: Server[] = []
before(async () => void (await Promise.all([listening(echo), listening(site)])))
after(() => {
  for (const server of [echo, site, ...proxies]) server.close()
})

async function proxyFor(hosts: readonly string[], limits: Partial<EgressLimits> = {}, lookups: readonly string[] = []) {
  const refused: string[] = []
  const asked: string[] = []
  const lookup = async (name: string): Promise<LookupAddress[]> => {
    asked.push(name)
    const address = lookups[asked.length - 1]
    return address === undefined ? [] : [{ address, family: 4 }]
  }
  const server = egressProxy({
    allowed: allowList(hosts),
    surroundings,
    lookup,
    limits,
    refused: (host, port, why) => refused.push(`${host}:${port} ${why}`),
  })
  proxies.push(await listening(server))
  return { port: portOf(server), refused, asked }
}

/** Sends these bytes and waits for the end of what comes back. A tunnel is ended by its client, a request by its answer. */
function said(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () =>
      bytes.startsWith('CONNECT') ? socket.end(bytes) : socket.write(bytes),
    )
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(text))
  })
}
const tunnel = (target: string, then = ''): string => `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n${then}`

test('a host that is not on the list is refused, and told', async () => {
  const { port, refused, asked } = await proxyFor(['a.example:443'])
  const answer = await said(port, tunnel('b.example:443'))
  assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
  assert.match(answer, /not in sandbox\.network\.hosts/)
  assert.deepEqual([refused, asked], [['b.example:443 not-allowed'], []])
})

test('what is no host and port is refused, and shown without what cannot be seen', async () => {
  const { port, refused } = await proxyFor(['a.example:443'])
  assert.match(await said(port, tunnel('a.example')), /^HTTP\/1\.1 403/)
  assert.match(await said(port, 'GET ftp://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 403/)
  assert.match(await said(port, 'GET /mcp HTTP/1.1\r\nHost: a.example:443\r\n\r\n'), /^HTTP\/1\.1 403/)
  assert.deepEqual(refused, ['a.example:0 unreadable', 'ftp://a.example/:0 unreadable', '/mcp:0 unreadable'])
})

test('rebinding: a name is resolved once, and a second answer of the name server changes nothing', async () => {
  const { port, asked, refused } = await proxyFor([`a.example:${portOf(echo)}`], {}, ['127.0.0.1', '93.184.216.34'])
  assert.match(await said(port, tunnel(`a.example:${portOf(echo)}`)), /^HTTP\/1\.1 403/)
  assert.deepEqual(asked, ['a.example'])
  assert.deepEqual(refused, [`a.example:${portOf(echo)} this-machine`])
})

test('a tunnel carries bytes both ways, what came with the request too', async () => {
  const { port, refused } = await proxyFor([`127.0.0.1:${portOf(echo)}`])
  assert.equal(await said(port, tunnel(`127.0.0.1:${portOf(echo)}`, 'hello')), 'HTTP/1.1 200 Connection Established\r\n\r\nhello')
  assert.deepEqual(refused, [])
})

test('a host that does not answer is a bad gateway, not a refusal', async () => {
  const gone = await listening(createServer())
  const port = portOf(gone)
  await new Promise((resolve) => gone.close(resolve))
  const proxy = await proxyFor([`127.0.0.1:${port}`])
  assert.match(await said(proxy.port, tunnel(`127.0.0.1:${port}`)), /^HTTP\/1\.1 502/)
  assert.match(await said(proxy.port, `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 502/)
  assert.deepEqual(proxy.refused, [])
})

test('plain http: to the host of the URL, whatever Host says, and without what is for proxies', async () => {
  const { port } = await proxyFor([`127.0.0.1:${portOf(site)}`])
  const at = `127.0.0.1:${portOf(site)}`
  const bytes = `POST http://${at}/a?b HTTP/1.1\r\nHost: evil.example\r\nProxy-Authorization: Basic eA==\r\nConnection: keep-alive\r\nX-Mine: 1\r\nContent-Length: 2\r\n\r\nhi`
  const answer = await said(port, bytes)
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(answer, /x-site: yes/i)
  assert.match(answer, /a page/)
  const [{ line, headers, body }] = heard.splice(0) as [(typeof heard)[number]]
  assert.deepEqual(
    [line, body, headers['host'], headers['x-mine'], headers['proxy-authorization']],
    ['POST /a?b', 'hi', at, '1', undefined],
  )
})

test('plain http: a second request on the connection is decided anew', async () => {
  const { port, refused } = await proxyFor([`127.0.0.1:${portOf(site)}`])
  const one = `GET http://127.0.0.1:${portOf(site)}/ HTTP/1.1\r\nHost: x\r\n\r\n`
  const answer = await said(port, `${one}GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n`)
  assert.equal((answer.match(/HTTP\/1\.1 200/g) ?? []).length, 1)
  assert.equal(heard.splice(0).length, 1)
  assert.ok(refused.length <= 1)
})

test('an answer that is none, or breaks off, ends that connection and nothing else', async () => {
  const answers = [
    'HTTP/1.1 000 x\r\n\r\n',
    'HTTP/1.1 99 x\r\n\r\n',
    'nonsense\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx',
    '',
  ]
  const odd = await listening(
    createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(answers.shift() ?? ''))
    }),
  )
  const proxy = await proxyFor([`127.0.0.1:${portOf(odd)}`, `127.0.0.1:${portOf(site)}`])
  const count = answers.length
  for (let at = 0; at < count; at++) await said(proxy.port, `GET http://127.0.0.1:${portOf(odd)}/ HTTP/1.1\r\nHost: x\r\n\r\n`)
  assert.equal(answers.length, 0)
  assert.match(await said(proxy.port, `GET http://127.0.0.1:${portOf(site)}/ HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 200/)
  odd.close()
})

test('a host that hangs up in a tunnel puts no word of ours into it', async () => {
  const rude = await listening(
    createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy())),
  )
  const proxy = await proxyFor([`127.0.0.1:${portOf(rude)}`])
  assert.equal(await said(proxy.port, tunnel(`127.0.0.1:${portOf(rude)}`, 'x')), 'HTTP/1.1 200 Connection Established\r\n\r\n')
  rude.close()
})

test('bytes: who says more than the limit is hung up on', async () => {
  const { port } = await proxyFor([`127.0.0.1:${portOf(echo)}`, `127.0.0.1:${portOf(site)}`], { bytesMax: 1000 })
  const answer = await said(port, tunnel(`127.0.0.1:${portOf(echo)}`, 'x'.repeat(100_000)))
  assert.ok(answer.length < 100_000)
  const page = await said(port, `GET http://127.0.0.1:${portOf(site)}/big HTTP/1.1\r\nHost: x\r\n\r\n`)
  assert.ok(page.length < 100_000)
})

test('silence: who says nothing for long is hung up on', async () => {
  const { port } = await proxyFor([`127.0.0.1:${portOf(echo)}`], { idleMs: 50 })
  const closed = new Promise<string>((resolve) => {
    let text = ''
    const socket = connect({ port, host: '127.0.0.1' }, () => void socket.write(tunnel(`127.0.0.1:${portOf(echo)}`)))
    socket.on('data', (chunk: Buffer) => (text += chunk)).on('close', () => resolve(text))
  })
  assert.match(await closed, /^HTTP\/1\.1 200/)
})

test('connections: one more than the limit is hung up on', async () => {
  const { port } = await proxyFor([`127.0.0.1:${portOf(echo)}`], { connectionsMax: 1 })
  const first = connect({ port, host: '127.0.0.1' })
  const ready = new Promise((resolve) => first.once('data', resolve))
  first.write(tunnel(`127.0.0.1:${portOf(echo)}`))
  await ready
  assert.equal(await said(port, tunnel(`127.0.0.1:${portOf(echo)}`)), '')
  first.destroy()
})

test('a head that does not end, or is too large, reaches nobody', async () => {
  const { port } = await proxyFor([`127.0.0.1:${portOf(echo)}`])
  const target = `127.0.0.1:${portOf(echo)}`
  assert.match(await said(port, `CONNECT ${target} HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/)
  assert.match(await said(port, `CONNECT ${target} HTTP/1.1\r\nHost x\r\n\r\n`), /^HTTP\/1\.1 400/)
})
