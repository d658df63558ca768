/**
 * A local server that has been taken over, with a sandbox and without: what it reads, writes, connects to and uses up. SUP-C4, POS-C11,
 * K-9, K-10. Each attack works on the naked server where that does no harm, so that the sandbox is what stops it.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findMachine, type Machine } from '../../src/outbound/sandbox/machine.ts'
import { ROOT } from '../conformance/launch.ts'
import { alive, cli } from '../e2e/support/yard.ts'
import { Legacy } from './support/client.ts'
import { type Echo, echo, type Json } from './support/echo.ts'
import { codeOf, httpServer, node, open, recordOf, startIn, textOf, until, yard } from './support/house.ts'

const machine = await findMachine()
const skip = 'why' in machine ? `THIS MACHINE HAS NO SANDBOX, nothing of it is tested: ${machine.why}; ${machine.fix}` : false

const house = yard()
const place = house.folder()
const home = join(place, 'home')
const granted = join(place, 'granted')
const readable = join(place, 'readable')
const elsewhere = join(place, 'elsewhere')
const key = join(home, '.ssh/id_ed25519')
const planted = 'PRIVATE KEY of the person at this machine'
const environmentSecret = 'the-secret-of-the-gateway'
const processesMax = 100

let gateway: Awaited<ReturnType<typeof startIn>>
let allowed: Echo
let neighbour: Echo
let listening: { readonly unix: Server; readonly abstract: Server; close(): void }
let answering: { readonly port: number; close(): void }
let victim: ChildProcess
let ports: { readonly mcp: number; readonly admin: number }
const sessions: Record<string, Legacy> = {}

const socketFile = join(place, 'host.sock')
const abstractName = `@sekisho-test-${process.pid}`

const portOf = (server: Server): number => (server.address() as AddressInfo).port
const listenAt = (at: number | string): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.on('error', () => undefined).end('hello from the host\r\n'))
    server.listen(typeof at === 'number' ? { port: at, host: '127.0.0.1' } : { path: at }, () => resolve(server))
    server.unref()
  })
async function freePort(): Promise<number> {
  const server = await listenAt(0)
  const port = portOf(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

before(async () => {
  if (skip) return
  for (const folder of [join(home, '.ssh'), granted, readable, elsewhere]) mkdirSync(folder, { recursive: true })
  writeFileSync(key, planted)
  writeFileSync(join(readable, 'note'), 'a note')
  writeFileSync(join(elsewhere, 'file'), 'of somebody else')
  const [unix, abstract] = await Promise.all([listenAt(socketFile), listenAt(abstractName.replace('@', '\0'))])
  listening = { unix, abstract, close: () => void (unix.close(), abstract.close()) }
  const socket = createSocket('udp4')
  socket.on('message', (_, { port, address }) => socket.send('it is me', port, address)).unref()
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  answering = { port: socket.address().port, close: () => socket.close() }
  victim = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' })
  allowed = await echo({ handler: (_, request, response) => void response.end(`allowed ${request.url}`) })
  neighbour = await echo({ handler: (_, __, response) => void response.end('the other server') })
  ports = { mcp: await freePort(), admin: await freePort() }
  const command = node(join(import.meta.dirname, 'support/burglar.ts'))
  const limits = { memoryMbMax: 512, processesMax, fileMbMax: 16 }
  const folders = { read: [readable], write: [granted] }
  const hosts = [allowed.port, ports.mcp, ports.admin].map((port) => `127.0.0.1:${port}`)
  const servers = {
    naked: { command, env: { TOOL_MODE: 'its own' } },
    boxed: { command, env: { TOOL_MODE: 'its own' }, sandbox: { ...folders, ...limits } },
    online: {
      command,
      sandbox: { ...folders, ...limits, network: { hosts: [...hosts, '169.254.169.254:80', '*.example.com:443'] } },
    },
    neighbour: httpServer(neighbour),
  }
  const changes = { listen: `127.0.0.1:${ports.mcp}`, admin: { listen: `127.0.0.1:${ports.admin}` } }
  gateway = await startIn(house, open(servers, changes), { HOME: home, GATEWAY_SECRET: environmentSecret })
})
after(async () => {
  victim?.kill('SIGKILL')
  await house.close()
  listening?.close()
  answering?.close()
  await Promise.all([allowed?.close(), neighbour?.close()])
})

async function attempt(server: string, tool: string, given: Json = {}): Promise<string> {
  sessions[server] ??= await Legacy.open(`${gateway.url}/${server}/mcp`)
  const got = await sessions[server].call('tools/call', { name: tool, arguments: given })
  if (codeOf(got) !== undefined) delete sessions[server]
  return codeOf(got) ?? textOf(got)
}

/** By name, so that what is only known later can be said now. `naked: undefined`: not tried, because it would do harm. */
interface Attack {
  readonly what: string
  readonly tool: string
  readonly given: () => Json
  readonly naked: RegExp | undefined
  readonly boxed: RegExp
}
const none = /^failed: (ENOENT|EACCES|EPERM|EROFS|ENOTDIR)$/
const unreachable = /^failed: (ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ENOENT|SILENT)$/

