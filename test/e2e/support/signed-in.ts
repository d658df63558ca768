/**
 * The official SDK's client as a program that logs its user in: its OAuth provider interface, kept in memory, and a person
 * who is sent to the browser when it asks for one.
 */
import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import type { Clicks, Landing, Person } from './person.ts'

const callback = 'http://127.0.0.1:9/callback'

/** What one program remembers of one server. */
export class Memory implements OAuthClientProvider {
  readonly redirectUrl: string
  readonly clientMetadata
  client: StoredOAuthClientInformation | undefined
  held: StoredOAuthTokens | undefined
  /** What it asks for besides, when it sends its user to the browser. */
  asks: Readonly<Record<string, string>> = {}
  /** Where it last wanted to send its user. */
  sentTo: URL | undefined
  #verifier = ''
  #discovered: OAuthDiscoveryState | undefined

  constructor(name: string, redirectUrl: string = callback) {
    this.redirectUrl = redirectUrl
    this.clientMetadata = {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }
  }
  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.client
  }
  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.client = client
  }
  tokens(): StoredOAuthTokens | undefined {
    return this.held
  }
  saveTokens(tokens: StoredOAuthTokens): void {
    this.held = tokens
  }
  redirectToAuthorization(url: URL): void {
    for (const [name, value] of Object.entries(this.asks)) url.searchParams.set(name, value)
    this.sentTo = url
  }
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }
  codeVerifier(): string {
    return this.#verifier
  }
  invalidateCredentials(what: string): void {
    if (what === 'all' || what === 'client') this.client = undefined
    if (what === 'all' || what === 'tokens') this.held = undefined
  }
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovered = state
  }
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovered
  }
}

export type Era = 'legacy' | 'modern'
export interface Called {
  readonly text: string
  readonly isError: boolean
}

export class SignedIn {
  readonly memory: Memory
  readonly person: Person
  /** Each time the person was sent to the browser, newest last. */
  readonly landings: Landing[] = []
  readonly #url: string
  readonly #era: Era
  #transport: StreamableHTTPClientTransport
  #client: Client

  private constructor(url: string, person: Person, era: Era, memory: Memory) {
    this.#url = url
    this.#era = era
    this.person = person
    this.memory = memory
    this.#transport = this.#newTransport()
    this.#client = this.#newClient()
  }

  /** Connected; `memory` of an earlier one is a program that is started again. */
  static async open(
    url: string,
    person: Person,
    era: Era,
    memory: Memory = new Memory('Try'),
    clicks: Clicks = {},
  ): Promise<SignedIn> {
    const one = new SignedIn(url, person, era, memory)
    await one.#connect(clicks)
    return one
  }

  /** Calls a tool, and follows to the browser where that is asked for. */
  async call(name: string, given: Record<string, unknown> = {}, clicks: Clicks = {}): Promise<Called> {
    const ask = async (): Promise<Called> => {
      const { content, isError } = await this.#client.callTool({ name, arguments: given })
      return { text: (content as { text?: string }[]).map(({ text }) => text ?? '').join('\n'), isError: isError === true }
    }
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error
      await this.#authorize(clicks)
      return ask()
    }
  }

  async tools(): Promise<readonly string[]> {
    return (await this.#client.listTools({}, { cacheMode: 'refresh' })).tools.map(({ name }) => name)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #connect(clicks: Clicks): Promise<void> {
    try {
      await this.#client.connect(this.#transport)
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error
      await this.#authorize(clicks)
      this.#transport = this.#newTransport()
      this.#client = this.#newClient()
      await this.#client.connect(this.#transport)
    }
  }

  async #authorize(clicks: Clicks): Promise<void> {
    const landing = await this.person.visit(this.memory.sentTo as URL, clicks)
    this.landings.push(landing)
    if (landing.url === undefined) throw new Error(`the browser ended on "${landing.pages.at(-1)?.text}"`)
    await this.#transport.finishAuth(landing.url.searchParams)
  }

  #newTransport(): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(new URL(this.#url), { authProvider: this.memory })
  }

  #newClient(): Client {
    const mode = this.#era === 'modern' ? { pin: '2026-07-28' } : 'legacy'
    return new Client({ name: 'sekisho-e2e', version: '1.0.0' }, { versionNegotiation: { mode } } as never)
  }
}

const part = (token: string, at: 0 | 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
export const headerIn = (token: string): Record<string, unknown> => part(token, 0)
export const claimsIn = (token: string): Record<string, unknown> => part(token, 1)
