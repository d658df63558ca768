/**
 * The only way out of a sandbox: a proxy on a socket of the file system, which asks destination.ts and then connects. CONNECT
 * (RFC 9110, section 9.3.6) for what is encrypted, the absolute form (RFC 9112, section 3.2.2) for plain http. It looks into nothing
 * that passes; it counts the bytes, and hangs up on who is silent for long.
 */
import type { LookupAddress } from 'node:dns'
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type LookupFunction, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { NameLookup } from '../../../lib/name-lookup.ts'
import { type AllowList, readTarget, type Target } from './allow-list.ts'
import { type Destination, destination, type EgressFault, type Surroundings } from './destination.ts'

export interface EgressOptions {
  readonly allowed: AllowList
  readonly surroundings: Surroundings
  readonly lookup: NameLookup
  readonly limits?: Partial<EgressLimits>
  refused(host: string, port: number, why: EgressFault): void
}
export interface EgressLimits {
  readonly connectionsMax: number
  /** Of one connection, in each direction. */
  readonly bytesMax: number
  readonly idleMs: number
  readonly connectMs: number
}
const usual: EgressLimits = { connectionsMax: 64, bytesMax: 1_073_741_824, idleMs: 300_000, connectMs: 10_000 }
const headBytesMax = 16_384
const headMs = 10_000
const shownCharsMax = 100

/** Of one connection only (RFC 9110, section 7.6.1), or about proxies. */
const hopByHop = /^(connection|keep-alive|te|trailer|transfer-encoding|upgrade|host|proxy-.*)$/i

/** Not listening yet. */
export function egressProxy({ allowed, surroundings, lookup, limits = {}, refused }: EgressOptions): Server {
  const { connectionsMax, bytesMax, idleMs, connectMs } = { ...usual, ...limits }
  const server = createServer({ maxHeaderSize: headBytesMax, headersTimeout: headMs, requestTimeout: 0 })
  server.maxConnections = connectionsMax

  /** Where it may go, or why not, which is then told. */
  async function decide(
    target: Target | undefined,
    said: string,
  ): Promise<Exclude<Destination, { fault: unknown }> | EgressFault> {
    const found = target ? await destination(target, allowed, surroundings, lookup) : ({ fault: 'unreadable' } as const)
    if ('addresses' in found) return found
    refused(target?.host ?? printable(said), target?.port ?? 0, found.fault)
    return found.fault
  }

  async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const target = readTarget(request.url ?? '')
    const decided = await decide(target, request.url ?? '')
    if (typeof decided === 'string') return void client.end(answerOf(decided))
    if (client.destroyed) return
    const upstream = connectTo(target as Target, decided.addresses, connectMs)
    const gone = (): void => void client.end(unreachable)
    upstream.once('error', gone)
    upstream.once('connect', () => {
      upstream.off('error', gone)
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      if (head.length > 0) upstream.write(head)
      join(client as Socket, upstream, bytesMax, idleMs)
    })
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.canParse(request.url ?? '') ? new URL(request.url as string) : undefined
    const isPlain = url?.protocol === 'http:' && url.username === '' && url.password === ''
    const decided = await decide(isPlain ? readTarget(`${url.hostname}:${url.port || 80}`) : undefined, request.url ?? '')
    if (typeof decided === 'string') return void response.writeHead(403, { connection: 'close' }).end(sentence(decided))
    const { hostname, port, pathname, search, host } = url as URL
    const upstream = httpRequest({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || 80),
      lookup: pinned(decided.addresses),
      method: request.method,
      path: pathname + search,
      headers: { ...endToEnd(request), host, connection: 'close' },
      agent: false,
      timeout: idleMs,
      maxHeaderSize: headBytesMax,
    })
    const hangUp = (): void => void (upstream.destroy(), request.socket.destroy())
    const late = setTimeout(() => upstream.destroy(new Error('late')), connectMs)
    upstream.once('socket', (socket) => socket.once('connect', () => clearTimeout(late)))
    upstream.once('timeout', hangUp)
    upstream.on('error', () => (response.headersSent ? hangUp() : response.writeHead(502, { connection: 'close' }).end()))
    upstream.once('response', (answer) => {
      answer.on('error', hangUp)
      counted(answer, bytesMax, hangUp)
      try {
        response.writeHead(answer.statusCode ?? 0, { ...endToEnd(answer), connection: 'close' })
        answer.pipe(response)
      } catch {
        hangUp() // an answer that Node reads and would not write
      }
    })
    upstream.once('close', () => clearTimeout(late))
    response.once('close', () => upstream.destroy())
    counted(request, bytesMax, hangUp)
    request.pipe(upstream)
  }

  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on('error', () => client.destroy())
    tunnel(request, client, head).catch(() => client.destroy())
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    request.on('error', () => undefined)
    pass(request, response).catch(() => request.socket.destroy())
  })
  return server
}

const endToEnd = ({ headers }: IncomingMessage): IncomingMessage['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.test(name)))

const reasons: Readonly<Record<EgressFault, string>> = {
  'not-allowed': 'this host and port are not in sandbox.network.hosts',
  unreadable: 'write host:port, or an http URL',
  gateway: 'a server may not connect to the gateway',
  neighbour: 'this is another server of the gateway: it is allowed only where it is written out in sandbox.network.hosts',
  'this-machine':
    'this leads to the machine of the gateway: it is allowed only as an address written out in sandbox.network.hosts',
  'private-network': 'this leads into a private network: it is allowed only where it is written out in sandbox.network.hosts',
  'special-address': 'this leads to an address that is never a server',
  'no-address': 'this name has no address',
}
const sentence = (why: EgressFault): string => `Sekisho: ${reasons[why]}\n`

const answerOf = (why: EgressFault): string =>
  `HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ${sentence(why).length}\r\n\r\n${sentence(why)}`
const unreachable = 'HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** To these addresses and no other, one after the other until one answers (RFC 8305). */
function connectTo({ host, port }: Target, addresses: readonly LookupAddress[], connectMs: number): Socket {
  const socket = connect({ host, port, lookup: pinned(addresses), allowHalfOpen: true })
  const late = setTimeout(() => socket.destroy(new Error('late')), connectMs)
  socket.once('close', () => clearTimeout(late)).once('connect', () => clearTimeout(late))
  return socket
}

const pinned =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_, { all }, done) =>
    all ? done(null, [...addresses]) : done(null, addresses[0]?.address ?? '', addresses[0]?.family)

/** Both ways, until both have ended, or one is silent, fails or says too much. */
function join(client: Socket, upstream: Socket, bytesMax: number, idleMs: number): void {
  const hangUp = (): void => void (client.destroy(), upstream.destroy())
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.setTimeout(idleMs, hangUp)
    from.on('error', hangUp)
    from.once('close', () => to.destroySoon())
    counted(from, bytesMax, hangUp)
    from.pipe(to)
  }
}

function counted(from: NodeJS.ReadableStream, bytesMax: number, tooMany: () => void): void {
  let bytes = 0
  from.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bytesMax) tooMany()
  })
}

/** A server's words, for the log: what cannot be seen is not shown. */
const printable = (text: string): string => text.slice(0, shownCharsMax).replace(/[^\x21-\x7e]/g, '?')
