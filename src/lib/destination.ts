/**
 * Where a URL leads, and whether we may go there. It is read once, by the parser of the URL Standard, which knows every spelling of
 * an address (`0x7f.1`, `2130706433`, full-width digits), and nothing later reads its text again. A name is resolved once; one
 * address that is not public among many refuses them all. RFC 9728, section 7.7; RFC 7591, section 5.
 */
import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import { type AddressKind, addressKind } from './address-ranges.ts'
import { FetchRefused } from './fetch-refused.ts'
import { isLoopback } from './loopback.ts'

const urlCharsMax = 8192
const nameCharsMax = 253
const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/
const yours = 'if this server is yours, write its origin into the configuration'

/**
 * Names that mean something else in every network: special-use names (RFC 6761, 6762, 7686, 8375, 9476), and top-level names that
 * ICANN keeps out of the DNS because networks use them.
 */
const localName = /(^|\.)(localhost|localdomain|local|internal|intranet|private|corp|home|lan|home\.arpa|onion|alt)$/

/** Of the Fetch Standard's "bad ports", those from 1024 on: what listens there takes a request for words of its own. */
const badPorts: ReadonlySet<number> = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080,
])

/** Origins that the operator wrote down himself. Throws a TypeError that names the entry by its place. */
export function readOrigins(origins: readonly string[]): ReadonlySet<string> {
  return new Set(
    origins.map((text, index) => {
      const wrong = (why: string): TypeError => new TypeError(`trustedOrigins[${index}] ${why}`)
      if (!URL.canParse(text)) throw wrong('is not a URL: write https://host or https://host:port')
      const { origin, href, protocol, hostname } = new URL(text)
      if (href !== `${origin}/`) throw wrong('is more than an origin: write scheme, host and port only')
      if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
        throw wrong('is not https: plain http is for loopback only')
      return origin
    }),
  )
}

/** Everything that can be said without asking anybody. Nothing has been resolved at this point. Throws {@link FetchRefused}. */
export function readUrl(text: string | URL, isTrusted: (origin: string) => boolean): URL {
  const given = String(text)
  if (given.length > urlCharsMax)
    throw new FetchRefused('url', `a URL of ${given.length} characters`, `at most ${urlCharsMax} are read`)
  if (!URL.canParse(given)) throw new FetchRefused('url', 'this is not an absolute URL', 'write https://host/path')
  const url = new URL(given)
  const { origin, protocol, hostname, port } = url
  if (hostname.length > nameCharsMax)
    throw new FetchRefused('url', `a host of ${hostname.length} characters`, `a name has at most ${nameCharsMax} (RFC 1035)`)
  const trusted = isTrusted(origin)
  if (protocol !== 'https:' && !(protocol === 'http:' && trusted))
    throw new FetchRefused(
      'scheme',
      `${origin === 'null' ? 'this URL' : origin} is not https`,
      'only https is fetched from outside',
    )
  if (url.username !== '' || url.password !== '')
    throw new FetchRefused('credentials', `the URL for ${origin} contains credentials`, 'remove what stands before the @')
  if (trusted) return url
  if (port !== '' && (Number(port) < 1024 || badPorts.has(Number(port))))
    throw new FetchRefused('port', `${origin} is on a port of another protocol`, 'use port 443, or one from 1024 on')
  if (isIP(bare(hostname)) !== 0) mayConnect(url, bare(hostname), false)
  else mayResolve(hostname)
  return url
}

/** The addresses that may be connected to: all that `look` finds, which may be none. Throws {@link FetchRefused}. */
export async function addressesOf(
  url: URL,
  trusted: boolean,
  look: (name: string) => Promise<readonly LookupAddress[]>,
): Promise<readonly LookupAddress[]> {
  const host = bare(url.hostname)
  const family = isIP(host)
  const found = family === 0 ? await look(host).catch(() => []) : [{ address: host, family }]
  for (const { address } of found) mayConnect(url, address, trusted)
  return found
}

function mayConnect({ origin, protocol }: URL, address: string, trusted: boolean): void {
  const kind = addressKind(address)
  const allowed: readonly AddressKind[] =
    protocol === 'http:' ? ['loopback'] : trusted ? ['public', 'private', 'loopback'] : ['public']
  if (!allowed.includes(kind)) throw new FetchRefused('address', `${origin} leads to ${address}, a ${kind} address`, yours)
}

function mayResolve(name: string): void {
  if (!name.split('.').every((part) => label.test(part)))
    throw new FetchRefused('url', 'the host is neither an address nor a name', 'write the name in full, without a dot at its end')
  if (!name.includes('.') || localName.test(name))
    throw new FetchRefused('address', `${name} is a name that only means something inside a network`, yours)
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}
