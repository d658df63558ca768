/** An identity provider for subjects that check tokens: one key, its metadata, and tokens that outlive the bench. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Issuer {
  readonly url: string
  /** A token for the resource at `url`, as big as one with a few groups is. */
  token(resource: string): string
  close(): void
}

const lifetimeS = 6 * 3600

export async function openIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', use: 'sig', alg: 'RS256' }
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/jwks` }))
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    url,
    token(resource) {
      const now = Math.floor(Date.now() / 1000)
      const groups = Array.from({ length: 10 }, (_, at) => `6f3c1a52-0000-4000-8000-00000000000${at}`)
      const claims = {
        iss: url,
        aud: resource,
        sub: 'caller',
        client_id: 'bench',
        scope: 'mcp',
        iat: now,
        exp: now + lifetimeS,
        groups,
      }
      const input = `${part({ alg: 'RS256', typ: 'at+jwt', kid: 'bench' })}.${part(claims)}`
      return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
    },
    close: () => void server.close(),
  }
}
