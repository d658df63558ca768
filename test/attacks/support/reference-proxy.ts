/**
 * The pattern that the specification warns of (2026-07-28, Security Best Practices, Confused Deputy), and that many proxies
 * have: anybody may register; all of them become one client at the provider; the request of a client is found again by a
 * state that is kept on the server alone; and the code goes to the first address that the client has registered. Nobody is asked.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { CertificateAuthority } from '../../stand-ins/certificates.ts'
import type { FrontHouse } from './front-house.ts'
import { gatewayApp } from './front-house.ts'

export interface ReferenceProxy {
  readonly base: string
  readonly callback: string
  /** The house whose provider it uses; its own server is not asked. */
  serve(house: FrontHouse): void
  close(): Promise<void>
}

interface Waiting {
  readonly redirectUri: string
  readonly state: string
  readonly challenge: string
}

export async function startReferenceProxy(certificates: CertificateAuthority): Promise<ReferenceProxy> {
  const clients = new Map<string, readonly string[]>()
  const waiting = new Map<string, Waiting>()
  const codes = new Map<string, { readonly challenge: string; readonly tokens: unknown }>()
  const name = (): string => randomBytes(16).toString('base64url')
  let house: FrontHouse | undefined
  let base = ''
  const atProvider = (path: string): string => `${house?.entra.authority(gatewayApp.tenant)}/oauth2/v2.0/${path}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', base)
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const json = (value: object, status = 200): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const redirect = (to: string, parameters: Record<string, string>): void =>
      void response.writeHead(302, { location: `${to}?${new URLSearchParams(parameters)}` }).end()
    const query = (key: string): string => url.searchParams.get(key) ?? ''
    switch (url.pathname) {
      case '/register': {
        const [id, { redirect_uris }] = [name(), JSON.parse(body) as { redirect_uris: readonly string[] }]
        clients.set(id, redirect_uris)
        return json({ client_id: id, redirect_uris }, 201)
      }
      case '/authorize': {
        const [redirectUri] = clients.get(query('client_id')) ?? []
        if (redirectUri === undefined) return json({ error: 'invalid_client' }, 400)
        const state = name()
        waiting.set(state, { redirectUri, state: query('state'), challenge: query('code_challenge') })
        const scope = 'openid profile offline_access'
        const ours = { client_id: gatewayApp.clientId, redirect_uri: `${base}/callback`, response_type: 'code', scope, state }
        return redirect(atProvider('authorize'), ours)
      }
      case '/callback': {
        const found = waiting.get(query('state'))
        if (found === undefined) return json({ error: 'invalid_state' }, 400)
        const fields = {
          ...{ grant_type: 'authorization_code', code: query('code'), redirect_uri: `${base}/callback` },
          ...{ client_id: gatewayApp.clientId, client_secret: gatewayApp.secrets[0] },
        }
        const headers = { 'content-type': 'application/x-www-form-urlencoded' }
        const form = new URLSearchParams(fields).toString()
        const tokens = await (
          await (house as FrontHouse).fetch(atProvider('token'), { method: 'POST', headers, body: form })
        ).json()
        const code = name()
        codes.set(code, { challenge: found.challenge, tokens })
        return redirect(found.redirectUri, { code, state: found.state })
      }
      case '/token': {
        const form = new URLSearchParams(body)
        const found = codes.get(form.get('code') ?? '')
        const challenge = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url')
        return found?.challenge === challenge ? json(found.tokens as object) : json({ error: 'invalid_grant' }, 400)
      }
      default:
        return json({ error: 'not_found' }, 404)
    }
  }
  const server = createServer(certificates.issue('proxy.test', { hosts: ['proxy.test'] }), (request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `https://proxy.test:${(server.address() as AddressInfo).port}`
  return {
    base,
    callback: `${base}/callback`,
    serve: (one) => {
      house = one
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
