/**
 * Questions to a live identity provider, each answered with pass, fail or unverifiable. They read what anybody may read, and
 * send one authorization request with `prompt=none`, which shows no page and logs nobody in (OpenID Connect Core 1.0, 3.1.2.1).
 */
import { createHash } from 'node:crypto'
import type { ProviderConfig } from '../identity/schema.ts'
import { metadataUrlsOf } from '../identity/tokens/signing-keys.ts'
import type { Clock } from '../lib/clock.ts'
import { unguessable } from '../lib/random.ts'
import type { SafeFetch } from '../lib/safe-fetch.ts'
import { isObject } from '../protocol/json-rpc.ts'

export interface Probed {
  /** A stable word: `metadata`, `issuer`, `keys`, `clock`, `pkce`, `authorization`, `client`. */
  readonly check: string
  readonly outcome: 'pass' | 'fail' | 'unverifiable'
  readonly says: string
  readonly fix?: string
}

export interface Probe {
  readonly provider: ProviderConfig
  readonly issuer: string
  /** Where the provider sends browsers back to; undefined where nobody logs in through us. */
  readonly redirectUri: string | undefined
  readonly reach: SafeFetch
  readonly clock: Clock
}

type Document = Readonly<Record<string, unknown>>
/** Tokens are refused that are further in the future. */
const clockSMax = 30
/** What a provider answers that knows client and redirect URI, and would now have to show a page. */
const wouldAsk = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required']

export async function probe(options: Probe): Promise<readonly Probed[]> {
  const { provider, issuer, reach, clock, redirectUri } = options
  const found = await metadata(provider, issuer, reach, clock)
  if (found.document === undefined) return [found.probed]
  const { document } = found
  const isEntra = provider.kind === 'entra'
  return [
    found.probed,
    sameIssuer(document, issuer),
    await keys(document, reach),
    found.time,
    ...(redirectUri === undefined ? [] : [pkce(document, isEntra), await client(document, options, redirectUri)]),
  ]
}

async function metadata(provider: ProviderConfig, issuer: string, reach: SafeFetch, clock: Clock) {
  const urls = metadataUrlsOf(issuer).slice(0, provider.kind === 'entra' ? 1 : undefined)
  let problem = ''
  for (const url of urls) {
    try {
      const response = await reach(url)
      const time = difference(response, clock)
      const document: unknown = response.status === 200 ? await response.json() : undefined
      if (isObject(document)) return { document, time, probed: passed('metadata', url) }
      problem ||= `${url} answered HTTP ${response.status}`
    } catch (error) {
      problem ||= `${url}: ${(error as Error).message}`
      const fix = (error as { readonly fix?: unknown }).fix
      if (typeof fix === 'string') return { probed: unverifiable('metadata', problem, fix) }
    }
  }
  const fix =
    provider.kind === 'entra' ? 'check the tenant id and "authority"' : 'check "issuer": the provider knows how it is spelt'
  return { probed: { check: 'metadata', outcome: 'fail', says: problem, fix } as const }
}

/** RFC 8414, 3.3; OpenID Connect Discovery 1.0, 4.3: identical, letter for letter. */
function sameIssuer({ issuer }: Document, expected: string): Probed {
  if (issuer === expected) return passed('issuer', expected)
  return failed(
    'issuer',
    `the metadata names the issuer ${short(issuer)}, and we expect ${expected}`,
    'write it as the provider does',
  )
}

async function keys({ jwks_uri: url }: Document, reach: SafeFetch): Promise<Probed> {
  if (typeof url !== 'string') return failed('keys', 'the metadata names no jwks_uri', 'use a provider that publishes its keys')
  try {
    const body: unknown = await (await reach(url)).json()
    const list: readonly unknown[] = isObject(body) && Array.isArray(body['keys']) ? body['keys'] : []
    const signing = list.filter((key) => isObject(key) && key['kty'] !== 'oct' && (key['use'] ?? 'sig') === 'sig')
    if (signing.length > 0) return passed('keys', `${signing.length} at ${url}`)
    return failed(
      'keys',
      `${url} has no public key for signatures`,
      'tokens of this provider cannot be checked; ask its operator',
    )
  } catch (error) {
    return unverifiable('keys', `${url}: ${(error as Error).message}`, 'let this machine reach that address')
  }
}

