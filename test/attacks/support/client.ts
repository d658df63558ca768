/** Clients that can be made to misbehave: one modern request, one legacy session, and bytes on a socket. */

import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Json } from './echo.ts'

export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The body, or the last event of the stream. */
  readonly json: Json
  /** Every message of the body or stream. */
  readonly all: readonly Json[]
}

export interface Sending {
  readonly method?: string
  /** Undefined values take a usual header away. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body?: string | Buffer
  /** From which loopback address. */
  readonly from?: string
}

const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** One HTTP request with exactly these headers. Not fetch, which will not lie about Host and Origin. */
export function send(url: string, { method = 'POST', headers = {}, body = '', from }: Sending = {}): Promise<Got> {
  const { hostname, port, pathname, search } = new URL(url)
  return new Promise((resolve, reject) => {
    const given = Object.entries({ ...(method === 'POST' ? usual : { accept: usual.accept }), ...headers }).filter(
      ([, value]) => value !== undefined,
    )
    const options = { hostname, port, path: `${pathname}${search}`, method, agent: false, ...(from && { localAddress: from }) }
    const request = httpRequest({ ...options, headers: Object.fromEntries(given) as Record<string, string> }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve(gotFrom(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString('utf8'))),
      )
    })
    request.setTimeout(20_000, () => request.destroy(new Error(`no answer to ${method} ${url} in 20 s`)))
    request.on('error', reject)
    request.end(body)
  })
}

function gotFrom(status: number, headers: Got['headers'], text: string): Got {
  const all = messagesIn(text)
  return { status, headers, text, json: all.at(-1) ?? {}, all }
}

export function messagesIn(text: string): Json[] {
  const texts =
    text.startsWith('{') || text.startsWith('[') ? [text] : [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => data as string)
  return texts.flatMap((one) => {
    try {
      return [JSON.parse(one) as Json]
    } catch {
      return []
    }
  })
}

export const version = '2026-07-28'
const prefix = 'io.modelcontextprotocol/'
export const envelope = (capabilities: Json = {}, client: Json = { name: 'test', version: '1' }): Json => ({
  [`${prefix}protocolVersion`]: version,
  [`${prefix}clientCapabilities`]: capabilities,
  [`${prefix}clientInfo`]: client,
})

export interface Modern {
  readonly id?: string | number
  readonly capabilities?: Json
  readonly client?: Json
  readonly headers?: Sending['headers']
  readonly token?: string | undefined
}
const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` }
const named: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'skills/get': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

/** Headers and body of a modern request, correct in every way that the test does not change. */
export function modernParts(
  method: string,
  params: Json,
  { id = 1, capabilities, client, headers, token }: Modern = {},
): Required<Pick<Sending, 'headers' | 'body'>> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id,
    method,
    params: { ...params, _meta: { ...envelope(capabilities, client), ...(params['_meta'] as Json) } },
  })
  const name = named[method] === undefined ? undefined : params[named[method]]
  const plain = typeof name === 'string' && /^[\x21-\x7e]+$/.test(name) && !name.startsWith('=?base64?')
  const nameHeader =
    typeof name !== 'string' ? {} : { 'mcp-name': plain ? name : `=?base64?${Buffer.from(name).toString('base64')}?=` }
  return { body, headers: { 'mcp-protocol-version': version, 'mcp-method': method, ...nameHeader, ...bearer(token), ...headers } }
}

export const modern = (url: string, method: string, params: Json = {}, options: Modern = {}): Promise<Got> =>
  send(url, modernParts(method, params, options))

export interface LegacyOptions {
  readonly token?: string | undefined
  readonly capabilities?: Json
  readonly protocolVersion?: string
  readonly client?: Json
}

/** A legacy session over HTTP. */
export class Legacy {
  readonly url: string
  readonly token: string | undefined
  session = ''
  opened!: Got
  #id = 0

  private constructor(url: string, token: string | undefined) {
    this.url = url
    this.token = token
  }

  static async open(
    url: string,
    {
      token,
      capabilities = {},
      protocolVersion = '2025-11-25',
      client: clientInfo = { name: 'test', version: '1' },
    }: LegacyOptions = {},
  ): Promise<Legacy> {
    const client = new Legacy(url, token)
    const params = { protocolVersion, capabilities, clientInfo }
    client.opened = await client.raw({ id: 0, method: 'initialize', params })
    client.session = String(client.opened.headers['mcp-session-id'] ?? '')
    await client.raw({ method: 'notifications/initialized' })
    return client
  }

  headers(): Record<string, string> {
    return { ...bearer(this.token), ...(this.session && { 'mcp-session-id': this.session }) }
  }

  raw(message: Json, headers: Sending['headers'] = {}): Promise<Got> {
    return send(this.url, { headers: { ...this.headers(), ...headers }, body: JSON.stringify({ jsonrpc: '2.0', ...message }) })
  }

  call(method: string, params: Json = {}): Promise<Got> {
    return this.raw({ id: ++this.#id, method, params })
  }
}

/** A stream that is being read: what has come so far, and the way to hang up. */
export class Stream {
  status = 0
  text = ''
  ended = false
  headers: Got['headers'] = {}
  readonly #request

  constructor(url: string, { method = 'POST', headers = {}, body = '' }: Sending) {
    const { hostname, port, pathname } = new URL(url)
    const given = { ...(method === 'POST' ? usual : { accept: 'text/event-stream' }), ...headers } as Record<string, string>
    this.#request = httpRequest({ hostname, port, path: pathname, method, agent: false, headers: given }, (response) => {
      this.status = response.statusCode ?? 0
      this.headers = response.headers
      response.on('data', (chunk: Buffer) => {
        this.text += chunk.toString('utf8')
      })
      response.on('error', () => undefined)
      response.on('close', () => {
        this.ended = true
      })
    })
    this.#request.on('error', () => {
      this.ended = true
    })
    this.#request.end(body)
  }

  get messages(): Json[] {
    return messagesIn(this.text)
  }

  close(): void {
    this.#request.destroy()
  }
}

export interface Raw {
  readonly socket: Socket
  /** Everything that came back so far. */
  text(): string
  readonly closed: Promise<void>
  isClosed(): boolean
}

/** A socket with nothing said on it yet. */
export function raw(port: number, host = '127.0.0.1', options: { allowHalfOpen?: boolean; from?: string } = {}): Raw {
  const { from, ...rest } = options
  const socket = connect({ port, host, ...rest, ...(from && { localAddress: from }) })
  const chunks: Buffer[] = []
  let isClosed = false
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      isClosed = true
      resolve()
    }),
  )
  return { socket, closed, isClosed: () => isClosed, text: () => Buffer.concat(chunks).toString('latin1') }
}
