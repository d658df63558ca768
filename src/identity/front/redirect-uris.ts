/**
 * Where a code may be sent (RFC 9700, 2.1 and 4.1; RFC 8252, 7 and 8.3): an https URL, or a loopback address of the
 * machine where the browser is. Everything that two readers could take for different places is refused; that it is one of
 * the registered ones, letter for letter, is compared on top of it.
 */
import { isIP } from 'node:net'

const charsMax = 2048
/** Printable ASCII without what browsers and URL parsers are known to read in different ways. */
const plain = /^[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/
const loopbackNames = ['127.0.0.1', '[::1]', 'localhost']

export type RedirectFault = 'form' | 'scheme' | 'host' | 'userinfo' | 'fragment' | 'path' | 'spelling' | 'reserved'

/** Undefined for a URI that may be registered. `schemes`: private-use schemes that the operator allows. */
export function redirectFault(text: string, schemes: readonly string[] = []): RedirectFault | undefined {
  if (text.length > charsMax || !plain.test(text)) return 'form'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return 'form'
  if (text.includes('#')) return 'fragment'
  if (url.username !== '' || url.password !== '' || /^[a-z][a-z0-9+.-]*:\/\/[^/?]*@/i.test(text)) return 'userinfo'
  if (schemes.includes(url.protocol.slice(0, -1))) return undefined
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'scheme'
  const path = text.split('?', 1)[0] as string
  if (/%2e|%2f|%5c|%00/i.test(path) || /\/\.{1,2}(\/|$)/.test(path)) return 'path'
  const { hostname } = url
  const isLoopback = loopbackNames.includes(hostname)
  if (url.protocol === 'http:' && !isLoopback) return 'scheme'
  if (!isLoopback && (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || !hostname.includes('.') || hostname.endsWith('.')))
    return 'host'
  if (!isLoopback && !/^[a-z0-9.-]+$/.test(hostname)) return 'host'
  if (hostname.split('.').some((label) => label.startsWith('xn--'))) return 'host'
  // As written is as understood: no capitals in the host, no default port, no number in another base.
  const rest = text.slice(url.origin.length)
  if (!text.startsWith(url.origin) || (rest !== '' && !/^[/?]/.test(rest))) return 'spelling'
  return undefined
}

/** The same for URIs that differ in the port of a loopback address alone, which a client chooses anew each time (RFC 8252, 7.3). */
export function withoutLoopbackPort(text: string): string {
  const url = new URL(text)
  if (url.protocol === 'http:' && loopbackNames.includes(url.hostname)) url.port = ''
  return url.href
}

/** What of a redirect URI a person has to see: who gets the code. */
export function placeOf(text: string): { readonly host: string; readonly isLoopback: boolean } {
  const { host, hostname, protocol } = new URL(text)
  const isLoopback = loopbackNames.includes(hostname)
  return { host: host === '' ? protocol : isLoopback ? hostname : host, isLoopback }
}