/** RFC 9110, 6.6.1: when the provider made the answer, to the second. */
function difference(response: Response, clock: Clock): Probed {
  const said = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(said)) return unverifiable('clock', 'the provider does not say what time it is', 'compare the clocks by hand')
  const seconds = Math.round((clock.now() - said) / 1000)
  const says = `this machine is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead'}`
  if (Math.abs(seconds) <= clockSMax) return passed('clock', says)
  return failed('clock', says, 'set the clock of this machine (NTP): tokens would be taken for expired, or for not valid yet')
}

/** RFC 8414, 2: `code_challenge_methods_supported`. */
function pkce(document: Document, isEntra: boolean): Probed {
  const methods = document['code_challenge_methods_supported']
  if (Array.isArray(methods))
    return methods.includes('S256')
      ? passed('pkce', 'S256 is supported')
      : failed('pkce', 'S256 is not among the methods', 'turn it on at the provider')
  // Microsoft identity platform, "OAuth 2.0 authorization code flow": supported, and not said in the metadata.
  if (isEntra) return passed('pkce', 'S256 is supported by Entra, which does not advertise it')
  return unverifiable(
    'pkce',
    'the provider does not say whether it supports S256',
    'read its manual; the gateway sends it in any case',
  )
}

/** Is there an authorization endpoint, and does it know us and our redirect URI? */
async function client(document: Document, { provider, reach }: Probe, redirectUri: string): Promise<Probed> {
  const endpoint = document['authorization_endpoint']
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint))
    return failed('client', 'the metadata names no authorization_endpoint', 'use a provider that people can log in at')
  const url = new URL(endpoint)
  const challenge = createHash('sha256').update(unguessable()).digest('base64url')
  const wanted = { client_id: provider.clientId ?? '', redirect_uri: redirectUri, response_type: 'code', scope: 'openid' }
  const silent = { prompt: 'none', state: unguessable(), nonce: unguessable(), code_challenge: challenge }
  for (const [name, value] of Object.entries({ ...wanted, ...silent, code_challenge_method: 'S256' }))
    url.searchParams.set(name, value)
  try {
    const response = await reach(url, { redirect: 'manual' })
    return await judged(response, provider.clientId ?? '', redirectUri)
  } catch (error) {
    return unverifiable(
      'client',
      `${url.origin}${url.pathname}: ${(error as Error).message}`,
      'let this machine reach that address',
    )
  }
}

/** RFC 6749, 4.1.2.1: a client or a redirect URI that is not known is never sent back to. */
async function judged(response: Response, clientId: string, redirectUri: string): Promise<Probed> {
  const location = response.headers.get('location') ?? ''
  const isBack = location.startsWith(`${redirectUri}?`) || location.startsWith(`${redirectUri}#`)
  if (isBack) {
    const error = new URL(location).searchParams.get('error') ?? ''
    if (error === '' || wouldAsk.includes(error)) return passed('client', `${clientId} is known, with ${redirectUri}`)
    return failed(
      'client',
      `the provider refuses the request: ${short(error)}`,
      'let the client use the code flow with the scope openid',
    )
  }
  const page = await response.text()
  const reason = pages.find(([pattern]) => pattern.test(page))
  if (reason !== undefined) return failed('client', `${reason[1]} (${clientId}, ${redirectUri})`, reason[2])
  if (response.status >= 400)
    return failed(
      'client',
      `the provider answers HTTP ${response.status} and does not send the browser back`,
      `register ${redirectUri}, platform "web", for the client ${clientId}`,
    )
  return unverifiable(
    'client',
    `the provider shows a page where it should answer at once (HTTP ${response.status})`,
    'log in once by hand',
  )
}

/** Entra's codes stand on the page ("Microsoft Entra authentication and authorization error codes"); others use OAuth's words. */
const pages: readonly (readonly [pattern: RegExp, says: string, fix: string])[] = [
  [
    /AADSTS700016\b|\binvalid_client\b/,
    'the provider does not know the client id',
    'copy the Application (client) ID; check the tenant',
  ],
  [
    /AADSTS(50011|500113|900971)\b|redirect_uri.{0,80}(did not match|not registered|mismatch)|\binvalid_redirect_uri\b/is,
    'the redirect URI is not registered',
    'add it, letter for letter, with the platform "web"',
  ],
  [/AADSTS(90002|900021|900023)\b/, 'there is no such tenant', 'copy the Directory (tenant) ID'],
]

const passed = (check: string, says: string): Probed => ({ check, outcome: 'pass', says })
const failed = (check: string, says: string, fix: string): Probed => ({ check, outcome: 'fail', says, fix })
const unverifiable = (check: string, says: string, fix: string): Probed => ({ check, outcome: 'unverifiable', says, fix })
const short = (text: unknown): string => String(text).slice(0, 200)
