/**
 * Clients: the two official SDKs in the three ways they speak, behind one face. Each declares sampling, elicitation and
 * roots, answers what it is asked, and keeps what it was told.
 */
import {
  type ClientOptions,
  Client as ClientTwo,
  StreamableHTTPClientTransport as HttpTwo,
  LOG_LEVEL_META_KEY,
} from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioTwo } from '@modelcontextprotocol/client/stdio'
import { Client as ClientOne } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioOne } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpOne } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport as TransportOne } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'

export const flavours = ['SDK 1', 'SDK 2 legacy', 'SDK 2 modern'] as const
export type Flavour = (typeof flavours)[number]

/** A URL for Streamable HTTP, on the network or in this process; or a command to speak stdio with. */
export type Address = string | Inside | Local
interface Inside {
  readonly url: string
  readonly fetch: typeof fetch
  readonly headers?: Record<string, string>
}
interface Local {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env?: Record<string, string>
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Modern only: the log level of this one request. */
  readonly logLevel?: 'debug' | 'info'
  onprogress?(): void
}
export interface Result {
  readonly text: string
  readonly isError: boolean
  /** Everything that came, as it came. */
  readonly raw: Record<string, unknown>
}
export interface Notice {
  readonly method: string
  readonly params: Record<string, unknown>
}
export interface Peer {
  readonly flavour: Flavour
  readonly era: 'legacy' | 'modern'
  readonly client: ClientOne | ClientTwo
  readonly notices: readonly Notice[]
  /** The progress it was told of, as it came. (The SDKs lose what stands right before the response on stdio.) */
  readonly progress: readonly Notice['params'][]
  /** Methods of the questions it answered. */
  readonly asked: readonly string[]
  version(): string | undefined
  tools(): Promise<readonly string[]>
  call(name: string, given?: Record<string, unknown>, options?: CallOptions): Promise<Result>
  /** Hears of changes from now on, in the way of its era. */
  follow(uri: string): Promise<void>
  close(): Promise<void>
}

const capabilities = { sampling: {}, elicitation: { form: {} }, roots: { listChanged: true } }
const info = { name: 'sekisho-e2e', version: '1.0.0' }
const said = { role: 'assistant' as const, content: { type: 'text' as const, text: 'The model says yes.' }, model: 'none' }
const filled = { action: 'accept' as const, content: { username: 'ada', email: 'ada@example.com' } }
const roots = { roots: [{ uri: 'file:///home/ada', name: 'home' }] }

export async function connect(flavour: Flavour, address: Address, offers: object = capabilities): Promise<Peer> {
  return flavour === 'SDK 1' ? connectOne(address, offers) : connectTwo(flavour, address, offers)
}

async function connectOne(address: Address, offers: object): Promise<Peer> {
  const { peer, notices, asked, listenIn } = blank()
  const client = new ClientOne(info, { capabilities: offers })
  client.fallbackNotificationHandler = async ({ method, params }) => void notices.push({ method, params: params ?? {} })
  if ('sampling' in offers) client.setRequestHandler(CreateMessageRequestSchema, () => (asked.push('sampling'), said))
  if ('elicitation' in offers) client.setRequestHandler(ElicitRequestSchema, () => (asked.push('elicitation'), filled))
  if ('roots' in offers) client.setRequestHandler(ListRootsRequestSchema, () => (asked.push('roots'), roots))
  const transport = isLocal(address) ? new StdioOne(spread(address)) : new HttpOne(...endpoint(address))
  let version: string | undefined
  const watched = Object.assign(transport, { setProtocolVersion: around(transport, (spoken) => (version = spoken)) })
  await client.connect(watched as TransportOne)
  listenIn(transport)
  return {
    ...peer,
    flavour: 'SDK 1',
    era: 'legacy',
    client,
    version: () => version,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, given = {}, options = {}) =>
      resultOf(await client.callTool({ name, arguments: given }, CallToolResultSchema, options)),
    follow: async (uri) => void (await client.subscribeResource({ uri })),
    close: () => client.close(),
  }
}

