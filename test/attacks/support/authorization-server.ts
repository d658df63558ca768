/** An authorization server that nobody here wrote (oidc-provider), and an upstream that takes only tokens that are for it. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import Provider from 'oidc-provider'
import { type Echo, type EchoOptions, echo } from './echo.ts'

export const secret = 'the-secret-of-the-gateway-at-its-authorization-server'

export interface Journal {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
export interface AuthorizationServer {
  readonly issuer: string
  /** Requests as they came, oldest first. */
  readonly heard: readonly Journal[]
  keys(): Promise<JSONWebKeySet>
  close(): Promise<void>
}

/** Tokens are JWTs for one resource each (RFC 8707). */
export async function authorizationServer(lifeS = 3600): Promise<AuthorizationServer> {
  const heard: Journal[] = []
  let answer: RequestListener = (_, response) => void response.writeHead(503).end()
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')))
    request.on('end', () => heard.push({ line: `${request.method} ${request.url}`, headers: request.headers, body }))
    answer(request, response)
  })
  server.unref()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'sekisho',
        client_secret: secret,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'mcp',
          audience: resource,
          accessTokenTTL: lifeS,
          accessTokenFormat: 'jwt' as const,
        }),
      },
    },
  })
  answer = provider.callback()
  return {
    issuer,
    heard,
    keys: async () => (await (await fetch(`${issuer}/jwks`)).json()) as JSONWebKeySet,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A server that checks signature, issuer and audience, as it should (MCP 2026-07-28, Token Handling). */
export async function guarded({ issuer, keys }: AuthorizationServer, options: EchoOptions = {}): Promise<Echo> {
  const keySet = createLocalJWKSet(await keys())
  const upstream: Echo = await echo({
    ...options,
    listen: (listener) =>
      createServer((request, response) => {
        const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
        jwtVerify(token, keySet, { issuer, audience: upstream.url }).then(
          () => listener(request, response),
          () => {
            upstream.heard.push({
              line: `${request.method} ${request.url}`,
              headers: request.headers,
              rawHeaders: [...request.rawHeaders],
              body: '',
              message: {},
            })
            request.resume()
            response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
          },
        )
      }),
  })
  return upstream
}
