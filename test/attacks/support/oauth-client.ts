/** What an MCP client says to an authorization server: registration, the authorization request, the token endpoint. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { Fetch, FrontHouse } from './front-house.ts'
import { type Page, Surfer } from './surfer.ts'

export interface Wanted {
  readonly url: string
  readonly verifier: string
}

/** An authorization request as a well-behaved client makes it; a parameter that is undefined is left out. */
export function authorization(
  base: string,
  clientId: string,
  redirectUri: string,
  changes: Record<string, string | undefined> = {},
): Wanted {
  const verifier = randomBytes(32).toString('base64url')
  const all: Record<string, string | undefined> = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'mcp:read',
    resource: `${base}/x/mcp`,
    state: 'state-of-the-client',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  }
  const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return { url: `${base}/oauth/authorize?${new URLSearchParams(given)}`, verifier }
}

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export async function register(fetchIt: Fetch, base: string, metadata: object): Promise<Answer> {
  const response = await fetchIt(`${base}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

export async function token(
  fetchIt: Fetch,
  base: string,
  fields: Record<string, string | undefined>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const given = Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const response = await fetchIt(`${base}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(given).toString(),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** Where clients of these tests are; nobody is asked there, except by a real browser. */
export const loopback = 'http://127.0.0.1:9999/cb'
/** Whose page is left out the second time, as it is not for a program on the person's machine (RFC 8252, 8.6). */
export const website = 'https://app.client.test/cb'

/** A client that has registered itself at the house. */
export class Client {
  readonly id: string
  readonly redirectUri: string
  readonly house: FrontHouse
  constructor(house: FrontHouse, id: string, redirectUri: string) {
    this.house = house
    this.id = id
    this.redirectUri = redirectUri
  }

  static async register(house: FrontHouse, metadata: object = {}, redirectUri = loopback): Promise<Client> {
    const { status, body } = await register(house.fetch, house.base, {
      client_name: 'Editor',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      ...metadata,
    })
    assert.equal(status, 201, JSON.stringify(body))
    return new Client(house, String(body['client_id']), redirectUri)
  }

  authorization(changes: Record<string, string | undefined> = {}): Wanted {
    return authorization(this.house.base, this.id, this.redirectUri, changes)
  }

  /** Through all pages, as a person who agrees to everything. */
  async login(
    surfer = new Surfer(this.house.fetch),
    changes: Record<string, string | undefined> = {},
    username?: string,
  ): Promise<Login> {
    const wanted = this.authorization(changes)
    const page = await surfer.agree(wanted.url, username)
    return { ...wanted, page, surfer, code: page.url.searchParams.get('code') ?? '' }
  }

  redeem(
    { code, verifier }: Pick<Login, 'code' | 'verifier'>,
    changes: Record<string, string | undefined> = {},
  ): Promise<Answer> {
    return token(this.house.fetch, this.house.base, {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: this.redirectUri,
      client_id: this.id,
      resource: `${this.house.base}/x/mcp`,
      ...changes,
    })
  }

  refresh(refreshToken: unknown, changes: Record<string, string | undefined> = {}): Promise<Answer> {
    return token(this.house.fetch, this.house.base, {
      grant_type: 'refresh_token',
      refresh_token: String(refreshToken),
      client_id: this.id,
      ...changes,
    })
  }

  /** Tokens of a new login. */
  async tokens(surfer?: Surfer, username?: string): Promise<Readonly<Record<string, unknown>>> {
    const { status, body } = await this.redeem(await this.login(surfer, {}, username))
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
}

export interface Login extends Wanted {
  readonly page: Page
  readonly surfer: Surfer
  /** Empty where none came. */
  readonly code: string
}
