/**
 * The real gateway process, ended with kill -9 under load and started again: what a client was answered, and what a server
 * was asked to write, is in the audit log; the log verifies; every client goes on.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { canonicalJson } from '../../src/lib/canonical-json.ts'

/** The parts are used by the soak too, which asks other questions of the same gateway under the same load. */
export interface KillOptions {
  readonly kills: number
  /** Told what was seen after each of them. */
  say?(line: string): void
}

const root = join(import.meta.dirname, '..', '..')
const main = join(root, 'src', 'cli', 'main.ts')
const recoverMsMax = 20_000
const loadMs = { min: 200, max: 1500 }
const clientsOfEach = 3

/** Throws at the first thing that is not as it should be. Resolves with how many calls were answered. */
export async function killNine({ kills, say = () => undefined }: KillOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-kill-nine-'))
  const upstream = await startUpstream()
  const port = await freePort()
  const config = join(folder, 'sekisho.yaml')
  writeFileSync(config, configFor(port, upstream.port))
  const clients = [modernClient, legacyClient].flatMap((make) =>
    Array.from({ length: clientsOfEach }, (_, at) => make(port, `${make.name}-${at}`)),
  )
  const stop = new AbortController()
  let gateway = await startGateway(config)
  const loops = clients.map((client) => client.run(stop.signal))
  try {
    for (let kill = 1; kill <= kills; kill++) {
      await everybodyIsAnswered(clients)
      await delay(loadMs.min + Math.random() * (loadMs.max - loadMs.min))
      await endGateway(gateway, 'SIGKILL')
      const { entries, unknown } = verified(config)
      say(
        `kill ${kill} of ${kills}: ${answersOf(clients).length} calls answered, ${entries} entries verify, ${unknown} without an outcome`,
      )
      gateway = await startGateway(config)
    }
    await everybodyIsAnswered(clients)
    stop.abort()
    await Promise.all(loops)
    await endGateway(gateway, 'SIGTERM')
    verified(config)
    const intents = intentsIn(join(folder, 'data', 'audit.db'))
    const digests = new Set(intents.map(({ digest }) => digest))
    const lost = answersOf(clients).filter(({ digest }) => !digests.has(digest))
    assert.deepEqual(lost, [], 'a call was answered, and the log knows nothing of it')
    const subjects = new Set(intents.filter(({ class: harm }) => harm === 'write').map(({ digest }) => digest))
    const unwritten = upstream.writes.filter((given) => !clients.some(({ sent }) => subjects.has(sent.get(given) ?? '')))
    assert.deepEqual(unwritten, [], 'a server was asked to write, and the log knows nothing of it')
    for (const tool of ['read_one', 'write_one'])
      assert.ok(
        answersOf(clients).filter((answer) => answer.tool === tool).length > kills * 5,
        `too few calls of ${tool} to mean anything`,
      )
    return answersOf(clients).length
  } finally {
    stop.abort()
    gateway.child.kill('SIGKILL')
    upstream.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

// Under `node --test` every file is the main one of its process; the soak imports the function alone.
if (import.meta.main)
  test('kill -9 under load, 3 times: what was answered is on record, and everybody goes on', {
    timeout: 120_000,
  }, async (context) => {
    await killNine({ kills: 3, say: (line) => context.diagnostic(line) })
  })

/** `more` is added to the document. */
export const configFor = (port: number, upstream: number, more = ''): string => `listen: 127.0.0.1:${port}
admin: { listen: 127.0.0.1:0 }
servers:
  one: { url: "http://127.0.0.1:${upstream}/mcp", tools: { read: ["read_*"], write: ["write_*"] } }
roles:
  all: [{ effect: allow, server: one, tools: ["*"] }]
bindings: [{ role: all, anonymous: true }]
limits: { principal: { perMinute: unlimited, concurrent: unlimited } }
${more}`

export interface RunningGateway {
  readonly child: ChildProcess
  /** The operators' address. */
  readonly admin: string
}

export async function startGateway(config: string): Promise<RunningGateway> {
  const args = ['--disable-warning=ExperimentalWarning', main, 'start', '--config', config, '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let problems = ''
  child.stderr.on('data', (chunk: Buffer) => {
    problems = (problems + chunk).slice(-4000)
  })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.off('exit', killWithUs))
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code} before it was ready: ${problems}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"event":"ready"')) resolve({ child, admin: (JSON.parse(line) as { admin: string }).admin })
    })
  })
}

export async function endGateway({ child }: RunningGateway, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await gone
}

export function verified(config: string): { entries: number; unknown: number } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, 'audit', 'verify', '--config', config, '--json'],
    { encoding: 'utf8' },
  )
  assert.equal(status, 0, `sekisho audit verify: ${stdout} ${stderr}`)
  return JSON.parse(stdout) as { entries: number; unknown: number }
}

function intentsIn(path: string): { digest: string; class?: string }[] {
  const database = new DatabaseSync(path, { readOnly: true })
  const texts = database.prepare('SELECT text FROM entry').all() as { text: string }[]
  database.close()
  return texts
    .map(({ text }) => JSON.parse(text) as { kind: string; digest: string; class?: string })
    .filter(({ kind }) => kind === 'intent')
}

