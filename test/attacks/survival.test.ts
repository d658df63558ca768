/**
 * One server, or one client, does not take the gateway from all the others: whatever a server does to the request of one client,
 * the process lives on and answers the next. (CWE-248: a rejection that nobody handles ends the whole process.)
 */
import assert from 'node:assert/strict'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Legacy, modern } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { codeOf, httpServer, node, open, passed, within, yard } from './support/house.ts'
import { type OldSse, oldSse } from './support/old-sse.ts'

const house = yard()
const child = join(import.meta.dirname, 'support/child.ts')
let good: Echo
let old: OldSse
const broken: Echo[] = []
const servers: Record<string, object> = {}
const short = { requestTimeoutMs: 1000 }

/** How a server can fail, by id. */
before(async () => {
  good = await echo()
  old = await oldSse(() => 'http://127.0.0.1:1/elsewhere')
  const bad = async (id: string, handler: NonNullable<Parameters<typeof echo>[0]>['handler']): Promise<void> => {
    const upstream = await echo({ handler: handler as never })
    broken.push(upstream)
    for (const era of ['modern', 'legacy', 'auto'])
      servers[`${id}-${era}`] = { url: upstream.url, era, transport: 'streamable-http', ...short }
  }
  await bad('resets', (_, request) => void request.socket.resetAndDestroy())
  await bad('hangs-up', (_, request) => void request.socket.end())
  await bad('half-head', (_, request) => void request.socket.end('HTTP/1.1 200 OK\r\nContent-Le'))
  await bad('no-http', (_, request) => void request.socket.end('SSH-2.0-OpenSSH\r\n'))
  await bad(
    'half-body',
    (_, request) =>
      void request.socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"jsonrpc"'),
  )
  await bad(
    'half-stream',
    (_, request) =>
      void request.socket.end(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata: ',
      ),
  )
  await bad('nonsense', (_, __, response) => void response.end('<html>'))
  await bad('no-object', (_, __, response) => void response.end('[1,2]'))
  await bad('not-utf8', (_, __, response) => void response.end(Buffer.from([0xff, 0xfe, 0x00])))
  await bad('silent', () => undefined)
  await bad('fails', (_, __, response) => void response.writeHead(500).end())
  await bad(
    'deep',
    (_, __, response) => void response.end(`{"jsonrpc":"2.0","id":1,"result":${'{"a":'.repeat(5000)}1${'}'.repeat(5001)}`),
  )
  const closed = createTcpServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as { port: number }
  await new Promise((resolve) => closed.close(resolve))
  for (const era of ['modern', 'legacy', 'auto'])
    servers[`closed-${era}`] = { url: `http://127.0.0.1:${port}/mcp`, era, ...short }
  Object.assign(servers, {
    'lying-sse': { url: old.url, era: 'legacy', transport: 'http+sse', ...short },
    'closed-sse': { url: `http://127.0.0.1:${port}/sse`, era: 'legacy', transport: 'http+sse', ...short },
    'no-program': { command: ['/nonexistent/program'], ...short },
    'ends-at-once': { command: node('-e', 'process.exit(3)'), ...short },
    'not-executable': { command: [child], ...short },
    good: httpServer(good),
  })
})
after(async () => {
  await house.close()
  await Promise.all([good, old, ...broken].map((server) => server.close()))
})

const methods = ['tools/list', 'resources/read'] as const
const mayTry = (id: string): boolean => id !== 'good'

describe('every way a server can fail, in either era', () => {
  it('ends in a refusal for whoever asked, and everybody else is served', async () => {
    const gateway = await house.gateway(open(servers))
    await Promise.all(
      Object.keys(servers)
        .filter(mayTry)
        .flatMap((id) => [
          ...methods.map(async (method) => {
            const code = codeOf(await modern(`${gateway.url}/${id}/mcp`, method, { uri: 'x' }))
            assert.ok(code?.startsWith('UPSTREAM_'), `${id} ${method}: ${code}`)
          }),
          Legacy.open(`${gateway.url}/${id}/mcp`).then(({ opened }) =>
            assert.ok(codeOf(opened)?.startsWith('UPSTREAM_'), `${id} initialize: ${opened.text}`),
          ),
        ]),
    )
    passed(await modern(`${gateway.url}/good/mcp`, 'tools/list'))
    assert.equal(gateway.child.exitCode, null, gateway.errors.join('\n'))
  })

  for (const id of ['closed-modern', 'closed-auto', 'no-program', 'lying-sse'])
    it(`${id}: tools/call of a modern client does not end the gateway`, async () => {
      const gateway = await house.gateway(open({ bad: servers[id], good: servers['good'] }))
      const code = codeOf(await modern(`${gateway.url}/bad/mcp`, 'tools/call', { name: 'x' }))
      assert.ok(code?.startsWith('UPSTREAM_'), code)
      passed(await modern(`${gateway.url}/good/mcp`, 'tools/list'))
    })
})

describe('a client that is somebody new with every request', () => {
  it('holds so many sessions at a legacy server and no more', async () => {
    const upstream = await echo({ era: 'legacy' })
    broken.push(upstream)
    const { url } = await house.gateway(open({ x: httpServer(upstream, 'legacy') }))
    for (let at = 0; at < 400; at++)
      await modern(`${url}/x/mcp`, 'tools/list', {}, { client: { name: `client-${at}`, version: '1' } })
    const opened = upstream.methods().filter((method) => method === 'initialize').length
    const ended = upstream.heard.filter(({ line }) => line.startsWith('DELETE')).length
    assert.ok(opened - ended <= 256, `${opened - ended} sessions are open`)
  })
})

describe('a server that never answers', () => {
  it('does not keep the others from the door to all servers', async () => {
    const silent = await echo({ answers: { 'tools/list': () => undefined, 'server/discover': () => undefined } })
    broken.push(silent)
    const { url } = await house.gateway(open({ silent: httpServer(silent), good: servers['good'] }))
    for (const method of ['tools/list', 'server/discover']) {
      passed(await within(20_000, method, modern(`${url}/mcp`, method)))
    }
    assert.ok(silent.methods().includes('tools/list'))
  })
})
