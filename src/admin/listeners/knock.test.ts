/** What answers at a port, asked over real sockets: strangers that answer badly, slowly, endlessly, or not at all. */
import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from 'node:net'
import test, { after, describe } from 'node:test'
import { version } from '../../lib/version.ts'
import { type Knocked, knock } from './knock.ts'

const open: (Server | TcpServer)[] = []
const sockets = new Set<Socket>()
after(() => {
  for (const server of open) server.close()
  for (const socket of sockets) socket.destroy()
})

async function listen(server: Server | TcpServer): Promise<number> {
  open.push(server)
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const host = '127.0.0.1'
const at = (port: number, timeoutMs = 10_000): Promise<Knocked> => knock({ address: host, port }, { host, timeoutMs })
const http = async (listener: RequestListener, timeoutMs?: number): Promise<Knocked> =>
  at(await listen(createServer(listener)), timeoutMs)
const tcp = async (act: (socket: Socket) => void, timeoutMs?: number): Promise<Knocked> =>
  at(await listen(createTcp((socket) => act(socket.on('error', () => undefined)))), timeoutMs)

const initialized = JSON.stringify({
  ...{ jsonrpc: '2.0', id: 'discover' },
  result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'crm', version: '1' } },
})

describe('is no MCP', () => {
  const cases: readonly (readonly [says: string, kind: Knocked['kind'], find: () => Promise<Knocked>])[] = [
    ['404 to everything', 'http', () => http((_, response) => response.writeHead(404).end('no'))],
    [
      'a redirect, which is not followed',
      'http',
      () => http((_, response) => response.writeHead(307, { location: '/mcp2' }).end()),
    ],
    ['a banner of another protocol', 'mute', () => tcp((socket) => socket.end('SSH-2.0-OpenSSH_9\r\n'))],
    ['a hang-up', 'mute', () => tcp((socket) => socket.destroy())],
    ['silence', 'unclear', () => tcp(() => undefined, 50)],
    ['bytes without end', 'http', () => http((_, response) => response.writeHead(200).end('x'.repeat(200_000)))],
    [
      'a stream that stays open and says nothing of MCP',
      'http',
      () => http((_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')),
    ],
  ]
  for (const [says, kind, find] of cases) test(says, async () => assert.equal((await find()).kind, kind))

  test('nobody', async () => {
    const server = createTcp()
    const port = await listen(server)
    await new Promise((resolve) => server.close(resolve))
    assert.deepEqual(await at(port), { kind: 'closed' })
  })
})

describe('is MCP', () => {
  test('at /mcp; it is told who asks, is sent no credential, and its session is ended', async () => {
    const heard: string[] = []
    const found = await http((request, response) => {
      const { authorization, cookie } = request.headers
      heard.push(`${request.method} ${request.url} ${request.headers['mcp-session-id'] ?? '-'}`)
      assert.deepEqual(
        [request.headers['user-agent'], authorization, cookie],
        [`sekisho/${version} (discover)`, undefined, undefined],
      )
      if (request.method === 'DELETE') return void response.writeHead(200).end()
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' }).end(initialized)
    })
    assert.equal(found.kind === 'mcp' && `${found.transport} ${new URL(found.url).pathname} ${found.name}`, 'http /mcp crm')
    assert.deepEqual(heard, ['POST /mcp -', 'DELETE /mcp s1'])
  })

  test('in a stream that begins with other things, and stays open', async () => {
    const found = await http((_, response) => {
      const notice = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'hello' } })
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('id: 1\ndata: \n\n')
      setImmediate(() => response.write(`data: ${notice}\n\n`))
      setTimeout(() => response.write(`data: ${initialized}\n\n`), 20)
    })
    assert.equal(found.kind === 'mcp' && found.name, 'crm')
  })

  test('at /sse, of 2024-11-05', async () => {
    const found = await http((request, response) => {
      if (request.url !== '/sse') return void response.writeHead(404).end()
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: endpoint\ndata: /messages?id=1\n\n')
    })
    assert.equal(found.kind === 'mcp' && `${found.transport} ${new URL(found.url).pathname}`, 'sse /sse')
  })

  test('at the root', async () => {
    const found = await http((request, response) =>
      request.method === 'POST' && request.url === '/' ? response.end(initialized) : response.writeHead(404).end(),
    )
    assert.equal(found.kind === 'mcp' && new URL(found.url).pathname, '/')
  })
})