async function connectTwo(flavour: 'SDK 2 legacy' | 'SDK 2 modern', address: Address, offers: object): Promise<Peer> {
  const { peer, notices, asked, listenIn } = blank()
  const era = flavour === 'SDK 2 modern' ? 'modern' : 'legacy'
  const versionNegotiation = { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } as const
  const client = new ClientTwo(info, { capabilities: offers, versionNegotiation } as ClientOptions)
  client.fallbackNotificationHandler = async ({ method, params }) =>
    void notices.push({ method, params: (params ?? {}) as Notice['params'] })
  if ('sampling' in offers) client.setRequestHandler('sampling/createMessage', () => (asked.push('sampling'), said))
  if ('elicitation' in offers) client.setRequestHandler('elicitation/create', () => (asked.push('elicitation'), filled))
  if ('roots' in offers) client.setRequestHandler('roots/list', () => (asked.push('roots'), roots))
  const transport = isLocal(address) ? new StdioTwo(spread(address)) : new HttpTwo(...endpoint(address))
  await client.connect(transport)
  listenIn(transport)
  return {
    ...peer,
    flavour,
    era,
    client,
    version: () => client.getNegotiatedProtocolVersion(),
    tools: async () => (await client.listTools({}, { cacheMode: 'refresh' })).tools.map(({ name }) => name),
    call: async (name, given = {}, { logLevel, ...options } = {}) => {
      const _meta = logLevel && { _meta: { [LOG_LEVEL_META_KEY]: logLevel } }
      return resultOf(await client.callTool({ name, arguments: given, ..._meta }, options))
    },
    follow: async (uri) => {
      if (era === 'legacy') await client.subscribeResource({ uri })
      else await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] })
    },
    close: () => client.close(),
  }
}

function blank() {
  const notices: Notice[] = []
  const asked: string[] = []
  const progress: Notice['params'][] = []
  const listenIn = (transport: object): void => {
    const hearing = transport as { onmessage?: (message: Partial<Notice>, ...rest: unknown[]) => void }
    const { onmessage } = hearing
    hearing.onmessage = (message, ...rest) => {
      if (message.method === 'notifications/progress') progress.push(message.params ?? {})
      onmessage?.(message, ...rest)
    }
  }
  return { peer: { notices, asked, progress }, notices, asked, listenIn }
}

const isLocal = (address: Address): address is Local => typeof address === 'object' && 'command' in address

function endpoint(address: string | Inside): [URL, { fetch?: typeof fetch; requestInit?: RequestInit }] {
  if (typeof address === 'string') return [new URL(address), {}]
  return [new URL(address.url), { fetch: address.fetch, requestInit: { headers: address.headers ?? {} } }]
}

function spread({ command: [file, ...args], cwd, env }: Local) {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  return { command: file as string, args, cwd, env: { ...inherited, ...env }, stderr: 'ignore' as const }
}

const around = (transport: object, seen: (version: string) => void) => (version: string) => {
  seen(version)
  Object.getPrototypeOf(transport).setProtocolVersion?.call(transport, version)
}

function resultOf(raw: object): Result {
  const { content, isError } = raw as { content?: { text?: string }[]; isError?: boolean }
  return { text: (content ?? []).map((part) => part.text ?? '').join('\n'), isError: isError === true, raw: raw as Result['raw'] }
}

/**
 * The code of the gateway's own no, from an error or a result; undefined where it was not the gateway that refused. (SDK 2
 * knows a JSON-RPC error at HTTP 400 only, and gives the text of every other status as it came.)
 */
export async function refusalOf(outcome: Promise<unknown>): Promise<string | undefined> {
  const { message, data, raw } = (await outcome.catch((error: unknown) => error)) as {
    message?: string
    data?: object
    raw?: object
  }
  return /"dev\.sekisho\/refusal":\{"code":"([A-Z_]+)"/.exec(JSON.stringify([data, raw]) + message)?.[1]
}
