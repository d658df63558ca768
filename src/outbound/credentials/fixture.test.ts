/** What the tests of this folder stand on: a world of web pages in this process, a clock by hand, a store in memory. */
import type { Clock } from '../../lib/clock.ts'
import { Secret } from '../../lib/secret.ts'
import { plainPrincipal } from '../../pipeline/parcel.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import type { BrokerOptions } from './broker.ts'
import type { OutsideFetch, TokenStore } from './credential.ts'
import { type CredentialConfig, credentialSchema } from './schema.ts'

export const alice = plainPrincipal('api-key', 'key:alice')
export const bob = plainPrincipal('api-key', 'key:bob')
export const serverUrl = 'https://crm.example/mcp'
export const issuer = 'https://as.example'

export interface Asked {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly form: URLSearchParams
  readonly body: string
}
export type Page = object | ((asked: Asked) => Response | object | Promise<Response | object>)

export class World {
  readonly asked: Asked[] = []
  /** `https://as.example/token` → what is answered there. A page that is an object is JSON. */
  readonly pages: Record<string, Page>
  nowMs = 1_800_000_000_000
  readonly lines: string[] = []
  readonly kept = new Map<string, string>()

  constructor(pages: Record<string, Page> = {}) {
    this.pages = pages
  }

  readonly clock: Clock = { now: () => this.nowMs, monotonic: () => this.nowMs }
  readonly store: TokenStore = {
    get: async (key) => this.kept.get(JSON.stringify(key)),
    put: async (key, value) => void this.kept.set(JSON.stringify(key), value),
    delete: async (key) => void this.kept.delete(JSON.stringify(key)),
  }

  readonly fetch: OutsideFetch = async (url, { method = 'GET', headers = {}, body = '' } = {}) => {
    const asked = { url: String(url), method, headers, body: String(body), form: new URLSearchParams(String(body)) }
    this.asked.push(asked)
    const page = this.pages[asked.url]
    if (page === undefined) return new Response('nothing here', { status: 404 })
    const answer = typeof page === 'function' ? await (page as (asked: Asked) => Response | object)(asked) : page
    return answer instanceof Response ? answer : Response.json(answer)
  }

  options(more: Partial<BrokerOptions> = {}): BrokerOptions {
    return {
      wayOut: () => this.fetch,
      clock: this.clock,
      random: () => 0.5,
      store: this.store,
      consent: { redirectUri: 'https://gw.example/callback', connectUrl: (server) => `https://gw.example/connect/${server}` },
      subjectToken: async () => undefined,
      log: (server, line) => void this.lines.push(`${server} ${line}`),
      ...more,
    }
  }

  /** The forms that were posted to `url`, oldest first. */
  posts(url: string): Record<string, string>[] {
    return this.asked.filter((one) => one.url === url && one.method === 'POST').map(({ form }) => Object.fromEntries(form))
  }
}

/** As the schema completes it, with `values` in place of what the references point to. */
export function configured(given: object, values: Readonly<Record<string, string>> = {}): CredentialConfig {
  const filled = (part: object): object =>
    Object.fromEntries(
      Object.entries(part).map(([key, value]: [string, unknown]) => {
        if (value instanceof Secret) return [key, new Secret(value.reference, values[value.reference] ?? 's3cr3t')]
        return [key, typeof value === 'object' && value !== null ? filled(value) : value]
      }),
    )
  return filled(credentialSchema.parse(given)) as CredentialConfig
}

let count = 0
export const token = (more: object = {}): object => ({
  access_token: `token-${++count}`,
  token_type: 'Bearer',
  expires_in: 3600,
  ...more,
})
export const failure = (status: number, error: string, more: object = {}, headers: Record<string, string> = {}): Response =>
  Response.json({ error, error_description: 'the secret is hunter2', ...more }, { status, headers })

/** The metadata of a server and its authorization server, as they should be. */
export const metadata = (more: object = {}): Record<string, Page> => ({
  'https://crm.example/.well-known/oauth-protected-resource/mcp': { resource: serverUrl, authorization_servers: [issuer] },
  [`${issuer}/.well-known/oauth-authorization-server`]: {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    authorization_response_iss_parameter_supported: true,
    ...more,
  },
})

/** The code and facts of the refusal that `act` ends in; a success is a failure of the test. */
export async function refusalOf(
  act: () => unknown,
): Promise<{ code: string; detail?: unknown; cause?: unknown; says: string } & Record<string, unknown>> {
  try {
    await act()
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, says: error.message, ...error.facts }
    throw error
  }
  throw new Error('it was not refused')
}
