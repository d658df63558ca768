/**
 * An OpenID provider that is not ours: oidc-provider with its own login and consent forms, three people, and consent that
 * it remembers in a cookie, as real providers do.
 */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

export interface OpenId {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Every request, newest last. */
  readonly journal: { readonly method: string; readonly url: string }[]
  close(): Promise<void>
}

const groups: Readonly<Record<string, readonly string[]>> = { ada: ['readers'], bob: ['writers'], eve: [] }

export async function startOpenId(redirectUri: string): Promise<OpenId> {
  const journal: { method: string; url: string }[] = []
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const [clientId, clientSecret] = ['gateway', 'a-secret-of-the-gateway-at-its-provider']
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' } as never] },
    claims: { openid: ['sub', 'groups'], profile: ['name'] },
    conformIdTokenClaims: false,
    scopes: ['openid', 'profile', 'offline_access'],
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: id.toUpperCase(), groups: groups[id] ?? [] }) as never,
    }),
    features: { devInteractions: { enabled: true } },
    pkce: { required: () => false },
    cookies: { keys: ['stand-in'] },
    issueRefreshToken: async () => true,
  })
  const answer = provider.callback()
  server.on('request', (request, response) => {
    journal.push({ method: request.method ?? '', url: request.url ?? '' })
    void answer(request, response)
  })
  return {
    issuer,
    clientId,
    clientSecret,
    journal,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
