/**
 * One request and its answer, on a connection that is opened for it and gone after it, so that no connection outlives the check of
 * its address. HTTP/1.1, nothing compressed, and not more of the body than was agreed.
 */

import { X509Certificate } from 'node:crypto'
import type { LookupAddress } from 'node:dns'
import { connect as connectPlainly, type LookupFunction, type Socket } from 'node:net'
import { connect as connectSecurely, createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { type buildConnector, Client, type Dispatcher, ProxyAgent } from 'undici'
import { allBytes } from './all-bytes.ts'
import { FetchRefused, failureOf } from './fetch-refused.ts'
import type { Stop } from './stop.ts'

export interface Sent {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: Uint8Array | null
}
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Empty where it was not asked for. */
  readonly body: Buffer
}
/** Either the addresses that were checked, or a proxy that looks the name up itself. */
export type Way = { readonly addresses: readonly LookupAddress[] } | { readonly proxy: string }

const headerBytesMax = 16_384

/** TLS of 1.2 or later, with the authorities of Node and those in `ca` (PEM). Certificate errors always refuse. Throws a TypeError. */
export function secureSettings(ca: string | undefined): SecureSettings {
  if (ca !== undefined && !isCertificate(ca))
    throw new TypeError('ca is not a certificate: it begins with -----BEGIN CERTIFICATE-----')
  const minVersion = 'TLSv1.2'
  return {
    rejectUnauthorized: true, // said aloud, or NODE_TLS_REJECT_UNAUTHORIZED=0 would be the option that turns it off
    minVersion,
    ...(ca !== undefined && { secureContext: createSecureContext({ minVersion, ca: [...getCACertificates('default'), ca] }) }),
  }
}

/** A secure context takes what is none without a word, and trusts nobody by it. */
function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

export interface SecureSettings {
  readonly rejectUnauthorized: true
  readonly minVersion: 'TLSv1.2'
  readonly secureContext?: SecureContext
}

/** Throws {@link FetchRefused}, or the reason of `stop`. The body is read when `wanted` says so of the head. */
export async function exchange(
  { url, method, headers, body }: Sent,
  way: Way,
  secure: SecureSettings,
  bytesMax: number,
  stop: Stop,
  wanted: (status: number, headers: Headers) => boolean,
): Promise<Answer> {
  const { origin, pathname, search } = url
  const line = open(url, way, secure)
  const hangUp = (): void => line.close(stop.reason as Error)
  stop.onStop(hangUp)
  try {
    const response = await line.dispatcher.request({
      origin,
      path: pathname + search,
      method: method as Dispatcher.HttpMethod,
      headers: Object.fromEntries(headers),
      body,
      reset: true,
    })
    response.body.on('error', () => undefined) // of one that is not read to its end
    const answered = headersOf(response.headers, origin)
    const { statusCode: status } = response
    if (!wanted(status, answered)) return { status, headers: answered, body: Buffer.alloc(0) }
    return { status, headers: answered, body: await read(response.body, answered, bytesMax, method, origin) }
  } catch (error) {
    throw stop.stopped ? stop.reason : failureOf(error, origin)
  } finally {
    stop.offStop(hangUp)
    line.close()
  }
}

/** We ask for `identity`. An answer that is compressed all the same is not unpacked: it may be of any size (CWE-409). */
async function read(
  body: AsyncIterable<Uint8Array>,
  headers: Headers,
  bytesMax: number,
  method: string,
  origin: string,
): Promise<Buffer> {
  const tooLong = (): FetchRefused =>
    new FetchRefused('size', `${origin} answers with more than ${bytesMax} bytes`, 'ask its operator for a shorter document')
  const coding = headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  if (coding !== '' && coding !== 'identity')
    throw new FetchRefused(
      'encoding',
      `${origin} answers compressed, though asked not to`,
      'let it honour Accept-Encoding: identity',
    )
  if (method !== 'HEAD' && Number(headers.get('content-length')) > bytesMax) throw tooLong()
  return allBytes(body, bytesMax, tooLong)
}

function headersOf(received: Readonly<Record<string, string | string[] | undefined>>, origin: string): Headers {
  const headers = new Headers()
  try {
    for (const [name, values] of Object.entries(received)) for (const value of [values ?? []].flat()) headers.append(name, value)
  } catch {
    throw new FetchRefused('answer', `${origin} sends a header that no header may be`, 'ask its operator')
  }
  return headers
}

interface Line {
  readonly dispatcher: Dispatcher
  close(reason?: Error): void
}

function open(url: URL, way: Way, secure: SecureSettings): Line {
  // No timeouts of their own: the time of the whole exchange is bounded, and ends it through `close`.
  const patient = { headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: headerBytesMax } as const
  let socket: Socket | null | undefined
  const close = (dispatcher: Dispatcher, reason: Error | undefined): void => {
    void dispatcher.destroy(reason ?? null).catch(() => undefined)
    socket?.destroy()
  }
  if ('proxy' in way) {
    const tls = { ...secure, allowH2: false }
    // A tunnel in its handshake belongs to nobody whom destroying the agent would reach.
    const clientFactory = (to: URL, { connect }: { connect: buildConnector.connector }): Dispatcher =>
      new Client(to, { connect: (at, done) => connect(at, (...got) => (([, socket] = got), done(...got))), ...patient })
    const dispatcher = new ProxyAgent({
      uri: way.proxy,
      requestTls: tls,
      proxyTls: tls,
      clientFactory,
      ...patient,
    } as ProxyAgent.Options)
    return { dispatcher, close: (reason) => close(dispatcher, reason) }
  }
  const connect: buildConnector.connector = (to, done) => {
    const begun = connection(to, way.addresses, secure)
    socket = begun
    begun.once(to.protocol === 'https:' ? 'secureConnect' : 'connect', () => done(null, begun))
    begun.once('error', (error) => done(error, null))
    begun.on('error', () => undefined)
  }
  const dispatcher = new Client(url.origin, { connect, ...patient })
  return { dispatcher, close: (reason) => close(dispatcher, reason) }
}

/** The name is for the certificate; where it leads has been decided. */
function connection(
  { protocol, hostname, port, servername }: buildConnector.Options,
  addresses: readonly LookupAddress[],
  secure: SecureSettings,
): Socket {
  const lookup: LookupFunction = (_name, { all }, found) => {
    const [first] = addresses
    if (all) found(null, [...addresses])
    else found(null, first?.address ?? '', first?.family ?? 0)
  }
  const to = { host: hostname, lookup, noDelay: true }
  if (protocol !== 'https:') return connectPlainly({ ...to, port: Number(port || 80) })
  return connectSecurely({
    ...secure,
    ...to,
    port: Number(port || 443),
    servername: servername ?? '',
    ALPNProtocols: ['http/1.1'],
  })
}
