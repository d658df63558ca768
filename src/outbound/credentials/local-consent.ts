/**
 * Consent for one person at one desk: their browser is opened, and comes back to a port of this machine that answers one
 * path, for requests under way, and nothing else (RFC 8252 sections 7.3 and 8.3).
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Refusal } from '../../pipeline/refusal.ts'
import type { Consent } from './credential.ts'

export interface LocalConsentOptions {
  /** Shows the page to the person. */
  open(url: string): Promise<void>
  /** Told the address where no browser could be opened, so that the person can. */
  say(line: string): void
  readonly waitMsMax?: number
}
export interface LocalConsent extends Consent {
  close(): Promise<void>
}

const waitMsMaxUsual = 300_000
const path = '/callback'
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}
const page = (text: string): string => `<!doctype html><html lang="en"><title>Sekisho</title><p>${text}</p></html>\n`

export async function openLocalConsent({ open, say, waitMsMax = waitMsMaxUsual }: LocalConsentOptions): Promise<LocalConsent> {
  /** By state. */
  const waiting = new Map<string, (answer: URLSearchParams) => void>()
  const server = createServer({ maxHeaderSize: 16_384, requestTimeout: 10_000 }, (request, response) => {
    const url = URL.canParse(request.url ?? '', base) ? new URL(request.url ?? '', base) : undefined
    const take = waiting.get(url?.searchParams.get('state') ?? '')
    const isOurs = request.method === 'GET' && request.headers.host === new URL(base).host && url?.pathname === path
    if (!isOurs || take === undefined) {
      response.writeHead(404, headers).end(page('Nothing is waited for here. Begin again in your MCP client.'))
      return
    }
    response.writeHead(200, headers).end(page('Thank you. You can close this page and go back to your MCP client.'))
    take(url.searchParams)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  server.unref()
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function meet(authorizationUrl: string): Promise<URLSearchParams> {
    const state = new URL(authorizationUrl).searchParams.get('state') ?? ''
    let timer: NodeJS.Timeout | undefined
    const back = new Promise<URLSearchParams>((resolve, reject) => {
      waiting.set(state, resolve)
      timer = setTimeout(
        () => reject(new Refusal('CONNECT_REFUSED', { detail: `nobody came back in ${waitMsMax} ms` })),
        waitMsMax,
      )
    })
    try {
      await open(authorizationUrl).catch((error: unknown) =>
        say(`${error instanceof Error ? error.message : 'no browser could be opened'}; open it yourself: ${authorizationUrl}`),
      )
      return await back
    } finally {
      clearTimeout(timer)
      waiting.delete(state)
    }
  }

  return {
    redirectUri: `${base}${path}`,
    connectUrl: () => base,
    meet,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