/** By architecture: ptrace(PTRACE_TRACEME), unshare(CLONE_NEWUSER), keyctl(KEYCTL_GET_KEYRING_ID), socket(AF_VSOCK), a mount, io_uring_setup. */
const callsOf: Readonly<Record<string, readonly (readonly [string, number, string, RegExp])[]>> = {
  x64: [
    ['ptrace', 101, '0 0 0 0', /errno 1$/],
    ['unshare, a user namespace', 272, '268435456', /errno 1$/],
    ['clone, a user namespace', 56, '268435473 0 0 0 0', /errno 1$/],
    ['keyctl', 250, '0 -3 0', /errno 1$/],
    ['mount', 165, '0 0 0 0 0', /errno 1$/],
    ['bpf', 321, '0 0 0', /errno 1$/],
    ['process_vm_readv', 310, '1 0 0 0 0 0', /errno 1$/],
    ['a socket to the hypervisor', 41, '40 1 0', /errno 97$/],
    ['io_uring_setup', 425, '0 0', /errno 38$/],
    ['ptrace by its x32 number', 1073742345, '0 0 0 0', /SIGSYS$/],
  ],
  arm64: [
    ['ptrace', 117, '0 0 0 0', /errno 1$/],
    ['unshare, a user namespace', 97, '268435456', /errno 1$/],
    ['clone, a user namespace', 220, '268435473 0 0 0 0', /errno 1$/],
    ['keyctl', 219, '0 -3 0', /errno 1$/],
    ['mount', 40, '0 0 0 0 0', /errno 1$/],
    ['bpf', 280, '0 0 0', /errno 1$/],
    ['process_vm_readv', 270, '1 0 0 0 0 0', /errno 1$/],
    ['a socket to the hypervisor', 198, '40 1 0', /errno 97$/],
    ['io_uring_setup', 425, '0 0', /errno 38$/],
  ],
}
const calls = (callsOf[process.arch] ?? []).map(
  ([what, number, args, boxed]): Attack => ({
    what: `system call: ${what}`,
    tool: 'call',
    given: () => ({ number: String(number), args }),
    naked: what === 'ptrace' ? /^got: done/ : undefined,
    boxed,
  }),
)

