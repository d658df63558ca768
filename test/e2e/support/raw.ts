/** A client that sends what it is told to and reads what comes, with no SDK between: for what an SDK would never send. */

export interface Message {
  readonly jsonrpc?: string
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> }
}
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Everything that came back, batches taken apart, from JSON or from an event stream. */
  readonly messages: readonly Message[]
  /** The response, where there is one only. */
  readonly only: Message
  readonly body: string
}

/** The code of the gateway's own no, as an error or as a tool's result; undefined where it was not the gateway that refused. */
export function refusalIn({ error, result }: Message): string | undefined {
  const meta = (error?.data ?? result?.['_meta'] ?? {}) as Record<string, { readonly code: string } | undefined>
  return meta['dev.sekisho/refusal']?.code
}
/** The text of a tool's result. */
export const textIn = ({ result }: Message): string =>
  ((result?.['content'] as { text: string }[] | undefined) ?? []).map(({ text }) => text).join('\n')

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} }, sampling: {}, roots: {} },
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
}

export class Raw {
  readonly #url: string
  readonly #fetch: Fetch
  #nextId = 0
  session: string | undefined
  version: string | undefined

  constructor(url: string, fetch: Fetch = globalThis.fetch) {
    this.#url = url
    this.#fetch = fetch
  }

  async post(body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Answer> {
    const response = await this.#fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...(signal && { signal }),
    })
    const text = await response.text()
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
    const parts = isStream ? [...text.matchAll(/^data: ?(\S.*)$/gm)].map(([, data]) => data as string) : text === '' ? [] : [text]
    const messages = parts.flatMap((part) => JSON.parse(part) as Message | Message[])
    const only = messages.find((message) => message.method === undefined) ?? {}
    return { status: response.status, headers: response.headers, messages, only, body: text }
  }

  request(method: string, params: object = {}): Message {
    return { jsonrpc: '2.0', id: ++this.#nextId, method, params: params as Record<string, unknown> }
  }

  /** Begins a session of the legacy era; gives the answer to `initialize`. */
  async open(version: string, capabilities: object = {}): Promise<Answer> {
    const answer = await this.post(
      this.request('initialize', { protocolVersion: version, capabilities, clientInfo: { name: 'raw', version: '1' } }),
    )
    this.session = answer.headers.get('mcp-session-id') ?? undefined
    this.version = answer.only.result?.['protocolVersion'] as string | undefined
    if (this.session !== undefined) await this.legacy({ jsonrpc: '2.0', method: 'notifications/initialized' })
    return answer
  }

  /** Within the session. */
  legacy(body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Answer> {
    const session = this.session === undefined ? {} : { 'mcp-session-id': this.session }
    const version = this.version !== undefined && this.version >= '2025-06-18' ? { 'mcp-protocol-version': this.version } : {}
    return this.post(body, { ...session, ...version, ...headers }, signal)
  }

  /** Ends the session. */
  async end(): Promise<number> {
    return (await this.#fetch(this.#url, { method: 'DELETE', headers: { 'mcp-session-id': this.session ?? '' } })).status
  }

  /** A request of 2026-07-28, complete in itself, with the headers it needs. */
  modern(
    method: string,
    params: { readonly name?: string; readonly uri?: string; readonly [member: string]: unknown } = {},
    signal?: AbortSignal,
  ): Promise<Answer> {
    const named = params.name ?? params.uri
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(named !== undefined && { 'mcp-name': named }),
    }
    return this.post(this.modernMessage(method, params), headers, signal)
  }

  modernMessage(method: string, params: object = {}): Message {
    return this.request(method, { ...params, _meta: modernMeta })
  }
}
