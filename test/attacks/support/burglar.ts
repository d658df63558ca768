/**
 * A local server that has been taken over: each tool is one way to get at what is not its own, and answers with what came of it.
 * Legacy era, one JSON text a line, no SDK. `got: …` where it worked, `failed: CODE` where it did not.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { appendFileSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

type Json = Record<string, unknown>
type Given = Readonly<Record<string, string>>
const waitMs = 1500

/** What a socket says first, or that it is open, if it keeps quiet. */
const opened = (socket: Socket, first?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const quiet = (): void => void (socket.destroy(), resolve('open'))
    socket.once('connect', () => {
      if (first !== undefined) socket.write(first)
      setTimeout(quiet, waitMs)
    })
    socket.once('data', (data: Buffer) => (socket.destroy(), resolve(data.toString('latin1').split('\r\n')[0] as string)))
    socket.once('error', reject)
  })

const tools: Readonly<Record<string, (given: Given) => string | Promise<string>>> = {
  read: ({ path = '' }) => readFileSync(path, 'utf8').slice(0, 4000),
  list: ({ path = '' }) => readdirSync(path).join(' '),
  write({ path = '' }) {
    writeFileSync(path, 'burglar')
    return readFileSync(path, 'utf8')
  },
  tcp: ({ host = '', port }) => opened(connect({ host, port: Number(port) })),
  unix: ({ path = '' }) => opened(connect({ path: path.replace(/^@/, '\0') })),
  /** Speaks to the proxy of the sandbox as a client of proxies would not. */
  tunnel: ({ target = '' }) =>
    opened(connect({ host: '127.0.0.1', port: 3128 }), `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`),
  async fetch({ url = '' }) {
    const response = await fetch(url)
    return `${response.status} ${await response.text()}`
  },
  /** As a question to a name server goes. */
  udp: ({ host = '', port }) =>
    new Promise((resolve, reject) => {
      const socket = createSocket('udp4')
      socket.once('message', (message) => (socket.close(), resolve(message.toString())))
      socket.once('error', reject)
      socket.send('who?', Number(port), host, (error) => error && reject(error))
      setTimeout(() => reject(Object.assign(new Error('silent'), { code: 'SILENT' })), waitMs)
    }),
  kill({ pid }) {
    process.kill(Number(pid), 'SIGTERM')
    return 'killed'
  },
  parent: () => readFileSync(`/proc/${process.ppid}/environ`, 'utf8').replaceAll('\0', '\n'),
  environment: () => JSON.stringify(process.env),
  descriptors: () =>
    readdirSync('/proc/self/fd')
      .flatMap((name) => {
        try {
          return [readlinkSync(`/proc/self/fd/${name}`).replace(/\[\d+\]/, '')]
        } catch {
          return []
        }
      })
      .join('\n'),
  /** In a folder that it may write, a link to one that it may not read. */
  link({ path = '', to = '' }) {
    rmSync(path, { force: true })
    symlinkSync(to, path)
    return readFileSync(path, 'utf8')
  },
  /** A system call with these arguments, which Perl can make without being compiled. */
  call({ number = '', args = '' }) {
    const words = `my $r = syscall(${[number, ...args.split(' ').filter(Boolean)].join(', ')}); print $r >= 0 ? "done" : "errno " . ($! + 0)`
    const { stdout, signal, error } = spawnSync('perl', ['-e', words], { encoding: 'utf8' })
    if (stdout.startsWith('errno ')) throw Object.assign(new Error('refused'), { code: stdout })
    if (signal || error) throw Object.assign(new Error('ended'), { code: signal ?? 'no perl' })
    return stdout
  },
  /** Processes that do nothing, until there can be no more; at most `count`. */
  async bomb({ count }) {
    let alive = 0
    for (let at = 0; at < Number(count); at++) {
      const [pid] = await new Promise<[number | undefined]>((resolve) => {
        const child = spawn('sleep', ['30'], { stdio: 'ignore' })
        child.once('error', () => resolve([undefined]))
        child.once('spawn', () => resolve([child.pid]))
      })
      if (pid === undefined) throw Object.assign(new Error('full'), { code: `after ${alive}` })
      alive++
    }
    return `${alive} processes`
  },
  /** So many megabytes in memory, touched. */
  hoard({ megabytes }) {
    const held: Buffer[] = []
    for (let at = 0; at < Number(megabytes) / 64; at++) held.push(Buffer.alloc(64 * 1_048_576, 1))
    return `${held.length * 64} MB`
  },
  /** So many megabytes in a file. */
  fill({ path = '', megabytes }) {
    const chunk = Buffer.alloc(1_048_576, 1)
    for (let at = 0; at < Number(megabytes); at++) appendFileSync(path, chunk)
    return 'filled'
  },
}

const write = (message: Json): boolean => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params = {} } = JSON.parse(line) as { id?: unknown; method?: string; params?: Json }
  if (id === undefined) return
  if (method === 'initialize') {
    const serverInfo = { name: 'burglar', version: '1' }
    return write({ id, result: { protocolVersion: params['protocolVersion'], capabilities: { tools: {} }, serverInfo } })
  }
  if (method === 'tools/list') {
    const list = Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } }))
    return write({ id, result: { tools: list } })
  }
  if (method !== 'tools/call') return write({ id, error: { code: -32601, message: 'no such method' } })
  const { name, arguments: given = {} } = params as { name?: string; arguments?: Given }
  const text = await Promise.resolve()
    .then(() => tools[name ?? '']?.(given) ?? 'no such tool')
    .then((got) => `got: ${got}`)
    .catch(
      (error: NodeJS.ErrnoException) => `failed: ${(error.cause as NodeJS.ErrnoException)?.code ?? error.code ?? error.message}`,
    )
  write({ id, result: { content: [{ type: 'text', text }] } })
})
