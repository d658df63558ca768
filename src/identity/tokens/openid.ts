/** Access tokens of an OpenID provider or OAuth authorization server as the standards have them (RFC 9068). */
import { hash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Claims } from '../../pipeline/parcel.ts'
import type { Fault } from './fault.ts'
import type { KeySource, Subject, TokenIssuer } from './issuer.ts'
import { hasOverage, isElsewhere, namesIn } from './names.ts'
import { numberIn, stringIn, stringsIn, type UnverifiedToken } from './parse.ts'
import { type GetJson, metadataUrlsOf, SigningKeys } from './signing-keys.ts'

export interface OpenIdOptions {
  readonly issuer: string
  readonly getJson: GetJson
  readonly clock: Clock
  /** The claim that lists the groups of a user. */
  readonly groupsClaim: string
  readonly rolesClaim: string
}

export function openIdIssuer({ issuer, getJson, clock, groupsClaim, rolesClaim }: OpenIdOptions): TokenIssuer {
  const keys = new SigningKeys({
    metadataUrls: metadataUrlsOf(issuer),
    isIssuer: (found) => found === issuer,
    getJson,
    clock,
  })
  return standardIssuer(issuer, keys, { groupsClaim, rolesClaim })
}

interface Names {
  readonly groupsClaim: string
  readonly rolesClaim: string
}

/** The rules alone, with keys from anywhere. */
export function standardIssuer(issuer: string, keys: KeySource, names: Names): TokenIssuer {
  return {
    keysFor: ({ payload }) => (payload['iss'] === issuer ? keys : 'issuer'),
    checks: [notAnIdToken],
    subjectOf: (token) => subjectOf(issuer, token, names),
  }
}

/**
 * An ID token proves a login to a client and opens nothing (RFC 9068, 5; OpenID Connect Core, 2), and a logout token ends
 * one. Where an audience is the id of a client they are for us as well, so they have to be told from access tokens, many of
 * which are plain `JWT`. `azp` and `roles` are in ID tokens too, and prove nothing.
 */
function notAnIdToken({ header, payload }: UnverifiedToken): Fault | undefined {
  // Keycloak says here what it is (`ID`, `Refresh`, `Offline`, `Logout`), and Cognito there.
  if (!['bearer', 'dpop'].includes(String(payload['typ'] ?? 'Bearer').toLowerCase())) return 'type'
  if ((payload['token_use'] ?? 'access') !== 'access') return 'type'
  if (payload['events'] !== undefined) return 'type'
  if (/at\+jwt$/i.test(String(header['typ']))) return undefined
  if (['nonce', 'at_hash', 'c_hash'].some((name) => payload[name] !== undefined)) return 'type'
  const names = ['scope', 'scp', 'scopes', 'client_id', 'cid', 'gty']
  return names.some((name) => payload[name] !== undefined) ? undefined : 'grant'
}

/** Short, and the same for ever: users of two issuers are never the same user. */
export const issuerTag = (issuer: string): string => hash('sha256', issuer, 'base64url').slice(0, 10)

function subjectOf(issuer: string, { payload }: UnverifiedToken, { groupsClaim, rolesClaim }: Names): Subject | Fault {
  const sub = stringIn(payload, 'sub')
  if (sub === undefined || sub.length > 255) return 'subject'
  const [groups, roles] = [namesIn(payload, groupsClaim), namesIn(payload, rolesClaim)]
  if (groups === undefined || roles === undefined) return 'names'
  // `cid` is Okta's.
  const client = stringIn(payload, 'client_id') ?? stringIn(payload, 'azp') ?? stringIn(payload, 'cid')
  // RFC 9068, 2.2: where no person is involved, the subject is the client.
  const kind = client !== undefined && sub === client ? 'application' : 'user'
  return {
    kind,
    name: `${issuerTag(issuer)}.${encodeURIComponent(sub.toWellFormed())}`,
    claims: {
      client,
      tenant: undefined,
      groups,
      roles,
      ...commonClaims(payload),
    },
    ...((hasOverage(payload, groupsClaim) || isElsewhere(payload, rolesClaim)) && { groupsElsewhere: true }),
  }
}

/** What all issuers say in the same way. */
export function commonClaims(
  payload: JsonObject,
): Pick<Claims, 'scopes' | 'contexts' | 'authenticatedAt' | 'answersChallenges' | 'tokenId'> {
  const acr = stringIn(payload, 'acr')
  return {
    scopes: scopesOf(payload),
    contexts: [...(acr === undefined ? [] : [acr]), ...stringsIn(payload, 'acrs')],
    authenticatedAt: numberIn(payload, 'auth_time'),
    answersChallenges: stringsIn(payload, 'xms_cc').some((one) => one.toLowerCase() === 'cp1'),
    tokenId: stringIn(payload, 'jti') ?? stringIn(payload, 'uti'),
  }
}

/** `scope` (RFC 9068) or `scp` (Entra and others), separated by spaces or listed. */
function scopesOf(payload: JsonObject): readonly string[] {
  const given = payload['scope'] ?? payload['scp']
  if (typeof given === 'string') return given.split(' ').filter((scope) => scope !== '')
  return stringsIn(payload, payload['scope'] === undefined ? 'scp' : 'scope')
}
