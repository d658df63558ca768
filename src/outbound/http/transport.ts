/** How a request reaches an HTTP server: an undici Pool on the network, or a function in this process. */
import { Pool, ProxyAgent } from 'undici'
import { noProxy } from './no-proxy.ts'

export interface HttpRequest {
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}
export interface HttpResponse {
  readonly status: number
  header(name: string): string | undefined
  readonly body: AsyncIterable<Uint8Array>
  /** Reads what is left and lets it go, so that the connection can be used again. */
  discard(): Promise<void>
}
export interface Transport {
  /** `path` relative to the server's origin; undefined means the configured endpoint itself. */
  send(request: HttpRequest, path?: string): Promise<HttpResponse>
  close(): Promise<void>
}

export interface NetworkOptions {
  readonly url: string
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined; readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined }
    | undefined
  /** PEM contents, not paths, in `tls`; proxy settings as the environment had them. */
  readonly proxy?: { readonly http?: string | undefined; readonly https?: string | undefined; readonly no?: string | undefined } | undefined
  readonly connectTimeoutMs?: number
}

/** Certificate errors always refuse: there is no option that turns verification off. Redirects are not followed. */
export function networkTransport({ url, tls, proxy, connectTimeoutMs = 10_000 }: NetworkOptions): Transport {
  const endpoint = new URL(url)
  const secure = { minVersion: tls?.minVersion ?? 'TLSv1.3', ...(tls?.ca && { ca: tls.ca }), ...(tls?.cert && { cert: tls.cert }), ...(tls?.key && { key: tls.key }) } as const
  const through = noProxy(endpoint, proxy?.no) ? undefined : endpoint.protocol === 'https:' ? proxy?.https : proxy?.http
  const pool = through
    ? new ProxyAgent({ uri: through, requestTls: secure, connectTimeout: connectTimeoutMs, headersTimeout: 0, bodyTimeout: 0 } as ConstructorParameters<typeof ProxyAgent>[0] & object)
    : new Pool(endpoint.origin, { connect: { ...secure, timeout: connectTimeoutMs }, headersTimeout: 0, bodyTimeout: 0, pipelining: 1, connections: null })
  return {
    async send({ method, headers, body, signal }, path = endpoint.pathname + endpoint.search) {
      const response = await pool.request({ origin: endpoint.origin, path, method, headers, body: body ?? null, signal })
      return {
        status: response.statusCode,
        header: (name) => first(response.headers[name]),
        body: response.body,
        discard: async () => void (await response.body.dump()),
      }
    },
    close: () => pool.destroy(),
  }
}

const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)

/** A server in this process: `fetch` as frameworks export it. The URL is only a name; nothing touches the network. */
export function fetchTransport(fetch: (request: globalThis.Request) => Response | Promise<Response>): Transport {
  const endpoint = 'http://localhost/mcp'
  return {
    async send({ method, headers, body, signal }) {
      const request = new Request(endpoint, { method, headers: { ...headers, host: 'localhost' }, signal, ...(body !== undefined && { body }) })
      const response = await fetch(request)
      return {
        status: response.status,
        header: (name) => response.headers.get(name) ?? undefined,
        body: response.body ?? noBody(),
        discard: async () => void (await response.body?.cancel()),
      }
    },
    close: async () => undefined,
  }
}

async function* noBody(): AsyncGenerator<Uint8Array> {}
