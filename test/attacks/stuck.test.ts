/** One server that stalls, or one caller who is not counted: what everybody else then waits for. */
import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Legacy, modern, modernParts, Stream, send } from './support/client.ts'
import { type Echo, type EchoOptions, echo, type Json } from './support/echo.ts'
import { codeOf, httpServer, open, passed, recordOf, until, within, yard } from './support/house.ts'

const house = yard()
const upstreams: { close(): Promise<void> }[] = []
const server = async (options: EchoOptions): Promise<Echo> => {
  const one = await echo(options)
  upstreams.push(one)
  return one
}
after(async () => {
  await house.close()
  await Promise.all(upstreams.map((one) => one.close()))
})

/** HTTP+SSE (2024-11-05): opens a session, and then never answers the POST of a notification. */
async function deafSse(): Promise<string> {
  let stream: ServerResponse | undefined
  const one = createServer((request, response) => {
    if (request.method === 'GET') {
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' })
      return void stream.write('event: endpoint\ndata: /messages\n\n')
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.url !== '/messages') return void response.writeHead(405).end()
      const { id } = JSON.parse(Buffer.concat(chunks).toString()) as Json
      if (id === undefined) return
      response.writeHead(202).end()
      const result = { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo: { name: 'old', version: '1' } }
      stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`)
    })
  })
  one.unref()
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
  upstreams.push({ close: () => new Promise((resolve) => (one.close(() => resolve()), one.closeAllConnections())) })
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}/sse`
}

it('an HTTP+SSE server that never answers a POST ends in a timeout, and gives the caller’s slot back', async () => {
  const good = await server({})
  const servers = {
    deaf: { url: await deafSse(), transport: 'http+sse', era: 'legacy', requestTimeoutMs: 1000, requestTimeoutMsMax: 1000 },
    good: httpServer(good),
  }
  const { url } = await house.gateway(open(servers, { limits: { principal: { perMinute: 'unlimited', concurrent: 2 } } }))
  // two callers' worth of names, each a link of its own, each hung up on after 2 s
  for (const name of ['a', 'b'])
    await within(
      2000,
      'an answer',
      modern(`${url}/deaf/mcp`, 'tools/call', { name: 'x' }, { client: { name, version: '1' } }),
    ).catch(() => undefined)
  await wait(1000)
  const got = await modern(`${url}/good/mcp`, 'tools/call', { name: 'x' })
  assert.equal(codeOf(got), undefined, `the good server can no longer be called: ${got.text}`)
})

describe('a list of all servers waits 10 s for one of them, and no longer', () => {
  const stalls: Readonly<Record<string, EchoOptions>> = {
    'one that never answers notifications/initialized': {
      era: 'legacy',
      handler: ({ message }, _request, response) => {
        const { id, method } = message
        if (method === 'notifications/initialized') return
        const result =
          method === 'initialize'
            ? { protocolVersion: '2025-11-25', capabilities: { logging: {}, tools: {} }, serverInfo: { name: 'x', version: '1' } }
            : { tools: [] }
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }))
      },
    },
  }
  for (const [says, options] of Object.entries(stalls))
    it(says, async () => {
      const [bad, good] = [await server(options), await server({})]
      const { url } = await house.gateway(open({ bad: httpServer(bad, 'legacy'), good: httpServer(good) }))
      passed(await within(14_000, 'the list', modern(`${url}/mcp`, 'tools/list')))
    })
  it('and one that never answers logging/setLevel or tasks/list holds nobody up', async () => {
    const [bad, good] = [
      await server({ era: 'legacy', answers: { 'logging/setLevel': () => undefined } }),
      await server({ era: 'legacy' }),
    ]
    const { url } = await house.gateway(open({ bad: httpServer(bad, 'legacy'), good: httpServer(good, 'legacy') }))
    const session = await Legacy.open(`${url}/mcp`)
    passed(await within(13_000, 'an answer', session.call('logging/setLevel', { level: 'info' })))
  })
})

describe('a rate is a rate for everything that a caller sends on', () => {
  it('notifications are counted', async () => {
    const upstream = await server({ era: 'legacy' })
    const gateway = await house.gateway(
      open({ x: httpServer(upstream, 'legacy') }, { limits: { principal: { perMinute: 6, burst: 6, concurrent: 2 } } }),
    )
    const session = await Legacy.open(`${gateway.url}/x/mcp`, { protocolVersion: '2025-03-26' })
    const batch = Array.from({ length: 50 }, () => ({ jsonrpc: '2.0', method: 'notifications/roots/list_changed', params: {} }))
    for (let at = 0; at < 10; at++) await send(session.url, { headers: session.headers(), body: JSON.stringify(batch) })
    await wait(1500)
    const reached = upstream.methods().filter((method) => method === 'notifications/roots/list_changed').length
    assert.ok(
      reached <= 50,
      `${reached} notifications reached the server of a caller with 6 calls a minute; ${recordOf(gateway).length} entries in the log`,
    )
  })
  it('one subscriptions/listen is not thousands of requests', async () => {
    const upstream = await server({ era: 'legacy' })
    const gateway = await house.gateway(
      open({ x: httpServer(upstream, 'legacy') }, { limits: { principal: { perMinute: 6, burst: 6, concurrent: 2 } } }),
    )
    const uris = Array.from({ length: 200 }, (_, at) => `x://${at}`)
    const many = { notifications: { resourceSubscriptions: Array.from({ length: 5000 }, (_, at) => `x://${at}`) } }
    assert.equal(codeOf(await modern(`${gateway.url}/x/mcp`, 'subscriptions/listen', many)), 'INVALID_PARAMS')
    const stream = new Stream(
      `${gateway.url}/x/mcp`,
      modernParts('subscriptions/listen', { notifications: { resourceSubscriptions: uris } }),
    )
    await until('the first is asked for', () => upstream.methods().includes('resources/subscribe'))
    stream.close() // and hangs up at once
    await wait(3000)
    const reached = upstream.methods().filter((method) => method.startsWith('resources/')).length
    assert.ok(reached <= 400, `${reached} requests reached the server for one call of a caller who hung up at once`)
  })
})
