/**
 * Authorization requests under way: what was asked, of whom, for whom, until the browser is back (RFC 6749 section 4.1,
 * RFC 7636, RFC 9207). One answer each, within ten minutes, from the person who began (MCP, elicitation of the wrong user).
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { isLoopback } from '../../lib/loopback.ts'
import { unguessable } from '../../lib/random.ts'
import type { Principal } from '../../pipeline/parcel.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import type { AuthorizationServer } from './discovery.ts'
import { TokenRefused } from './failure.ts'
import type { Registration } from './registration.ts'

export interface Request {
  readonly server: string
  /** The endpoint that the tokens will be for. */
  readonly url: string
  readonly principal: Principal
  /** As its metadata had it before the browser left: the answer is compared with this and nothing newer. */
  readonly at: AuthorizationServer
  readonly registration: Registration
  readonly resource: string
  readonly scope: readonly string[]
}
interface Pending extends Request {
  readonly verifier: string
  readonly until: number
}
export interface Answered extends Request {
  readonly code: string
  readonly verifier: string
}

const pendingMsMax = 600_000
const pendingMax = 10_000
const pendingMaxPerPrincipal = 20

export class Authorizations {
  readonly #clock: Clock
  readonly #pending = new Map<string, Pending>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The URL to send the browser to. Throws {@link TokenRefused} where it is none that a browser may be sent to. */
  begin(request: Request): string {
    const { at, registration, resource, scope, principal } = request
    if (!at.hasS256) throw new TokenRefused('no_pkce', 'the authorization server does not say that it supports PKCE with S256')
    const url = authorizationUrl(at.authorizationEndpoint)
    const state = unguessable()
    const verifier = unguessable()
    const parameters = {
      response_type: 'code',
      client_id: registration.clientId,
      redirect_uri: registration.redirectUri,
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource,
      ...(scope.length > 0 && { scope: scope.join(' ') }),
    }
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    this.#makeRoom(principal.id)
    this.#pending.set(state, { ...request, verifier, until: this.#clock.monotonic() + pendingMsMax })
    return url.href
  }

  /**
   * What the browser came back with, for `principal`, whom the session of that browser belongs to. Throws CONNECT_REFUSED;
   * an error of the authorization server is only looked at once it is known to be its own (RFC 9207 section 2.4).
   */
  complete(answer: URLSearchParams, principal: Principal): Answered {
    const state = answer.get('state') ?? ''
    const pending = this.#pending.get(state)
    this.#pending.delete(state) // whatever it is, it is looked at once
    for (const name of ['state', 'code', 'iss', 'error'])
      if (answer.getAll(name).length > 1) throw refused(`"${name}" came twice`)
    if (pending === undefined || pending.until <= this.#clock.monotonic())
      throw refused('it belongs to no request that was made here in the last ten minutes')
    if (pending.principal.id !== principal.id) throw refused('somebody else has begun it')
    const { until: _, ...request } = pending
    const issuer = answer.get('iss')
    if (issuer === null ? request.at.sendsIssuer : issuer !== request.at.issuer)
      throw refused('it does not come from the authorization server that was asked')
    const error = answer.get('error')
    if (error !== null)
      throw refused(`the authorization server answered ${/^[\w.-]{1,64}$/.test(error) ? error : 'with an error'}`)
    const code = answer.get('code')
    if (!code) throw refused('it has no code')
    return { ...request, code }
  }

  #makeRoom(principal: string): void {
    const now = this.#clock.monotonic()
    let own = 0
    for (const [state, pending] of this.#pending) {
      if (pending.until <= now) this.#pending.delete(state)
      else if (pending.principal.id === principal) own++
    }
    for (const [state, pending] of this.#pending) {
      const isTooMany = this.#pending.size >= pendingMax || (own >= pendingMaxPerPrincipal && pending.principal.id === principal)
      if (!isTooMany) continue
      this.#pending.delete(state)
      if (pending.principal.id === principal) own--
    }
  }
}

const refused = (detail: string): Refusal => new Refusal('CONNECT_REFUSED', { detail })

/** https, or http on this machine: whatever else metadata names, no browser is sent there (MCP, OAuth Authorization URL Validation). */
function authorizationUrl(endpoint: string | undefined): URL {
  const url = endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined)
    throw new TokenRefused('no_authorization_endpoint', 'the authorization server has no authorization endpoint')
  if (!isBrowsable(url)) throw new TokenRefused('unsafe_endpoint', 'the authorization endpoint is not an https URL')
  return url
}

export const isBrowsable = ({ protocol, hostname, username, password, hash }: URL): boolean =>
  (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) && username === '' && password === '' && hash === ''
