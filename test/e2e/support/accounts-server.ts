/**
 * An MCP server at which people have accounts of their own, with an authorization server that nobody here wrote
 * (oidc-provider) and its login and consent forms. Its one tool says whose account it was called with. It is at `localhost`,
 * so that its cookies are not those of what is at 127.0.0.1.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import Provider from 'oidc-provider'

export interface AccountsServer {
  readonly url: string
  readonly origin: string
  /** The access tokens that it was shown, oldest first. */
  readonly shown: readonly string[]
  /** The forms that its token endpoint got. */
  readonly posted: readonly URLSearchParams[]
  close(): Promise<void>
}

const json = (response: ServerResponse, value: object, status = 200, headers: Record<string, string> = {}): void =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

export async function startAccountsServer(): Promise<AccountsServer> {
  const shown: string[] = []
  const posted: URLSearchParams[] = []
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const url = `${origin}/mcp`
  const provider = new Provider(origin, {
    features: {
      registration: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'notes',
          audience: resource,
          accessTokenTTL: 3600,
          accessTokenFormat: 'jwt' as const,
        }),
      },
    },
    scopes: ['notes', 'openid', 'offline_access'],
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    cookies: { keys: ['only for this test'] },
  })
  const authorize = provider.callback()

  async function mcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { id, method } = JSON.parse((await bodyOf(request)) || '{}') as { id?: unknown; method?: string }
    const token = request.headers.authorization?.slice('Bearer '.length)
    if (token !== undefined) shown.push(token)
    const keys = createLocalJWKSet((await (await fetch(`${origin}/jwks`)).json()) as JSONWebKeySet)
    const isGood = await jwtVerify(token ?? '', keys, { issuer: origin, audience: url }).then(
      () => true,
      () => false,
    )
    if (!isGood)
      return json(response, {}, 401, {
        'www-authenticate': `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp", scope="notes"`,
      })
    if (id === undefined) return void response.writeHead(202).end()
    const text = String(decodeJwt(token as string).sub)
    const common = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
    const results: Record<string, object> = {
      'server/discover': { ...common, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
      'tools/list': { ...common, tools: [{ name: 'whoami', inputSchema: { type: 'object' } }] },
      'tools/call': { resultType: 'complete', content: [{ type: 'text', text }] },
    }
    const result = results[method ?? '']
    const message = { jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'no' } }) }
    json(response, message, result ? 200 : 404)
  }

  answer = (request, response) => {
    const { pathname } = new URL(request.url ?? '', origin)
    if (pathname === '/mcp') return mcp(request, response)
    if (pathname === '/.well-known/oauth-protected-resource/mcp')
      return json(response, { resource: url, authorization_servers: [origin], scopes_supported: ['notes'] })
    if (pathname === '/token') {
      const copy: Buffer[] = []
      request.on('data', (chunk: Buffer) => copy.push(chunk))
      request.on('end', () => posted.push(new URLSearchParams(Buffer.concat(copy).toString())))
    }
    return authorize(request, response)
  }
  return {
    url,
    origin,
    shown,
    posted,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
