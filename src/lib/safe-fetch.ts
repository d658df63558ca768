/**
 * The one fetch for every URL that somebody else wrote: metadata, key sets, client documents, token endpoints (RFC 8414, RFC 9728,
 * RFC 7517; MCP 2026-07-28, Security Best Practices, Server-Side Request Forgery). What it refuses is in destination.ts; how it
 * speaks, in one-exchange.ts. Here: what may be asked, redirects, and the time.
 *
 * Through a proxy the name is resolved by the proxy, and cannot be pinned. What this machine resolves to an address that is not
 * public is refused; a name that means something else to the proxy is for the proxy to refuse.
 */
import { addressesOf, readOrigins, readUrl } from './destination.ts'
import { FetchRefused } from './fetch-refused.ts'
import { atMostAtOnce, type NameLookup, systemLookup } from './name-lookup.ts'
import { bypassesProxy } from './no-proxy.ts'
import { type Answer, exchange, type Sent, secureSettings, type Way } from './one-exchange.ts'
import { inTime, Stop, unlessStopped } from './stop.ts'

export interface SafeFetchOptions {
  /**
   * Origins that the operator wrote into the configuration: they may resolve to private or loopback addresses, be on any port, and
   * be plain http on loopback. A redirect from anywhere else does not make use of that.
   */
  readonly trustedOrigins?: readonly string[] | undefined
  /** PEM of certificate authorities besides those of Node. */
  readonly ca?: string | undefined
  /** Proxy settings as the environment had them. Plain http, which is for loopback, goes through none. */
  readonly proxy?:
    | { readonly http?: string | undefined; readonly https?: string | undefined; readonly no?: string | undefined }
    | undefined
  /** For the whole of it: name, connections, redirects, body. */
  readonly timeoutMs?: number | undefined
  readonly bytesMax?: number | undefined
  readonly redirectsMax?: number | undefined
  readonly lookup?: NameLookup | undefined
}

/**
 * As `fetch`, with a Response that has been read to its end. Rejects with {@link FetchRefused}, or with the reason of `init.signal`.
 * Of `init` it takes `method`, `headers`, `body`, `signal` and `redirect`; a `dispatcher` in it is not looked at.
 */
export type SafeFetch = (input: string | URL | Request, init?: SafeFetchInit) => Promise<Response>
export type SafeFetchInit = Omit<RequestInit, 'body'> & { readonly body?: RequestInit['body'] | undefined }

type Redirect = NonNullable<RequestInit['redirect']>
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** RFC 9110, section 15: a Response with one of these has no body, not even an empty one. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])
/** Headers that say where a message goes, or where it ends. */
const notTheirs = /^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-length|proxy-.*)$/
/** All that another origin gets to see of a request that was meant for the first. */
const forAnybody: ReadonlySet<string> = new Set(['accept', 'accept-encoding', 'accept-language', 'user-agent'])
/** Half of the threads that Node has for this, unless it was told otherwise. */
const lookupsMax = 2
/** A network with a proxy often has no name server for the rest of the world. */
const lookupBehindProxyMs = 2000