const attacks: readonly Attack[] = [
  { what: 'the private key of the person', tool: 'read', given: () => ({ path: key }), naked: /^got: PRIVATE KEY/, boxed: none },
  { what: 'what is in the home folder', tool: 'list', given: () => ({ path: home }), naked: /^got: \.ssh/, boxed: /^got: $/ },
  {
    what: 'the key of the vault',
    tool: 'read',
    given: () => ({ path: join(gateway.folder, 'data/sekisho.key') }),
    naked: /^got: ./,
    boxed: none,
  },
  {
    what: 'the configuration',
    tool: 'read',
    given: () => ({ path: join(gateway.folder, 'sekisho.yaml') }),
    naked: /^got: ./,
    boxed: none,
  },
  { what: 'accounts of this machine', tool: 'read', given: () => ({ path: '/etc/shadow' }), naked: undefined, boxed: none },
  {
    what: 'a file that was not granted',
    tool: 'write',
    given: () => ({ path: join(elsewhere, 'new') }),
    naked: /^got: burglar/,
    boxed: none,
  },
  { what: 'write: a file at the root', tool: 'write', given: () => ({ path: '/burglar' }), naked: undefined, boxed: none },
  {
    what: 'write: a program of the system',
    tool: 'write',
    given: () => ({ path: '/usr/bin/burglar' }),
    naked: undefined,
    boxed: none,
  },
  { what: 'write: its own program', tool: 'write', given: () => ({ path: import.meta.filename }), naked: undefined, boxed: none },
  {
    what: 'write: what it may only read',
    tool: 'write',
    given: () => ({ path: join(readable, 'note') }),
    naked: undefined,
    boxed: none,
  },
  { what: 'write: a device', tool: 'write', given: () => ({ path: '/dev/burglar' }), naked: undefined, boxed: none },
  {
    what: 'write: a setting of the kernel',
    tool: 'write',
    given: () => ({ path: '/proc/sys/kernel/printk_ratelimit' }),
    naked: undefined,
    boxed: none,
  },
  { what: 'keys of our user', tool: 'read', given: () => ({ path: '/proc/keys' }), naked: undefined, boxed: none },
  { what: 'the memory of the kernel', tool: 'read', given: () => ({ path: '/proc/kcore' }), naked: undefined, boxed: none },
  {
    what: 'a link out of the folder it may write',
    tool: 'link',
    given: () => ({ path: join(granted, 'out'), to: key }),
    naked: /^got: PRIVATE KEY/,
    boxed: none,
  },
  {
    what: 'a link to the root of another process',
    tool: 'link',
    given: () => ({ path: join(granted, 'root'), to: `/proc/${process.pid}/root${key}` }),
    naked: undefined,
    boxed: none,
  },
  {
    what: 'the environment of its parent',
    tool: 'parent',
    given: () => ({}),
    naked: /the-secret-of-the-gateway/,
    boxed: /^(?![\s\S]*the-secret)/,
  },
  {
    what: 'the environment of the gateway',
    tool: 'read',
    given: () => ({ path: `/proc/${gateway.child.pid}/environ` }),
    naked: /the-secret-of-the-gateway/,
    boxed: none,
  },
  {
    what: 'a connection to a server on this machine',
    tool: 'tcp',
    given: () => ({ host: '127.0.0.1', port: String(neighbour.port) }),
    naked: /^got: open/,
    boxed: unreachable,
  },
  {
    what: 'a connection to the admin port',
    tool: 'tcp',
    given: () => ({ host: '127.0.0.1', port: String(ports.admin) }),
    naked: /^got: open/,
    boxed: unreachable,
  },
  {
    what: 'a connection to the internet',
    tool: 'tcp',
    given: () => ({ host: '192.0.2.1', port: '443' }),
    naked: undefined,
    boxed: unreachable,
  },
  {
    what: 'a name of the internet, which is a question to a name server',
    tool: 'tcp',
    given: () => ({ host: 'secret.attacker.example', port: '443' }),
    naked: undefined,
    boxed: /^failed: (ENOTFOUND|EAI_AGAIN|ESERVFAIL)$/,
  },
  {
    what: 'a question over UDP',
    tool: 'udp',
    given: () => ({ host: '127.0.0.1', port: String(answering.port) }),
    naked: /^got: it is me/,
    boxed: unreachable,
  },
  { what: 'a socket in a folder', tool: 'unix', given: () => ({ path: socketFile }), naked: /^got: hello/, boxed: unreachable },
  {
    what: 'a socket with an abstract name',
    tool: 'unix',
    given: () => ({ path: abstractName }),
    naked: /^got: hello/,
    boxed: unreachable,
  },
  ...calls,
]

