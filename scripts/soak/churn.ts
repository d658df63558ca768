/**
 * Connections that come and go, most of them badly: broken off at every point, streams opened and dropped, sessions opened
 * and ended. Afterwards the gateway holds no more than before, and serves.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  configFor,
  endGateway,
  everybodyIsAnswered,
  freePort,
  legacyClient,
  modernClient,
  startGateway,
  startUpstream,
  verified,
} from '../../test/e2e/kill-nine.test.ts'

const lanes = 24
const restSeconds = 5
/** The first half fills what is kept and bounded; so much more after the second half is no leak. */
const slack = { descriptors: 16, megabytes: 80 }

const meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}'
const head = (port: number, more: string): string =>
  `Host: 127.0.0.1:${port}\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n${more}`
const post = (port: number, more: string, body: string): string =>
  `POST /one/mcp HTTP/1.1\r\n${head(port, more)}Content-Length: ${body.length}\r\n\r\n${body}`
const modern = (port: number, method: string, params: string, more = ''): string =>
  post(
    port,
    `MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: ${method}\r\n${more}`,
    `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{${params}${meta}}}`,
  )

const call = (port: number): string =>
  modern(port, 'tools/call', '"name":"write_one","arguments":{"given":"churn"},', 'Mcp-Name: write_one\r\n')
const listen = (port: number): string => modern(port, 'subscriptions/listen', '"notifications":{"toolsListChanged":true},')
const initialize = (port: number): string =>
  post(
    port,
    '',
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"churn","version":"1"}}}',
  )

/** What one visitor does. */
type Visitor = (port: number) => Promise<unknown>
const visitors: readonly Visitor[] = [
  (port) => visit(port, '', 'at once'),
  (port) => visit(port, call(port).slice(0, 60 + Math.floor(Math.random() * 300)), 'at once'),
  (port) => visit(port, call(port), 'at once'),
  (port) => visit(port, call(port), 'answered'),
  (port) => visit(port, call(port) + call(port), 'answered'),
  (port) => visit(port, listen(port), 'later'),
  (port) => visit(port, listen(port), 'at once'),
  async (port) => {
    const session = /mcp-session-id: (\S+)/i.exec(await visit(port, initialize(port), 'answered'))?.[1]
    if (session === undefined) return
    const own = head(port, `Mcp-Session-Id: ${session}\r\nMCP-Protocol-Version: 2025-11-25\r\n`)
    await visit(port, `GET /one/mcp HTTP/1.1\r\n${own}\r\n`, 'later')
    await visit(port, `DELETE /one/mcp HTTP/1.1\r\n${own}\r\n`, 'answered')
  },
]

/** Says it and leaves: at once, a little later, or when something was answered. Resolves with what was heard. */
function visit(port: number, text: string, leaves: 'at once' | 'later' | 'answered'): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect({ port, host: '127.0.0.1' })
    const leave = (): void => {
      clearTimeout(timer)
      socket.resetAndDestroy()
      resolve(heard)
    }
    const timer = setTimeout(leave, leaves === 'answered' ? 5000 : leaves === 'later' ? Math.random() * 200 : Math.random() * 5)
    socket.on('error', () => undefined).on('close', leave)
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
      if (leaves === 'answered') leave()
    })
    socket.write(text)
  })
}

export async function churn(seconds: number, say: (line: string) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-soak-churn-'))
  const upstream = await startUpstream()
  const port = await freePort()
  const config = join(folder, 'sekisho.yaml')
  writeFileSync(config, configFor(port, upstream.port))
  const gateway = await startGateway(config)
  const pid = gateway.child.pid as number
  const clients = [modernClient(port, 'modern'), legacyClient(port, 'legacy')]
  const stop = new AbortController()
  const loops = clients.map((client) => client.run(stop.signal))
  let visits = 0
  const storm = async (forSeconds: number): Promise<void> => {
    const end = performance.now() + forSeconds * 1000
    const lane = async (): Promise<void> => {
      while (performance.now() < end) {
        await (visitors[Math.floor(Math.random() * visitors.length)] as Visitor)(port)
        visits++
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    await delay(restSeconds * 1000)
  }
  try {
    const progress = setInterval(
      () => say(`${visits} visits, ${heldBy(pid).descriptors} descriptors, ${heldBy(pid).megabytes} MB`),
      1000,
    )
    progress.unref()
    await storm(seconds / 2)
    const before = heldBy(pid)
    await storm(seconds / 2)
    clearInterval(progress)
    await everybodyIsAnswered(clients)
    const after = heldBy(pid)
    assert.ok(
      after.descriptors <= before.descriptors + slack.descriptors,
      `${before.descriptors} descriptors before, ${after.descriptors} after`,
    )
    assert.ok(after.megabytes <= before.megabytes + slack.megabytes, `${before.megabytes} MB before, ${after.megabytes} MB after`)
    stop.abort()
    await Promise.all(loops)
    await endGateway(gateway, 'SIGTERM')
    const { entries, unknown } = verified(config)
    assert.equal(unknown, 0, 'exchanges without an outcome')
    return `${visits} visits, ${entries} entries; descriptors ${before.descriptors} → ${after.descriptors}, memory ${before.megabytes} → ${after.megabytes} MB`
  } finally {
    stop.abort()
    gateway.child.kill('SIGKILL')
    upstream.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What a process holds; zeros where there is no /proc. */
function heldBy(pid: number): { descriptors: number; megabytes: number } {
  try {
    const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    return { descriptors: readdirSync(`/proc/${pid}/fd`).length, megabytes: Math.round(kilobytes / 1024) }
  } catch {
    return { descriptors: 0, megabytes: 0 }
  }
}