/** Throws a TypeError for an origin or a certificate that is none. Holds nothing open between fetches. */
export function safeFetch({
  trustedOrigins = [],
  ca,
  proxy,
  timeoutMs = 10_000,
  bytesMax = 262_144,
  redirectsMax = 3,
  lookup = systemLookup,
}: SafeFetchOptions = {}): SafeFetch {
  const origins = readOrigins(trustedOrigins)
  const secure = secureSettings(ca)
  const lookupOutside = atMostAtOnce(lookupsMax, lookup)

  async function wayTo(url: URL, trusted: boolean, stop: Stop): Promise<Way> {
    const through = url.protocol === 'https:' && !bypassesProxy(url, proxy?.no) ? proxy?.https : undefined
    if (through && trusted) return { proxy: through }
    if (through) {
      const late = (): Error => new Error('no answer of the name server')
      await addressesOf(url, false, (name) =>
        inTime(lookupBehindProxyMs, late, (soon) => unlessStopped(soon, lookupOutside(name, soon)), stop),
      )
      return { proxy: through }
    }
    const addresses = await addressesOf(url, trusted, (name) => (trusted ? lookup(name) : lookupOutside(name, stop)))
    if (addresses.length === 0)
      throw new FetchRefused('name', `${url.hostname} has no address`, 'check the name, and the name server of this machine')
    return { addresses }
  }

  /** `trusting`: whether the operator's word counts for this URL. */
  async function go(sent: Sent, redirect: Redirect, redirects: number, trusting: boolean, stop: Stop): Promise<Response> {
    const { url, method } = sent
    const trusted = trusting && origins.has(url.origin)
    const way = await wayTo(url, trusted, stop)
    if (stop.stopped) throw stop.reason
    const leadsOn = (status: number, headers: Headers): boolean =>
      redirect !== 'manual' && redirectStatuses.has(status) && (redirect === 'error' || headers.has('location'))
    const answer = await exchange(sent, way, secure, bytesMax, stop, (status, headers) => !leadsOn(status, headers))
    if (!leadsOn(answer.status, answer.headers)) return responseOf(answer, url, redirects > 0)
    if (redirect === 'error') throw notFollowed(url, 'redirects')
    if (method !== 'GET' && method !== 'HEAD') throw notFollowed(url, `redirects a ${method}`)
    if (redirects === redirectsMax) throw notFollowed(url, `redirects once more after ${redirectsMax} redirects`)
    return go(onward(sent, answer, trusted), redirect, redirects + 1, trusted, stop)
  }

  /** From the start: what leads there says nothing about where it leads. */
  function onward({ url, method, headers }: Sent, answer: Answer, trusted: boolean): Sent {
    const location = answer.headers.get('location') ?? ''
    if (!URL.canParse(location, url.href)) throw notFollowed(url, 'redirects to what is not a URL')
    const next = readUrl(new URL(location, url), (origin) => trusted && origins.has(origin))
    if (url.protocol === 'https:' && next.protocol !== 'https:') throw notFollowed(url, 'redirects from https to http')
    const shown = [...headers].filter(([name]) => next.origin === url.origin || forAnybody.has(name))
    return { url: next, method, headers: new Headers(shown), body: null }
  }

  return async (input, init = {}) => {
    const base = input instanceof Request ? input : undefined
    const url = readUrl(base?.url ?? (input as string | URL), (origin) => origins.has(origin))
    const signal = init.signal ?? base?.signal
    const redirect = init.redirect ?? base?.redirect ?? 'follow'
    const sent = { url, ...(await readRequest(base, init)) }
    const late = (): FetchRefused =>
      new FetchRefused('time', `${url.origin} did not answer within ${timeoutMs} ms`, 'check that it can be reached from here')
    const theirs = new Stop()
    const abort = (): void => theirs.stop(signal?.reason)
    if (signal?.aborted) throw signal.reason
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await inTime(timeoutMs, late, (stop) => unlessStopped(stop, go(sent, redirect, 0, true, stop)), theirs)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
}

/** Takes what a Request takes, streams excepted; so `content-type` is what fetch would have made of the body. */
async function readRequest(base: Request | undefined, { method, headers, body }: SafeFetchInit): Promise<Omit<Sent, 'url'>> {
  const wrong = (why: string): FetchRefused => new FetchRefused('request', `this is not a request: ${why}`, 'correct the caller')
  let request: Request
  try {
    const given = { ...(method && { method }), ...(headers && { headers }), ...(body != null && { body }) }
    request = new Request(base ?? 'https://unnamed.invalid', given)
  } catch {
    // Its own words may quote a header.
    throw wrong('method, headers and body do not go together')
  }
  const all = new Headers(request.headers)
  for (const name of all.keys()) if (notTheirs.test(name)) throw wrong(`${name} is not for the caller to set`)
  all.set('accept-encoding', 'identity')
  if (all.get('user-agent') === '') all.delete('user-agent')
  if (!all.has('accept')) all.set('accept', '*/*')
  return { method: request.method, headers: all, body: request.body === null ? null : await request.bytes() }
}

function responseOf({ status, headers, body }: Answer, { origin, pathname, search }: URL, redirected: boolean): Response {
  if (status > 599) throw new FetchRefused('answer', `a status of ${status} does not exist`, 'ask the operator of that server')
  const response = new Response(bodiless.has(status) ? null : new Uint8Array(body), { status, headers })
  // A Response that is made by hand has neither.
  Object.defineProperties(response, { url: { value: origin + pathname + search }, redirected: { value: redirected } })
  return response
}

function notFollowed({ origin }: URL, what: string): FetchRefused {
  return new FetchRefused('redirect', `${origin} ${what}`, 'use the URL that it leads to')
}
