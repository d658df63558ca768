/**
 * Two authorization servers in little, for what Entra does not do: one that exchanges the token of a person (RFC 8693), also
 * for an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant), and one that gives a token for such a grant (RFC 7523, 2.1).
 * Each checks all that it is shown, and both write down what they were asked.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, type JWTPayload, jwtVerify, SignJWT } from 'jose'

export interface ExchangeOptions {
  readonly clientId: string
  readonly clientSecret: string
  /** Who a subject token is of. Rejects where it is not good. */
  person(subjectToken: string): Promise<string>
}
export interface ExchangeServers {
  /** Of the one that exchanges. */
  readonly idp: string
  /** Of the one that takes an ID-JAG. */
  readonly resourceIssuer: string
  readonly asked: readonly { readonly at: 'idp' | 'resource'; readonly form: Readonly<Record<string, string>> }[]
  /** Who a token for `audience` is of. Rejects where it is none. */
  accepted(token: string, audience: string): Promise<string>
  close(): Promise<void>
}

const urn = 'urn:ietf:params:oauth'
/** RFC 6749 section 2.3.1. */
const formEncoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)
class Refused extends Error {}
const refuse = (error: string): never => {
  throw new Refused(error)
}

export async function startExchange({ clientId, clientSecret, person }: ExchangeOptions): Promise<ExchangeServers> {
  const asked: ExchangeServers['asked'][number][] = []
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const keys = createLocalJWKSet({ keys: [await exportJWK(publicKey)] } as JSONWebKeySet)
  const redeemed = new Set<unknown>()
  let origin = ''
  const [idp, resourceIssuer] = [() => `${origin}/idp`, () => `${origin}/resource`]
  const signed = (typ: string, issuer: string, audience: string, claims: JWTPayload): Promise<string> =>
    new SignJWT({ jti: randomUUID(), client_id: clientId, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)

  async function exchanged(form: Record<string, string>): Promise<object> {
    if (form['grant_type'] !== `${urn}:grant-type:token-exchange`) refuse('unsupported_grant_type')
    if (form['subject_token_type'] !== `${urn}:token-type:access_token`) refuse('invalid_request')
    const sub: string = await person(form['subject_token'] ?? '').catch(() => refuse('invalid_grant'))
    const wanted = form['requested_token_type']
    if (wanted === `${urn}:token-type:id-jag`) {
      if (form['audience'] !== resourceIssuer()) refuse('invalid_target')
      const claims = { sub, resource: form['resource'] ?? refuse('invalid_target'), scope: form['scope'] }
      const token = await signed('oauth-id-jag+jwt', idp(), resourceIssuer(), claims)
      return { issued_token_type: wanted, access_token: token, token_type: 'N_A', scope: form['scope'], expires_in: 300 }
    }
    if (wanted !== `${urn}:token-type:access_token`) refuse('invalid_request')
    const token = await signed('at+jwt', idp(), form['resource'] ?? refuse('invalid_target'), { sub, scope: form['scope'] })
    return { issued_token_type: wanted, access_token: token, token_type: 'Bearer', expires_in: 3600 }
  }

  async function granted(form: Record<string, string>): Promise<object> {
    if (form['grant_type'] !== `${urn}:grant-type:jwt-bearer`) refuse('unsupported_grant_type')
    const rules = { issuer: idp(), audience: resourceIssuer(), typ: 'oauth-id-jag+jwt', requiredClaims: ['exp', 'jti', 'sub'] }
    const { payload } = await jwtVerify(form['assertion'] ?? '', keys, rules).catch(() => refuse('invalid_grant'))
    if (payload['client_id'] !== clientId || redeemed.has(payload.jti)) refuse('invalid_grant')
    redeemed.add(payload.jti)
    const { sub = '', scope, resource } = payload as JWTPayload & { resource: string }
    const token = await signed('at+jwt', resourceIssuer(), resource, { sub, scope })
    return { access_token: token, token_type: 'Bearer', expires_in: 3600 }
  }

  async function answer(request: IncomingMessage): Promise<{ readonly status: number; readonly body: object }> {
    const { pathname } = new URL(request.url ?? '/', origin)
    const metadata = /^\/\.well-known\/oauth-authorization-server\/(idp|resource)$/.exec(pathname)
    if (metadata) {
      const issuer = `${origin}/${metadata[1]}`
      const methods = ['client_secret_basic']
      const endpoints = { token_endpoint: `${issuer}/token`, authorization_endpoint: `${issuer}/authorize` }
      const rest = { response_types_supported: ['code'], token_endpoint_auth_methods_supported: methods }
      return { status: 200, body: { issuer, ...endpoints, ...rest } }
    }
    const at = pathname === '/idp/token' ? 'idp' : pathname === '/resource/token' ? 'resource' : undefined
    if (at === undefined || request.method !== 'POST') return { status: 404, body: {} }
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const form = Object.fromEntries(new URLSearchParams(text))
    asked.push({ at, form })
    const basic = `Basic ${Buffer.from([clientId, clientSecret].map(formEncoded).join(':')).toString('base64')}`
    if (request.headers.authorization !== basic) return { status: 401, body: { error: 'invalid_client' } }
    try {
      return { status: 200, body: await (at === 'idp' ? exchanged(form) : granted(form)) }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return { status: 400, body: { error: error.message } }
    }
  }

  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    idp: idp(),
    resourceIssuer: resourceIssuer(),
    asked,
    async accepted(token, audience) {
      const { payload } = await jwtVerify(token, keys, { audience, issuer: [idp(), resourceIssuer()], typ: 'at+jwt' })
      return String(payload.sub)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
