/**
 * What a server says or a client asks for is kept somewhere, and nobody counts it: task ids, descriptions of tools, pages of a list,
 * notices for a stream that nobody reads. Each gateway here has a heap too small to keep it; it must outlive the attack.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Gateway } from '../e2e/support/yard.ts'
import { Legacy, modern, modernParts, send } from './support/client.ts'
import { type Echo, type EchoOptions, echo, tool } from './support/echo.ts'
import { httpServer, keyed, node, open, until, yard } from './support/house.ts'

const house = yard()
const MB = 1 << 20
const smallHeap = ['--max-old-space-size=112', '--max-semi-space-size=8']
const child = node(join(import.meta.dirname, 'support/child.ts'))
const upstreams: Echo[] = []
const server = async (options: EchoOptions): Promise<Echo> => {
  const one = await echo(options)
  upstreams.push(one)
  return one
}
after(async () => {
  await house.close()
  await Promise.all(upstreams.map((one) => one.close()))
})
const isAlive = ({ child }: Gateway, what: string): void =>
  assert.ok(child.exitCode === null && child.signalCode === null, `the gateway is dead: ${what}`)
const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined)
const limits = { resultBytesMax: MB, principal: { perMinute: 'unlimited', concurrent: 'unlimited' } }
const rss = ({ pid }: Gateway): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

it('task ids of a megabyte each', async () => {
  let count = 0
  const upstream = await server({
    answers: { 'tools/call': () => ({ resultType: 'task', taskId: `${count++}${'x'.repeat(900_000)}`, status: 'working' }) },
  })
  const gateway = await house.gateway(open({ x: httpServer(upstream) }, { limits }), ...smallHeap)
  for (let at = 0; at < 160 && gateway.child.exitCode === null && gateway.child.signalCode === null; at++)
    await quietly(modern(`${gateway.url}/x/mcp`, 'tools/call', { name: 'slow' }))
  isAlive(gateway, `after ${count} task ids`)
})

it('annotations of half a megabyte for each of many tools', async () => {
  let count = 0
  const upstream = await server({
    answers: {
      'tools/list': () => ({
        tools: [tool(`t${count++}`, { annotations: { title: 'x'.repeat(900_000) } })],
        ttlMs: 0,
        cacheScope: 'private',
      }),
    },
  })
  const gateway = await house.gateway(open({ x: httpServer(upstream) }, { limits }), ...smallHeap)
  for (let at = 0; at < 160 && gateway.child.exitCode === null && gateway.child.signalCode === null; at++)
    await quietly(modern(`${gateway.url}/x/mcp`, 'tools/list'))
  isAlive(gateway, `after ${count} lists`)
})

it('one list on /mcp of a server whose pages do not end', async () => {
  let count = 0
  const page = (): object[] =>
    Array.from({ length: 8000 }, () => ({ name: `t${count++}`, inputSchema: {}, description: 'x'.repeat(40) }))
  const upstream = await server({
    answers: { 'tools/list': () => ({ tools: page(), nextCursor: `${count}`, ttlMs: 0, cacheScope: 'private' }) },
  })
  const gateway = await house.gateway(open({ x: httpServer(upstream) }, { limits }), ...smallHeap)
  await quietly(modern(`${gateway.url}/mcp`, 'tools/list'))
  await wait(1000)
  isAlive(gateway, `after ${count} tools in one list`)
  assert.ok(count > 8000, `${count}`)
})

it('notices of a local server that nobody listens to', async () => {
  const gateway = await house.gateway(open({ local: { command: child, lineBytesMax: MB } }, { limits }), ...smallHeap)
  const call = { name: 'chatter', arguments: { count: 160, bytes: 900_000, method: 'notifications/tools/list_changed' } }
  await quietly(modern(`${gateway.url}/local/mcp`, 'tools/call', call))
  await wait(500)
  isAlive(gateway, 'after 160 notices')
})

it('notices on the standing stream of a legacy server, for a client that does not read', async () => {
  const upstream = await server({ era: 'legacy' })
  const gateway = await house.gateway(open({ x: httpServer(upstream, 'legacy') }, { limits }), ...smallHeap)
  const session = await Legacy.open(`${gateway.url}/x/mcp`)
  const { port, host } = new URL(gateway.url)
  const socket = connect(Number(port), '127.0.0.1').pause()
  socket.on('error', () => undefined)
  socket.write(`GET /x/mcp HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\nMcp-Session-Id: ${session.session}\r\n\r\n`)
  await until('the stream is open', () => upstream.standing.size > 0)
  const [stream] = upstream.standing
  const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(500_000) } })}\n\n`
  for (let sent = 0; sent < 300 && stream && !stream.destroyed; sent++)
    if (!stream.write(event))
      await Promise.race([new Promise((resolve) => stream.once('drain', resolve).once('close', resolve)), wait(1500)])
  await wait(300)
  const dead = gateway.child.exitCode !== null || gateway.child.signalCode !== null
  socket.destroy()
  assert.ok(!dead, 'the gateway is dead')
})

it('subscriptions of a legacy client in front of a modern server', async () => {
  const upstream = await server({})
  const gateway = await house.gateway(open({ x: httpServer(upstream) }, { limits }), ...smallHeap)
  const batch = await Legacy.open(`${gateway.url}/x/mcp`, { protocolVersion: '2025-03-26' })
  let count = 0
  for (let round = 0; round < 350 && gateway.child.exitCode === null && gateway.child.signalCode === null; round++) {
    const messages = Array.from({ length: 50 }, () => ({
      jsonrpc: '2.0',
      id: count,
      method: 'resources/subscribe',
      params: { uri: `x://${count++}${'y'.repeat(8000)}` },
    }))
    await quietly(send(batch.url, { headers: batch.headers(), body: JSON.stringify(messages) }))
  }
  isAlive(gateway, `after ${count} subscriptions`)
})

it('a stream that is asked for again and again with Last-Event-ID, and never read: not a call, so not limited', async () => {
  const { identity, bindings, tokens } = keyed(['mallory'])
  const upstream = await server({
    era: 'legacy',
    answers: {
      'tools/call': (turn) => {
        turn.send({ method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(4_000_000) } })
        return { content: [] }
      },
    },
  })
  const gateway = await house.gateway(
    open({ x: httpServer(upstream, 'legacy') }, { identity, bindings, limits: { principal: { perMinute: 6, burst: 6 } } }),
    ...smallHeap,
  )
  const session = await Legacy.open(`${gateway.url}/x/mcp`, { token: tokens['mallory'] })
  const got = await session.call('tools/call', { name: 'x' })
  const id = /^id: (\S+)_\d+$/m.exec(got.text)?.[1]
  assert.ok(id, got.text.slice(0, 200))
  const { port, host } = new URL(gateway.url)
  const before = rss(gateway)
  const sockets = Array.from({ length: 100 }, () => {
    const socket = connect(Number(port), '127.0.0.1').pause()
    socket.on('error', () => undefined)
    socket.write(
      `GET /x/mcp HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${tokens['mallory']}\r\nMcp-Session-Id: ${session.session}\r\nLast-Event-ID: ${id}_0\r\n\r\n`,
    )
    return socket
  })
  await wait(2500)
  const dead = gateway.child.exitCode !== null || gateway.child.signalCode !== null
  const grown = dead ? 0 : rss(gateway) - before
  for (const socket of sockets) socket.destroy()
  assert.ok(!dead && grown < 100, dead ? 'the gateway is dead' : `${grown.toFixed(0)} MB for 100 GETs that nothing limits`)
})

describe('results that are not read', () => {
  it('do not let go of the caller’s concurrency while they fill the memory', async () => {
    const upstream = await server({
      answers: { 'tools/call': () => ({ content: [{ type: 'text', text: 'x'.repeat(6_000_000) }] }) },
    })
    const gateway = await house.gateway(
      open({ x: httpServer(upstream) }, { limits: { principal: { perMinute: 'unlimited', concurrent: 4 } } }),
      ...smallHeap,
    )
    const { body, headers } = modernParts('tools/call', { name: 'x' })
    const { port, host } = new URL(gateway.url)
    const before = rss(gateway)
    const sockets = []
    for (let at = 0; at < 60; at++) {
      const socket = connect(Number(port), '127.0.0.1').pause()
      socket.on('error', () => undefined)
      const lines = Object.entries({
        host,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
        'content-length': body.length,
      })
      socket.write(`POST /x/mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
      sockets.push(socket)
      await wait(60)
    }
    await wait(500)
    const dead = gateway.child.exitCode !== null || gateway.child.signalCode !== null
    const grown = dead ? 0 : rss(gateway) - before
    for (const socket of sockets) socket.destroy()
    assert.ok(
      !dead && grown < 200,
      dead ? 'the gateway is dead' : `${grown.toFixed(0)} MB of results to a caller who may have 4 calls at a time`,
    )
  })
})