describe('a local server that was taken over', { skip }, () => {
  for (const { what, tool, given, naked, boxed } of attacks)
    it(what, async () => {
      if (naked) assert.match(await attempt('naked', tool, given()), naked, 'without a sandbox it works')
      assert.match(await attempt('boxed', tool, given()), boxed)
      assert.match(await attempt('online', tool, given()), boxed)
    })

  it('kills: another process of our user, with a sandbox not', async () => {
    const pid = String(victim.pid)
    assert.match(await attempt('boxed', 'kill', { pid }), /^failed: ESRCH$/)
    assert.match(await attempt('boxed', 'kill', { pid: String(gateway.child.pid) }), /^failed: ESRCH$/)
    assert.ok(alive(victim.pid as number))
    assert.equal(await attempt('naked', 'kill', { pid }), 'got: killed')
    await until('the victim is gone', () => !alive(victim.pid as number))
  })

  it('inherits no descriptor that leads anywhere', async () => {
    const got = await attempt('boxed', 'descriptors')
    const strange = got
      .slice('got: '.length)
      .split('\n')
      .filter((one) => !/^(socket:|pipe:|anon_inode:|\/dev\/null$|\/proc\/\d+\/fd$)/.test(one))
    assert.deepEqual(strange, [])
  })

  it('has its own environment, and nothing of ours', async () => {
    const { TOOL_MODE, HOME, TMPDIR, GATEWAY_SECRET, HTTPS_PROXY } = JSON.parse(
      (await attempt('boxed', 'environment')).slice('got: '.length),
    )
    assert.deepEqual([TOOL_MODE, HOME, TMPDIR, GATEWAY_SECRET, HTTPS_PROXY], ['its own', home, '/tmp', undefined, undefined])
  })
})

describe('what it is granted, it has', { skip }, () => {
  it('reads and writes the folders', async () => {
    assert.equal(await attempt('boxed', 'read', { path: join(readable, 'note') }), 'got: a note')
    assert.equal(await attempt('boxed', 'write', { path: join(granted, 'mine') }), 'got: burglar')
    assert.equal(readFileSync(join(granted, 'mine'), 'utf8'), 'burglar')
  })

  it('has a home and a folder for temporary files to itself, which are memory', async () => {
    for (const path of [join(home, 'cache'), '/tmp/cache', '/dev/shm/cache']) {
      assert.equal(await attempt('boxed', 'write', { path }), 'got: burglar')
      assert.ok(!existsSync(path))
      assert.match(await attempt('online', 'read', { path }), none, 'another server has others')
    }
  })

  it('reaches the hosts that are allowed, through the proxy', async () => {
    assert.equal(await attempt('online', 'fetch', { url: `http://127.0.0.1:${allowed.port}/a?b` }), 'got: 200 allowed /a?b')
    assert.match(await attempt('online', 'tunnel', { target: `127.0.0.1:${allowed.port}` }), /^got: HTTP\/1\.1 200/)
    // Other spellings of the same address.
    assert.match(await attempt('online', 'tunnel', { target: `2130706433:${allowed.port}` }), /^got: HTTP\/1\.1 200/)
  })
})

