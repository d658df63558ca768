/**
 * The groups of people who are in more of them than a token of Entra has room for, asked of Microsoft Graph with a token of
 * the gateway's own ("Groups overage claim"; Graph, directoryObject: getMemberObjects). The URL that a token names for this is
 * never followed. Without an answer nobody gets in: a rule that denies something to a group must not be lost.
 */
import type { Secret } from '../lib/secret.ts'
import { parseStrict } from '../lib/strict-json.ts'

export interface GraphOptions {
  readonly authority: string
  readonly graph: string
  readonly clientId: string | undefined
  readonly clientSecret: Secret | undefined
  /** Our hardened fetch. */
  readonly send: (url: string, init: GraphRequest) => Promise<Response>
  /** Milliseconds since the epoch. */
  now(): number
}
export interface GraphRequest {
  readonly method: 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
}
export interface Member {
  readonly kind: 'user' | 'application'
  readonly tenant: string
  readonly oid: string
}

/** The same in every cloud, which its address is not. */
const graphAppId = '00000003-0000-0000-c000-000000000000'
const rememberedMs = 300_000
const failuresMs = 5000
const rememberedMax = 10_000
const requestMs = 5000
/** As many as Graph gives. */
const groupsMax = 11_000
const bodyCharsMax = 1_000_000
const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

interface Remembered {
  readonly groups: Promise<readonly string[]>
  until: number
}

export class Graph {
  readonly #options: GraphOptions
  readonly #members = new Map<string, Remembered>()
  readonly #tokens = new Map<string, { readonly text: string; readonly until: number }>()

  constructor(options: GraphOptions) {
    this.#options = options
  }

  /** Object ids of the groups, those in groups included. Rejects when Graph cannot be asked, or says no. */
  groupsOf(member: Member): Promise<readonly string[]> {
    const now = this.#options.now()
    const key = `${member.kind} ${member.tenant} ${member.oid}`
    const known = this.#members.get(key)
    if (known !== undefined && now < known.until) return known.groups
    const groups = this.#ask(member)
    const remembered: Remembered = { groups, until: now + rememberedMs }
    groups.catch(() => {
      remembered.until = Math.min(remembered.until, now + failuresMs)
    })
    this.#members.delete(key)
    if (this.#members.size >= rememberedMax) this.#members.delete(this.#members.keys().next().value as string)
    this.#members.set(key, remembered)
    return groups
  }

  async #ask({ kind, tenant, oid }: Member): Promise<readonly string[]> {
    if (!guid.test(oid)) throw new Error('the token names no object id that Graph could be asked about')
    const place = kind === 'user' ? 'users' : 'servicePrincipals'
    const url = `${this.#options.graph}/v1.0/${place}/${oid}/getMemberObjects`
    const headers = { authorization: `Bearer ${await this.#token(tenant)}`, 'content-type': 'application/json' }
    const { value } = await this.#post(url, headers, JSON.stringify({ securityEnabledOnly: false }))
    if (!Array.isArray(value) || value.length > groupsMax || value.some((id) => typeof id !== 'string'))
      throw new Error(`${url} did not answer with a list of at most ${groupsMax} ids`)
    return Object.freeze(value as string[])
  }

  /** OAuth 2.0 client credentials (RFC 6749, 4.4), for what the gateway itself may read in this tenant. */
  async #token(tenant: string): Promise<string> {
    const { authority, clientId, clientSecret, now } = this.#options
    if (clientId === undefined || clientSecret === undefined)
      throw new Error(
        'a person is in more groups than their token has room for, and Graph cannot be asked: give "provider.clientId" and ' +
          '"provider.clientSecret" of a registration with the permission GroupMember.Read.All',
      )
    const known = this.#tokens.get(tenant)
    const at = now()
    if (known !== undefined && at < known.until) return known.text
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret.reveal(),
      scope: `${graphAppId}/.default`,
    })
    const url = `${authority}/${tenant}/oauth2/v2.0/token`
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { access_token: text, expires_in: lifetimeS } = await this.#post(url, headers, form.toString())
    if (typeof text !== 'string' || typeof lifetimeS !== 'number') throw new Error(`${url} did not answer with a token`)
    this.#tokens.set(tenant, { text, until: at + Math.max(lifetimeS - 120, 0) * 1000 })
    return text
  }

  /** The members of the answer. Rejects for anything but a 200; what was sent stands in no error. */
  async #post(url: string, headers: GraphRequest['headers'], body: string): Promise<Readonly<Record<string, unknown>>> {
    const response = await this.#options.send(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(requestMs) })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`${url} answered HTTP ${response.status}${reasonIn(text)}`)
    if (text.length > bodyCharsMax) throw new Error(`${url} answered with more than ${bodyCharsMax} characters`)
    const answer = parseStrict(text)
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw new Error(`${url} is not a JSON object`)
    return answer as Readonly<Record<string, unknown>>
  }
}

/** The code alone, as `AADSTS7000215` or `Authorization_RequestDenied`: the sentences around it may repeat what was sent. */
function reasonIn(text: string): string {
  const [code] = /AADSTS\d{1,9}|(?<="code"\s*:\s*")[A-Za-z_]{1,64}(?=")/.exec(text) ?? []
  return code === undefined ? '' : ` (${code})`
}
