/** The socket: node:http or node:https, made into arrivals and departures. Slow and oversized requests end here. */

import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { drained } from '../lib/drained.ts'
import { Stop } from '../lib/stop.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { type Arrival, type Departure, type Outlet, onlyOnce } from './arrival.ts'
import type { Address, ListenTls } from './schema.ts'

export interface Listener {
  readonly address: AddressInfo
  close(): Promise<void>
}
/** Enough for any header this protocol has; more is answered with 431. */
const headerBytesMax = 32_768
const limits = {
  maxHeaderSize: headerBytesMax,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 65_000,
  noDelay: true,
} as const

export type Answer = (arrival: Arrival, departure: Departure) => Promise<void> | void

export async function listen({ host, port }: Address, tls: ListenTls | undefined, handler: RequestListener): Promise<Listener> {
  const server =
    tls === undefined
      ? createServer(limits, handler)
      : createSecureServer({ ...limits, ...(await secureContext(tls)) }, withHsts(handler))
  server.maxRequestsPerSocket = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(whyNot(error, host, port))))
    server.listen(port, host, () => resolve())
  })
  return { address: server.address() as AddressInfo, close: () => close(server) }
}

function whyNot({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE')
    return `${host}:${port} is already in use; stop what listens there, or change the address in the configuration`
  if (code === 'EACCES') return `${host}:${port} may not be opened by this user; take a port above 1023`
  return `${host}:${port} cannot be opened: ${message}`
}

/** Browsers that have seen us over TLS never ask in the clear again (RFC 6797). */
const withHsts =
  (handler: RequestListener): RequestListener =>
  (request, response) => {
    response.setHeader('strict-transport-security', 'max-age=31536000')
    handler(request, response)
  }

async function secureContext({ cert, key, minVersion, clientCa }: ListenTls) {
  const clients = clientCa === undefined ? {} : { ca: await readFile(clientCa), requestCert: true, rejectUnauthorized: true }
  return { cert: await readFile(cert), key: await readFile(key), minVersion, ...clients }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 1000).unref()
  })
}

/** A node:http handler around an answer. */
export const handle =
  (answer: Answer): RequestListener =>
  (request, response) =>
    void answer(arrivalOf(request), departureOf(response))

function arrivalOf(request: IncomingMessage): Arrival {
  const { rawHeaders, url = '/' } = request
  const headers: Record<string, string> = Object.create(null)
  let duplicated: string | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase()
    const value = rawHeaders[at + 1] as string
    if (headers[name] === undefined) headers[name] = value
    else {
      if (onlyOnce.has(name) || name.startsWith('mcp-param-')) duplicated ??= name
      headers[name] += `, ${value}`
    }
  }
  const query = url.indexOf('?')
  const [path, rest] = query === -1 ? [url, ''] : [url.slice(0, query), url.slice(query + 1)]
  return {
    door: 'http',
    method: request.method ?? '',
    path,
    query: rest,
    headers,
    duplicated,
    remote: request.socket.remoteAddress,
    certificateThumbprint: () => thumbprintOf(request.socket),
    body: (bytesMax) => readBody(request, headers, bytesMax),
  }
}

/** A connection has one certificate; it is hashed once. */
const thumbprints = new WeakMap<Socket, string>()

function thumbprintOf(socket: Socket): string | undefined {
  let known = thumbprints.get(socket)
  if (known === undefined && socket instanceof TLSSocket && socket.authorized) {
    const { raw } = socket.getPeerCertificate()
    if (raw !== undefined) thumbprints.set(socket, (known = hash('sha256', raw, 'base64url')))
  }
  return known
}

async function readBody(request: IncomingMessage, headers: Readonly<Record<string, string>>, bytesMax: number): Promise<Buffer> {
  const tooLarge = (): Refusal => new Refusal('BODY_TOO_LARGE', { detail: bytesMax })
  if (Number(headers['content-length'] ?? 0) > bytesMax) throw tooLarge()
  return new Promise((resolve, reject) => {
    let whole: Buffer = Buffer.alloc(0)
    let size = 0
    request.on('data', (chunk: Buffer) => {
      if (size + chunk.length > bytesMax) {
        request.pause()
        return reject(tooLarge())
      }
      // Most bodies are one chunk. Of many small ones each would hold on to the buffer that it came in, so they are copied.
      if (size === 0) whole = chunk
      else {
        if (size + chunk.length > whole.length) whole = grown(whole, size, size + chunk.length)
        chunk.copy(whole, size)
      }
      size += chunk.length
    })
    request.on('end', () => resolve(whole.subarray(0, size)))
    request.on('error', () => reject(new Refusal('CANCELLED')))
  })
}

function grown(buffer: Buffer, used: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(2 * needed, 4096))
  buffer.copy(larger, 0, 0, used)
  return larger
}

function departureOf(response: ServerResponse): Departure {
  const gone = new Stop()
  response.on('close', () => {
    if (!response.writableFinished) gone.stop(new Refusal('CANCELLED'))
  })
  return {
    gone,
    send(status, headers, body = '') {
      if (response.headersSent || response.destroyed) return undefined
      const close = status === 413 ? { connection: 'close' } : {}
      response.writeHead(
        status,
        status === 202 || status === 204 ? { ...headers } : { ...headers, 'content-length': Buffer.byteLength(body), ...close },
      )
      response.end(body)
      return taken(response)
    },
    open(headers) {
      response.writeHead(200, headers)
      response.flushHeaders()
      return outletOf(response, gone)
    },
  }
}

const unreadBytesMax = 65_536
const readWithinMs = 60_000

/** An answer that is not read holds its exchange, and with it a place among the calls of its caller; but not for ever. */
function taken(response: ServerResponse): Promise<undefined> | undefined {
  if ((response.socket?.writableLength ?? 0) <= unreadBytesMax) return undefined
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), readWithinMs).unref()
    response.once('close', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
}

function outletOf(response: ServerResponse, gone: Stop): Outlet {
  return {
    write(text) {
      if (gone.stopped || response.writableEnded || response.write(text)) return undefined
      return drained(response)
    },
    end: () => void response.end(),
    drop: () => void ((response.socket?.writableLength ?? 0) > unreadBytesMax ? response.destroy() : response.end()),
  }
}