describe('the way out leads to the hosts on the list, and nowhere else', { skip }, () => {
  const refused: readonly (readonly [what: string, target: () => string, why: string])[] = [
    ['another server behind the gateway', () => `127.0.0.1:${neighbour.port}`, 'not-allowed'],
    ['the same as a number', () => `2130706433:${neighbour.port}`, 'not-allowed'],
    ['the same in hexadecimal', () => `0x7f.1:${neighbour.port}`, 'not-allowed'],
    ['the same by name', () => `localhost:${neighbour.port}`, 'not-allowed'],
    ['the same in IPv6', () => `[::ffff:127.0.0.1]:${neighbour.port}`, 'not-allowed'],
    ['the door of the gateway, though it is on the list', () => `127.0.0.1:${ports.mcp}`, 'gateway'],
    ['its admin port, though it is on the list', () => `127.0.0.1:${ports.admin}`, 'gateway'],
    ['a service of metadata, though it is on the list', () => '169.254.169.254:80', 'special-address'],
    ['the same as a number', () => '2852039166:80', 'special-address'],
    ['what is on no list', () => 'evil.example:443', 'not-allowed'],
    ['a name that only ends alike', () => 'badexample.com:443', 'not-allowed'],
    ['the suffix itself', () => 'example.com:443', 'not-allowed'],
    ['another port', () => 'a.example.com:22', 'not-allowed'],
    ['no port', () => 'a.example.com', 'unreadable'],
    ['credentials', () => 'a.example.com:443@evil.example:443', 'unreadable'],
    ['a line of its own', () => 'a.example.com:443\tx', 'unreadable'],
  ]
  for (const [what, target, why] of refused)
    it(what, async () => {
      assert.match(await attempt('online', 'tunnel', { target: target() }), /^got: HTTP\/1\.1 (403|400)/)
      assert.match(await attempt('online', 'fetch', { url: `http://${target()}/` }), /^(got: 403|failed: )/)
      if (why === 'unreadable') return
      const { port, hostname } = new URL(`http://${target().replace(/:80$/, ':080')}`)
      const subject = `${hostname.replace(/[[\]]/g, '')}:${port || 80}`
      const seen = () =>
        recordOf(gateway).some((entry) => entry['action'] === 'server.egress.refused' && entry['subject'] === subject)
      await until(`the refusal of ${subject} is in the audit log`, seen)
      const entry = recordOf(gateway).find((one) => one['action'] === 'server.egress.refused' && one['subject'] === subject)
      assert.deepEqual([entry?.['server'], entry?.['detail']], ['online', why])
    })

  it('nothing of it has arrived', () => assert.deepEqual(neighbour.heard, []))
})

describe('what it uses up is its own', { skip }, () => {
  it('processes: a fork bomb ends at the limit', async () => {
    const [, count] = /^failed: after (\d+)$/.exec(await attempt('boxed', 'bomb', { count: 500 })) ?? []
    assert.ok(Number(count) > 0 && Number(count) < processesMax, `${count}`)
    assert.match(await attempt('online', 'read', { path: join(readable, 'note') }), /a note/, 'others go on')
  })

  it('memory: 10 GB are not to be had', async () => {
    assert.match(await attempt('online', 'hoard', { megabytes: 10_240 }), /^(failed: |UPSTREAM_UNAVAILABLE)/)
    assert.match(await attempt('boxed', 'read', { path: join(readable, 'note') }), /a note/, 'others go on')
    assert.match(await attempt('online', 'read', { path: join(readable, 'note') }), /a note/, 'and it is started again')
  })

  for (const path of ['/tmp/big', '/dev/shm/big', join(home, 'big'), join(granted, 'big')])
    it(`disk: no file above the limit in ${path.replace(place, '…')}`, async () => {
      assert.match(await attempt('boxed', 'fill', { path, megabytes: 20 }), /^(failed: (ENOSPC|EFBIG)|UPSTREAM_UNAVAILABLE)/)
    })
})

it('a sandbox ends with the gateway, even where the gateway is killed', { skip }, async () => {
  const own = await startIn(
    house,
    open({ boxed: { command: node(join(import.meta.dirname, 'support/burglar.ts')), sandbox: {} } }),
  )
  const session = await Legacy.open(`${own.url}/boxed/mcp`)
  await session.call('tools/call', { name: 'environment', arguments: {} })
  const started = () =>
    readFileSync(`/proc/${own.child.pid}/task/${own.child.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  const pids = started()
  assert.ok(pids.length > 0)
  own.child.kill('SIGKILL')
  await until('the sandbox is gone', () => pids.every((pid) => !alive(pid)))
})

it('sekisho run --sandbox: the same for one server at one desk', { skip }, async () => {
  const command = node(join(import.meta.dirname, 'support/burglar.ts'))
  const ask = async (options: readonly string[], path: string): Promise<string> => {
    const data = house.folder()
    const guard = house.start([cli, 'run', '--data', data, ...options, '--', ...command], {
      cwd: place,
      env: { ...process.env, HOME: home },
    })
    const calls = [
      {
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      },
      { method: 'notifications/initialized' },
      { id: 2, method: 'tools/call', params: { name: 'read', arguments: { path } } },
    ]
    for (const call of calls) guard.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...call })}\n`)
    const line = await until('an answer', () => guard.out.find((one) => one.includes('"id":2')))
    guard.child.stdin?.end()
    await guard.ended
    return line
  }
  assert.match(await ask([], key), /got: PRIVATE KEY/)
  assert.match(await ask(['--sandbox'], key), /failed: ENOENT/)
  assert.match(await ask(['--sandbox'], join(readable, 'note')), /failed: ENOENT/)
  assert.match(await ask(['--sandbox', '--read', './readable'], join(readable, 'note')), /got: a note/)
  assert.match(await ask(['--sandbox', '--write', '.'], join(readable, 'note')), /got: a note/)
})

