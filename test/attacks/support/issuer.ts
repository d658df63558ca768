/** An identity provider in little: keys, metadata, and any access token that a test wants to have from it. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Issuer {
  readonly url: string
  /** `identity` of a configuration that believes it. */
  readonly identity: object
  /** A token of `sub` for `resource`, good for ten minutes. */
  token(resource: string, sub: string, changes?: object, header?: object): string
  close(): Promise<void>
}

export async function issuer(changes: object = {}): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/jwks` }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  let count = 0
  return {
    url,
    identity: { mode: 'resource-server', provider: { kind: 'oidc', issuer: url }, audience: 'resource', ...changes },
    token(resource, sub, claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const usual = {
        iss: url,
        aud: resource,
        sub,
        client_id: 'editor',
        scope: 'mcp',
        iat: now - 5,
        exp: now + 600,
        jti: `j${++count}`,
      }
      const input = `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'k', ...header })}.${part({ ...usual, ...claims })}`
      return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
