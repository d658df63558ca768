/** How a request reaches an HTTP server: an undici Pool on the network, or a function in this process. */
import type { ConnectionOptions } from 'node:tls'
import { type Dispatcher, Pool, ProxyAgent } from 'undici'
import { allBytes } from '../../lib/all-bytes.ts'
import { bypassesProxy } from '../../lib/no-proxy.ts'
import { type Stop, unlessStopped } from '../../lib/stop.ts'
import { Incoming } from './incoming.ts'

export interface HttpRequest {
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly stop: Stop
}
export interface HttpResponse {
  readonly status: number
  header(name: string): string | undefined
  /** The body as it comes; stopping to read it slows the server down. */
  readonly body: AsyncIterable<Uint8Array>
  /** The whole body. Rejects with `tooLong` above `bytesMax`. */
  bytes(bytesMax: number, tooLong: () => Error): Promise<Buffer>
  /** Lets the rest go. */
  discard(): void
}
export interface Transport {
  /** `path` relative to the server's origin; undefined means the configured endpoint itself. Rejects when it is stopped before the head. */
  send(request: HttpRequest, path?: string): Promise<HttpResponse>
  close(): Promise<void>
}

export interface NetworkOptions {
  readonly url: string
  /** Further doubts about whoever answers, as `tls.connect` takes them. */
  readonly checkServerIdentity?: ConnectionOptions['checkServerIdentity'] | undefined
  /** PEM contents, not paths. */
  readonly tls?:
    | {
        readonly ca?: string | undefined
        readonly cert?: string | undefined
        readonly key?: string | undefined
        readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
      }
    | undefined
  /** Proxy settings as the environment had them. */
  readonly proxy?:
    | { readonly http?: string | undefined; readonly https?: string | undefined; readonly no?: string | undefined }
    | undefined
}

const connectTimeoutMs = 10_000
/** Timeouts are the links' business: a stream may be silent for an hour. */
const patient = { headersTimeout: 0, bodyTimeout: 0 } as const

/** Certificate errors always refuse: there is no option that turns verification off. Redirects are not followed. */
export function networkTransport({ url, tls, proxy, checkServerIdentity }: NetworkOptions): Transport {
  const { origin, pathname, search, protocol } = new URL(url)
  const secure = {
    rejectUnauthorized: true, // said aloud, or NODE_TLS_REJECT_UNAUTHORIZED=0 would be the option that turns it off
    minVersion: tls?.minVersion ?? 'TLSv1.3',
    ...(tls?.ca && { ca: tls.ca }),
    ...(tls?.cert && { cert: tls.cert }),
    ...(tls?.key && { key: tls.key }),
    ...(checkServerIdentity && { checkServerIdentity }),
  } as const
  const through = bypassesProxy(new URL(url), proxy?.no) ? undefined : protocol === 'https:' ? proxy?.https : proxy?.http
  const dispatcher: Dispatcher = through
    ? new ProxyAgent({
        uri: through,
        requestTls: { ...secure, timeout: connectTimeoutMs },
        proxyTls: { rejectUnauthorized: true },
        ...patient,
      } as ProxyAgent.Options)
    : new Pool(origin, { connect: { ...secure, timeout: connectTimeoutMs }, ...patient, pipelining: 1, connections: null })
  return {
    send({ method, headers, body, stop }, path = pathname + search) {
      const incoming = new Incoming(stop)
      dispatcher.dispatch({ origin, path, method, headers, body: body ?? null }, incoming)
      return incoming.head
    },
    close: () => dispatcher.destroy(),
  }
}

/** A server in this process: `fetch` as frameworks export it. The URL is only a name; nothing touches the network. */
export function fetchTransport(fetch: (request: globalThis.Request) => Response | Promise<Response>): Transport {
  const endpoint = 'http://localhost/mcp'
  return {
    async send({ method, headers, body, stop }) {
      const abort = new AbortController()
      const request = new Request(endpoint, {
        method,
        headers: { ...headers, host: 'localhost' },
        signal: abort.signal,
        ...(body !== undefined && { body }),
      })
      const letGo = (): void => abort.abort(stop.reason)
      const over = (): void => stop.offStop(letGo)
      stop.onStop(letGo)
      try {
        // A function may not look at its signal; then it is left to itself.
        return fetched(await unlessStopped(stop, Promise.resolve(fetch(request))), stop, over)
      } catch (error) {
        over()
        throw error
      }
    },
    close: async () => undefined,
  }
}

/** `over` is told when nothing more of it is wanted. */
function fetched(response: Response, stop: Stop, over: () => void): HttpResponse {
  const body = chunksOf(response, stop, over)
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body,
    async bytes(bytesMax, tooLong) {
      return allBytes(body, bytesMax, tooLong)
    },
    discard() {
      over()
      void response.body?.cancel().catch(() => undefined)
    },
  }
}

/** A body, let go of as soon as nobody wants it: its source may be waiting for just that. */
async function* chunksOf({ body }: Response, stop: Stop, over: () => void): AsyncGenerator<Uint8Array> {
  if (body === null) return over()
  const reader = body.getReader()
  const letGo = (): void => void reader.cancel(stop.reason).catch(() => undefined)
  stop.onStop(letGo)
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value
  } finally {
    stop.offStop(letGo)
    letGo()
    over()
  }
}
