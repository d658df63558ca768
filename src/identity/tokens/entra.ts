/**
 * Access tokens of Microsoft Entra ID, versions 1.0 and 2.0 (Microsoft identity platform, "Access tokens", "Claims
 * validation"). A v1.0 token is checked with v1.0 metadata and a v2.0 token with v2.0 metadata, of its own tenant, and
 * only of tenants on the list. People are known by `tid` and `oid`; never by `upn`, `email` or a name.
 */
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Fault } from './fault.ts'
import type { ClaimCheck, Subject, TokenIssuer } from './issuer.ts'
import { hasOverage, namesIn } from './names.ts'
import { commonClaims } from './openid.ts'
import { stringIn, stringsIn, type UnverifiedToken } from './parse.ts'
import { type GetJson, SigningKeys } from './signing-keys.ts'

export interface EntraOptions {
  /** GUIDs in lower case. */
  readonly tenants: readonly string[]
  /** `https://login.microsoftonline.com`, or the one of another cloud. */
  readonly authority: string
  /** Issuer of v1.0 tokens with `{tenant}` for the tenant: `https://sts.windows.net/{tenant}/`. */
  readonly legacyIssuer: string
  readonly getJson: GetJson
  readonly clock: Clock
}

type Version = '1.0' | '2.0'
const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function entraIssuer({ tenants, authority, legacyIssuer, getJson, clock }: EntraOptions): TokenIssuer {
  const issuerOf = (tenant: string, version: Version): string =>
    version === '1.0' ? legacyIssuer.replace('{tenant}', tenant) : `${authority}/${tenant}/v2.0`
  const sources = new Map<string, SigningKeys>()
  function sourceOf(tenant: string, version: Version): SigningKeys {
    const name = `${version} ${tenant}`
    let source = sources.get(name)
    if (source === undefined) {
      const issuer = issuerOf(tenant, version)
      const path = version === '1.0' ? tenant : `${tenant}/v2.0`
      const metadataUrls = [`${authority}/${path}/.well-known/openid-configuration`]
      sources.set(name, (source = new SigningKeys({ metadataUrls, isIssuer: (found) => found === issuer, getJson, clock })))
    }
    return source
  }
  return {
    keysFor({ payload }) {
      const tenant = tenantOf(payload)
      const version = versionOf(payload)
      if (tenant === undefined || !tenants.includes(tenant)) return 'tenant'
      if (version === undefined) return 'version'
      return payload['iss'] === issuerOf(tenant, version) ? sourceOf(tenant, version) : 'issuer'
    },
    checks: [keyIsForTheIssuer, isForOne, isAccessToken],
    subjectOf,
  }
}

const tenantOf = (payload: JsonObject): string | undefined => {
  const tid = stringIn(payload, 'tid')
  return tid !== undefined && guid.test(tid) ? tid : undefined
}

const versionOf = ({ ver }: JsonObject): Version | undefined => (ver === '1.0' || ver === '2.0' ? ver : undefined)

/** A key says for whom it signs; one of another tenant does not count, although it is published here. */
const keyIsForTheIssuer: ClaimCheck = ({ payload }, { issuer }) => {
  if (issuer === undefined) return undefined
  const [tid, iss] = [tenantOf(payload) ?? '', payload['iss']]
  const own = issuer.replace('{tenantid}', tid)
  // Keys carry the v2.0 issuer in both documents; what counts is the tenant in it.
  return own === iss || own.split('/')[3] === tid ? undefined : 'key'
}

/** Entra issues a token for one API, and writes it as text. A list of audiences was not written by Entra. */
const isForOne: ClaimCheck = ({ payload }) => (typeof payload['aud'] === 'string' ? undefined : 'audience')

/** An access token has scopes (for a user) or roles; an ID token for the same audience has neither scopes nor a client. */
function isAccessToken({ payload }: UnverifiedToken): Fault | undefined {
  if (payload['nonce'] !== undefined) return 'type'
  const isDelegated = stringIn(payload, 'scp') !== undefined
  if (stringIn(payload, 'azp') === undefined && stringIn(payload, 'appid') === undefined) return 'type'
  return isDelegated || stringsIn(payload, 'roles').length > 0 ? undefined : 'grant'
}

function subjectOf({ payload }: UnverifiedToken): Subject | Fault {
  const tenant = tenantOf(payload)
  const oid = stringIn(payload, 'oid')
  const isSomebody = oid !== undefined && guid.test(oid) && stringIn(payload, 'sub') !== undefined
  if (tenant === undefined || !isSomebody) return 'subject'
  const isDelegated = stringIn(payload, 'scp') !== undefined
  // Roles alone are no sign of an application: people have them too. The API's registration has to ask for `idtyp`.
  if (isDelegated === (payload['idtyp'] === 'app')) return 'subject'
  const [groups, roles] = [namesIn(payload, 'groups'), namesIn(payload, 'roles')]
  if (groups === undefined || roles === undefined) return 'names'
  return {
    kind: isDelegated ? 'user' : 'application',
    name: `${tenant}.${oid}`,
    claims: {
      client: stringIn(payload, 'azp') ?? stringIn(payload, 'appid'),
      tenant,
      groups,
      roles,
      ...commonClaims(payload),
    },
    ...(hasOverage(payload) && { groupsElsewhere: true }),
  }
}
