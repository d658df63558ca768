/**
 * The door of a stand-in: http or https on loopback, a journal of everything that came, and faults on demand. What answers
 * is a function of the request; it knows neither sockets nor faults.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pair } from './certificates.ts'

export interface Got {
  readonly method: string
  /** Decoded and without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The body as a form; empty when it is none. */
  readonly form: URLSearchParams
}
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}
/** One request, and what came of it. Holds secrets as they were sent: for asserts, never for a log. */
export interface JournalEntry {
  readonly endpoint: string
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly form: Readonly<Record<string, string>>
  readonly body: string
  /** What it was answered with. */
  readonly status: number
}
/** Without a status the real answer is given, but late, in drops or cut off. */
export interface Fault {
  readonly status?: number
  readonly retryAfterSeconds?: number
  /** How many requests it meets; one unless said otherwise, `Infinity` until {@link Listener.heal}. */
  readonly times?: number
  readonly latencyMs?: number
  /** Between one byte and the next. */
  readonly slowDripMs?: number
  /** Half of the body, then the connection breaks. */
  readonly truncated?: boolean
}
export interface Route<Endpoint extends string> {
  readonly endpoint: Endpoint
  answer(got: Got): Reply | Promise<Reply>
}
export interface Door<Endpoint extends string> {
  route(got: Got): Route<Endpoint> | undefined
  /** The body of a fault, as this service words its own. */
  faulty(status: number, endpoint: Endpoint): string
  readonly tls?: Pair
  /** 0: any that is free. */
  readonly port?: number
  readonly host?: '127.0.0.1' | 'localhost'
}
export interface Listener<Endpoint extends string> {
  /** Without a slash at the end. */
  readonly url: string
  readonly journal: readonly JournalEntry[]
  fail(endpoint: Endpoint, fault: Fault): void
  /** Takes back all faults, or those of one endpoint. */
  heal(endpoint?: Endpoint): void
  close(): Promise<void>
}

const bodyBytesMax = 1_000_000
/** A page of somebody else that had its name point here (DNS rebinding) is not served: there are no passwords to stop it. */
const ownHost = /^(127\.0\.0\.1|localhost)(:\d+)?$/
const cut = Symbol('the body has to be cut')

export async function listen<Endpoint extends string>(door: Door<Endpoint>): Promise<Listener<Endpoint>> {
  const journal: JournalEntry[] = []
  const faults = new Map<Endpoint, { fault: Fault; left: number }[]>()

  const nextFault = (endpoint: Endpoint): Fault => {
    const waiting = faults.get(endpoint) ?? []
    const first = waiting[0]
    if (first === undefined) return {}
    if (--first.left <= 0) waiting.shift()
    return first.fault
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const got = await read(request)
    const route = ownHost.test(got.headers['host'] ?? '') ? door.route(got) : undefined
    const fault = route === undefined ? {} : nextFault(route.endpoint)
    const reply = route === undefined ? { status: 404 } : await answered(route, got, fault)
    const { method, path, headers, body } = got
    const entry = { method, path, headers, body, query: Object.fromEntries(got.query), form: Object.fromEntries(got.form) }
    journal.push({ ...entry, endpoint: route?.endpoint ?? 'none', status: reply.status })
    if (fault.latencyMs !== undefined) await delay(fault.latencyMs)
    await send(response, reply, fault)
  }

  async function answered(route: Route<Endpoint>, got: Got, { status, retryAfterSeconds }: Fault): Promise<Reply> {
    if (status === undefined) return route.answer(got)
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
    return { status, headers: { ...headers, ...retry }, body: door.faulty(status, route.endpoint) }
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent && error !== cut) response.writeHead(500, { 'content-type': 'text/plain' })
      if (error === cut) response.destroy()
      else response.end(`the stand-in itself failed: ${(error as Error).stack}`)
    })
  }
  const server = door.tls === undefined ? createHttpServer(onRequest) : createHttpsServer(door.tls, onRequest)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(door.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `${door.tls === undefined ? 'http' : 'https'}://${door.host ?? '127.0.0.1'}:${port}`,
    journal,
    fail: (endpoint, fault) => {
      faults.set(endpoint, [...(faults.get(endpoint) ?? []), { fault, left: fault.times ?? 1 }])
    },
    heal: (endpoint) => {
      if (endpoint === undefined) faults.clear()
      else faults.delete(endpoint)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const json = (value: unknown, status = 200, headers: Reply['headers'] = {}): Reply => ({
  status,
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store, no-cache',
    pragma: 'no-cache',
    ...headers,
  },
  body: JSON.stringify(value),
})

async function read(request: IncomingMessage): Promise<Got> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) throw cut
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks).toString('utf8')
  const url = new URL(request.url ?? '/', 'http://stand-in')
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  const form = new URLSearchParams(isForm ? body : '')
  return { method: request.method ?? 'GET', path: decoded(url.pathname), query: url.searchParams, headers, body, form }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

async function send(response: ServerResponse, { status, headers = {}, body = '' }: Reply, fault: Fault): Promise<void> {
  const bytes = Buffer.from(body, 'utf8')
  response.writeHead(status, { ...headers, 'content-length': bytes.length } as Record<string, string | string[] | number>)
  const shown = fault.truncated ? bytes.subarray(0, bytes.length >> 1) : bytes
  if (fault.slowDripMs !== undefined)
    for (const byte of shown) {
      if (response.destroyed) return
      response.write(Buffer.from([byte]))
      await delay(fault.slowDripMs)
    }
  else response.write(shown)
  if (!fault.truncated) return void response.end()
  // What was written has to be on its way before the connection breaks, or the caller would not even see half.
  await new Promise<void>((resolve) => response.write('', () => resolve()))
  throw cut
}