it('servers of others work in it: files and memory', { skip }, async () => {
  const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name)
  const folder = house.folder()
  writeFileSync(join(folder, 'a.txt'), 'hello')
  const sandbox = { write: [folder] }
  const own = await startIn(
    house,
    open({
      files: { command: [bin('mcp-server-filesystem'), folder], sandbox },
      memory: { command: [bin('mcp-server-memory')], env: { MEMORY_FILE_PATH: join(folder, 'memory.json') }, sandbox },
    }),
  )
  const files = await Legacy.open(`${own.url}/files/mcp`)
  assert.equal(
    textOf(await files.call('tools/call', { name: 'read_text_file', arguments: { path: join(folder, 'a.txt') } })),
    'hello',
  )
  const memory = await Legacy.open(`${own.url}/memory/mcp`)
  const entities = [{ name: 'gate', entityType: 'place', observations: ['it is closed'] }]
  textOf(await memory.call('tools/call', { name: 'create_entities', arguments: { entities } }))
  assert.match(readFileSync(join(folder, 'memory.json'), 'utf8'), /it is closed/)
})

it('where the machine has no sandbox: a server is not started, or without one, and then that is recorded', { skip }, async () => {
  const { bubblewrap } = machine as Machine
  const folder = house.folder()
  const file = join(folder, 'sekisho.yaml')
  const command = node(join(import.meta.dirname, 'support/burglar.ts'))
  const servers = { strict: { command, sandbox: {} }, lax: { command, sandbox: { whenUnavailable: 'run-unconfined' } } }
  writeFileSync(file, JSON.stringify(open(servers)))
  // The same machine, with nothing in the place of bubblewrap.
  const view = ['--die-with-parent', '--bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--ro-bind', '/dev/null', bubblewrap]
  const program = `require('node:child_process').spawn(${JSON.stringify(bubblewrap)}, [${view.map((word) => JSON.stringify(word)).join()}, process.execPath, ...process.argv.slice(1)], { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1))`
  const running = house.start(['-e', program, cli, 'start', '--config', file, '--json'], { cwd: folder })
  const ready = await until('the gateway is ready', () => running.out.find((line) => line.startsWith('{"event":"ready"')))
  const { listen } = JSON.parse(ready) as { listen: string }
  const strict = await Legacy.open(`${listen}/strict/mcp`)
  assert.equal(codeOf(strict.opened), 'UPSTREAM_UNAVAILABLE')
  const lax = await Legacy.open(`${listen}/lax/mcp`)
  assert.equal(textOf(await lax.call('tools/call', { name: 'read', arguments: { path: join(readable, 'note') } })), 'got: a note')
  const recorded = recordOf({ folder }).filter((entry) => entry['action'] === 'server.unconfined')
  assert.deepEqual(
    recorded.map(({ server, detail }) => [server, detail]),
    [['lax', 'bubblewrap is not installed']],
  )
  const said = running.out.filter((line) => line.includes('bubblewrap is not installed')).join('\n')
  assert.match(said, /"server":"strict","line":"is not started, for its sandbox: bubblewrap is not installed; install bubblewrap/)
  assert.match(said, /"server":"lax","line":"runs without its sandbox, as sandbox.whenUnavailable allows/)
})