interface Answer {
  readonly tool: string
  readonly digest: string
}
export interface Client {
  readonly name: string
  readonly answers: Answer[]
  /** The digest of the parameters of every call that was ever sent, by the number in its arguments. */
  readonly sent: Map<string, string>
  run(signal: AbortSignal): Promise<void>
}
const answersOf = (clients: readonly Client[]): Answer[] => clients.flatMap(({ answers }) => answers)

/** From now on, at least once; this is what "it goes on" means. */
export async function everybodyIsAnswered(clients: readonly Client[]): Promise<void> {
  const before = clients.map(({ answers }) => answers.length)
  const until = performance.now() + recoverMsMax
  const waiting = (): Client[] => clients.filter(({ answers }, at) => answers.length === before[at])
  while (waiting().length > 0) {
    assert.ok(performance.now() < until, `no answer in ${recoverMsMax} ms: ${waiting().map(({ name }) => name)}`)
    await delay(20)
  }
}

/** Calls both tools in turn, again and again. `ask` throws when there is no gateway, and returns undefined for a refusal. */
function client(name: string, ask: (params: object) => Promise<unknown>, envelope: object): Client {
  const answers: Answer[] = []
  const sent = new Map<string, string>()
  return {
    name,
    answers,
    sent,
    async run(signal) {
      for (let at = 0; !signal.aborted; at++) {
        const tool = at % 2 === 0 ? 'read_one' : 'write_one'
        const given = `${name}-${at}`
        const params = { name: tool, arguments: { given }, ...envelope }
        const digest = createHash('sha256').update(canonicalJson(params)).digest('hex')
        sent.set(given, digest)
        const answer = await ask(params).catch(() => undefined)
        if (JSON.stringify(answer ?? '').includes(`done ${given}`)) answers.push({ tool, digest })
        else await delay(25)
      }
    },
  }
}

const timeoutMs = 10_000
const post = (port: number, headers: Readonly<Record<string, string>>, body: object): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/one/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    signal: AbortSignal.timeout(timeoutMs),
  })

export function modernClient(port: number, name: string): Client {
  const version = '2026-07-28'
  const _meta = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {} }
  const ask = async (params: object): Promise<unknown> => {
    const headers = { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': (params as { name: string }).name }
    return (await post(port, headers, { id: 1, method: 'tools/call', params })).json()
  }
  return client(name, ask, { _meta })
}

/** Opens its session again when the gateway no longer knows it. */
export function legacyClient(port: number, name: string): Client {
  const version = '2025-11-25'
  let session: string | undefined
  let id = 0
  const ask = async (params: object): Promise<unknown> => {
    if (session === undefined) {
      const opened = await post(
        port,
        {},
        {
          id: ++id,
          method: 'initialize',
          params: { protocolVersion: version, capabilities: {}, clientInfo: { name, version: '1' } },
        },
      )
      await opened.text()
      session = opened.headers.get('mcp-session-id') ?? undefined
      if (session === undefined) return undefined
      const headers = { 'mcp-session-id': session, 'mcp-protocol-version': version }
      await (await post(port, headers, { method: 'notifications/initialized' })).text()
    }
    const response = await post(
      port,
      { 'mcp-session-id': session, 'mcp-protocol-version': version },
      { id: ++id, method: 'tools/call', params },
    )
    if (response.status === 404) session = undefined
    return response.json()
  }
  return client(name, ask, {})
}

/** A server of both eras, outside of the process that is killed. `writes`: the numbers it was asked to write. */
export async function startUpstream(): Promise<{ port: number; writes: string[]; close(): void }> {
  const writes: string[] = []
  const tools = ['read_one', 'write_one'].map((name) => ({ name, inputSchema: { type: 'object' } }))
  const capabilities = { tools: {} }
  const answer = (
    method: string,
    params: { name?: string; arguments?: { given: string }; protocolVersion?: string },
  ): object | undefined => {
    const extra = { resultType: 'complete', ttlMs: 1000, cacheScope: 'private' }
    switch (method) {
      case 'initialize':
        return { protocolVersion: params.protocolVersion, capabilities, serverInfo: { name: 'one', version: '1' } }
      case 'server/discover':
        return { supportedVersions: ['2026-07-28'], capabilities, ...extra }
      case 'tools/list':
        return { tools, ...extra }
      case 'tools/call':
        if (params.name === 'write_one') writes.push(params.arguments?.given ?? '')
        return { content: [{ type: 'text', text: `done ${params.arguments?.given}` }], ...extra }
    }
    return undefined
  }
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      if (request.method !== 'POST') return void response.writeHead(405).end()
      const { id, method, params } = JSON.parse(body) as { id?: unknown; method: string; params: object }
      if (id === undefined) return void response.writeHead(202).end()
      const result = answer(method, params)
      const message = result
        ? { jsonrpc: '2.0', id, result }
        : { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }
      response.writeHead(200, { 'content-type': 'application/json', ...(method === 'initialize' && { 'mcp-session-id': 'one' }) })
      response.end(JSON.stringify(message))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, writes, close }
}

/** The gateway comes back to the same port, so it cannot be given any. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createSocketServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
