/** Addresses in definitions: where they lead, and whether they are what they look like. Nothing is fetched or resolved. */
import { isIP } from 'node:net'
import { addressKind } from '../../../lib/address-ranges.ts'
import { looksLike } from '../confusables.ts'
import type { Family, Mark, ScanContext } from '../finding.ts'
import type { Leaf } from '../leaves.ts'

const address =
  /\b(https?|wss?|ftps?|file|javascript|vbscript|data|blob|smb|ldap|gopher|jar):(?:\/\/)?(?:\[[0-9a-f:.]{2,45}\])?[^\s"'<>`)\]}]{1,2000}/gi
/** Schemes that run code or open what is on the machine. */
const dangerous = /^(?:javascript|vbscript|gopher|jar|ldap|smb|blob)$/i
/** Services that take in what anybody sends, for whoever opened the box. */
const dropBox =
  /(?:^|\.)(?:webhook\.site|requestbin\.(?:com|net)|pipedream\.net|ngrok(?:-free)?\.(?:io|app|dev)|trycloudflare\.com|burpcollaborator\.net|oastify\.com|oast\.\w{2,6}|interact\.sh|beeceptor\.com|requestcatcher\.com|hookbin\.com|transfer\.sh|file\.io|pastebin\.com|ptsv\d?\.com|dnslog\.cn|canarytokens\.com|localtunnel\.me|loca\.lt|serveo\.net)$/

function* ofText(leaf: Leaf, _: unknown, context: ScanContext): Generator<Mark> {
  if (!leaf.text.includes(':')) return
  address.lastIndex = 0
  for (let match = address.exec(leaf.text); match !== null; match = address.exec(leaf.text)) {
    const rule = judged(match[0], match[1] as string, leaf, context)
    if (rule === undefined) continue
    yield { rule, leaf, start: match.index, end: match.index + match[0].length }
  }
  yield* disguised(leaf)
  if (leaf.role === 'uri' && /^\/icons\/\d+\/src$/.test(leaf.path)) yield* icon(leaf)
}

function judged(text: string, scheme: string, leaf: Leaf, { isHostAllowed }: ScanContext): string | undefined {
  if (dangerous.test(scheme))
    return /^(?:javascript|vbscript)$/i.test(scheme) || /:\/\//.test(text) ? 'trust/dangerous-scheme' : undefined
  if (/^data$/i.test(scheme))
    return /^data:(?:text\/html|application\/(?:javascript|xhtml)|text\/javascript)/i.test(text)
      ? 'trust/dangerous-scheme'
      : undefined
  if (/^file$/i.test(scheme)) return undefined
  const url = URL.parse(text.replace(/[.,;:!?]{1,8}$/, ''))
  if (url === null || url.hostname === '') return undefined
  if (url.username !== '' && url.username.includes('.')) return 'trust/disguised-address'
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const typed = /^[a-z]{2,5}:\/\/([^/?#:]{1,255})/i.exec(text)?.[1] ?? ''
  if ([...typed].some((letter) => looksLike(letter) !== undefined)) return 'trust/disguised-address'
  if (isIP(host) !== 0) return ofNumber(host, typed, leaf)
  if (dropBox.test(host)) return 'trust/drop-box'
  if (host === 'metadata.google.internal' || host === 'metadata.azure.com') return 'trust/metadata-address'
  return isHostAllowed !== undefined && host.includes('.') && !isHostAllowed(host) ? 'trust/host-not-allowed' : undefined
}

const metadata = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  'fd20:ce::254',
])

function ofNumber(host: string, typed: string, leaf: Leaf): string | undefined {
  if (metadata.has(host)) return 'trust/metadata-address'
  // `http://2130706433/` and `http://0x7f.1/` are 127.0.0.1, and nobody writes it that way.
  if (isIP(host) === 4 && typed !== host) return 'trust/disguised-address'
  const kind = addressKind(host)
  if (kind === 'public') return 'trust/bare-address'
  return leaf.role === 'uri' ? 'trust/private-address' : undefined
}

/** `[https://a](https://b)`: one address is read, another is opened. Without a scheme it may be a name, as Node.js is. */
const link =
  /\[\s{0,3}(?:https?:\/\/|www\.)((?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24})[^\]\s]{0,200}\s{0,3}\]\(\s{0,3}https?:\/\/([^/?#\s)]{1,255})/gi
function* disguised(leaf: Leaf): Generator<Mark> {
  for (const { index, 0: all, 1: shown = '', 2: meant = '' } of leaf.text.matchAll(link)) {
    const [one, other] = [base(shown), base(meant)]
    if (one !== other) yield { rule: 'trust/disguised-address', leaf, start: index, end: index + all.length }
  }
}
/** The last two labels, which is near enough to who owns a host. */
const base = (host: string): string => (host.toLowerCase().split(':')[0] as string).split('.').slice(-2).join('.')

/** Icons are fetched and drawn without being asked for (MCP 2026-07-28, basic/index, "icons"): https, or a picture within. */
function* icon(leaf: Leaf): Generator<Mark> {
  const mark = { leaf, start: 0, end: Math.min(leaf.text.length, 200) }
  if (/^data:image\/svg/i.test(leaf.text)) yield { rule: 'trust/icon-svg', ...mark }
  else if (!/^(?:https:\/\/|data:image\/)/i.test(leaf.text)) yield { rule: 'trust/icon-scheme', ...mark }
}

const row = (severity: 'high' | 'medium' | 'low', says: string, requirement = 'INJ-C7') =>
  ({ severity, says, owasp: 'MCP03', requirement }) as const

export const destinations: Family = {
  rows: {
    'trust/dangerous-scheme': row('high', 'has an address that runs code when opened', 'INJ-R3'),
    'trust/disguised-address': row('high', 'has an address that looks like another one', 'INJ-R3'),
    'trust/metadata-address': row('high', 'has the address of a metadata service, which hands out credentials', 'INJ-R3'),
    'trust/drop-box': row('medium', 'has the address of a service that collects what anybody sends', 'INJ-R3'),
    'trust/bare-address': row('medium', 'has an address in numbers instead of a name'),
    'trust/private-address': row('medium', 'has an address in a private network where one of the internet belongs'),
    'trust/host-not-allowed': row('medium', 'has the address of a host that is not allowed'),
    'trust/icon-scheme': row('medium', 'has an icon that is neither on https nor a picture in itself'),
    'trust/icon-svg': row('low', 'has an icon in SVG, which can hold scripts'),
  },
  ofText,
}
