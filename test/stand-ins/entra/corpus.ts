/**
 * Tokens that are wrong in exactly one place, for an API of v2 that admits the users of one tenant. Whoever checks tokens has
 * to refuse every one of them; `sound` is what each began as, and has to be let in.
 */
import { randomUUID } from 'node:crypto'
import { consumers, type Entra } from './entra.ts'
import type { Issue } from './issue.ts'

export interface Specimen {
  readonly name: string
  readonly token: string
  /** Passes a library that follows the RFCs: refusing it takes a rule of one's own, given here. */
  readonly rule?: string
}
export interface CorpusOptions {
  /** Client ids. */
  readonly api: string
  readonly client: string
  readonly otherApi: string
  readonly otherClient: string
  /** Object id, and the tenant that is admitted. */
  readonly user: string
  readonly tenant: string
  /** A real tenant of the stand-in that is not admitted, and a user there. */
  readonly otherTenant: string
  readonly otherUser: string
}

const unknownGuid = '99999999-9999-4999-8999-999999999999'
const longScope = 'x'.repeat(65_536)

/** Rolls the keys of `entra` in an emergency, once, to have a key that was retired. */
export function corpus(
  entra: Entra,
  options: CorpusOptions,
): { readonly sound: string; readonly specimens: readonly Specimen[] } {
  const base: Issue = { client: options.client, resource: options.api, user: options.user, tenant: options.tenant }
  const issue = (change: Partial<Issue> = {}): string => entra.issue({ ...base, ...change })
  entra.rollKeys('emergency')
  const foreignKid = entra.foreignIssuerKey()
  const [own] = entra.jwks().keys
  const sound = issue()
  const [header = '', payload = '', signature = ''] = sound.split('.')
  const nowSeconds = Math.floor(entra.clock.now() / 1000)
  const issuer = entra.issuers.v2.replace('{tenantid}', options.tenant)

  const headers: Readonly<Record<string, Partial<Issue>>> = {
    'alg none': { algorithm: 'none' },
    'alg None, spelled otherwise': { algorithm: 'none', header: { alg: 'nOnE' } },
    'alg HS256 with the public key as secret': { algorithm: 'HS256' },
    'alg in lower case': { header: { alg: 'rs256' } },
    'alg of another kind of key': { header: { alg: 'ES256' } },
    'alg RS512 over a signature of RS256': { header: { alg: 'RS512' } },
    'alg missing': { header: { alg: undefined } },
    'kid unknown': { key: 'unknown' },
    'kid of a published key, signature of another': { key: 'unknown', header: { kid: own?.['kid'] } },
    'kid that is a path': { key: 'unknown', header: { kid: '../../dev/null' } },
    'kid that is SQL': { key: 'unknown', header: { kid: "' UNION SELECT 'x" } },
    'kid that is a number': { header: { kid: 1 } },
    'key that was retired in an emergency': { key: 'retired' },
    'key of another issuer': { key: 'foreign', header: { kid: foreignKid } },
    'key that the token brings along (jwk)': { key: 'unknown', header: { jwk: own } },
    'key that the token points to (jku)': { key: 'unknown', header: { jku: 'https://keys.evil.test/jwks' } },
    'crit that nobody knows': { header: { crit: ['exp-soon'], 'exp-soon': true } },
    'crit that is empty': { header: { crit: [] } },
    'payload that is not encoded (b64)': { header: { b64: false, crit: ['b64'] } },
  }
  const claims: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'iss missing': { iss: undefined },
    'iss of v1': { iss: entra.issuers.v1.replace('{tenantid}', options.tenant) },
    'iss of another tenant': { iss: entra.issuers.v2.replace('{tenantid}', options.otherTenant) },
    'iss as the template': { iss: entra.issuers.v2 },
    'iss of common': { iss: entra.issuers.v2.replace('{tenantid}', 'common') },
    'iss with a slash': { iss: `${issuer}/` },
    'iss in upper case': { iss: issuer.toUpperCase() },
    'iss on another host': { iss: `https://login.evil.test/${options.tenant}/v2.0` },
    'iss as a list': { iss: [issuer] },
    'iss and tid of another tenant': { iss: entra.issuers.v2.replace('{tenantid}', unknownGuid), tid: unknownGuid },
    'iss and tid of the consumers': { iss: entra.issuers.v2.replace('{tenantid}', consumers), tid: consumers },
    'tid missing': { tid: undefined },
    'tid of another tenant': { tid: options.otherTenant },
    'tid that is no GUID': { tid: 'contoso' },
    'tid that is an object': { tid: { toString: options.tenant } },
    'aud missing': { aud: undefined },
    'aud of another API': { aud: options.otherApi },
    'aud that begins like ours': { aud: `${options.api}0` },
    'aud with the App ID URI, which v2 never has': { aud: `api://${options.api}` },
    'aud as an empty list': { aud: [] },
    'aud as a list of others': { aud: [options.otherApi] },
    'aud of Graph': { aud: '00000003-0000-0000-c000-000000000000' },
    'exp missing': { exp: undefined },
    'exp over': { exp: nowSeconds - 600 },
    'exp as text': { exp: String(nowSeconds + 3600) },
    'exp negative': { exp: -1 },
    'exp null': { exp: null },
    'nbf ahead': { nbf: nowSeconds + 3600 },
    'nbf as text': { nbf: 'now' },
    'iat as text': { iat: 'yesterday' },
    'ver of v1': { ver: '1.0' },
    'ver missing': { ver: undefined },
    'oid missing': { oid: undefined },
    'oid that is no GUID': { oid: 'ada' },
    'sub missing': { sub: undefined },
    'scp missing': { scp: undefined },
    'scp empty': { scp: '' },
    'scp of another API': { scp: 'records.read' },
    'scp that only begins like ours': { scp: 'mcp.access.none' },
    'scp as a list': { scp: ['mcp.access'] },
    'azp missing': { azp: undefined },
    'azp of a client that is not admitted': { azp: options.otherClient },
  }
  const texts: Readonly<Record<string, string>> = {
    'payload that is not JSON': 'hello',
    'payload that is a list': '[]',
    'payload that is null': 'null',
    'payload that is empty': '',
  }
  const shapes: Readonly<Record<string, string>> = {
    'no signature': `${header}.${payload}.`,
    'half a signature': `${header}.${payload}.${signature.slice(0, 171)}`,
    'a signature with one bit turned': `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    'the payload of another token': `${header}.${issue({ claims: { oid: randomUUID() } }).split('.')[1]}.${signature}`,
    'two parts': `${header}.${payload}`,
    'four parts': `${sound}.${signature}`,
    'five parts, as if encrypted': `${header}.${payload}.${signature}.${payload}.${signature}`,
    'a header that is not JSON': `aGVsbG8.${payload}.${signature}`,
    'letters that are not base64url': `${header}.${payload}.${signature.slice(0, -4)}!!!!`,
    'nothing between the dots': '..',
  }
  const others: readonly Specimen[] = [
    { name: 'an ID token', token: entra.issue({ client: options.api, user: options.user, kind: 'id' }) },
    { name: 'an ID token of the client', token: issue({ kind: 'id' }) },
    { name: 'a token for another API', token: issue({ resource: options.otherApi }) },
    { name: 'a token of another tenant', token: entra.issue({ ...base, user: options.otherUser, tenant: options.otherTenant }) },
    { name: "an app's own token, without roles", token: entra.issue({ client: options.client, resource: options.api }) },
    {
      name: 'two audiences, ours among them',
      token: issue({ claims: { aud: [options.otherApi, options.api] } }),
      rule: 'Entra writes one audience, as text',
    },
    {
      name: 'aud twice, ours last',
      token: issue({ payloadText: payloadOf(sound).replace('{', `{"aud":"${options.otherApi}",`) }),
      rule: 'a member that comes twice means two things',
    },
    { name: '64 kB', token: issue({ claims: { rh: longScope } }), rule: 'a size limit' },
  ]
  return {
    sound,
    specimens: [
      ...Object.entries(headers).map(([name, change]) => ({ name, token: issue(change) })),
      ...Object.entries(claims).map(([name, change]) => ({ name, token: issue({ claims: change }) })),
      ...Object.entries(texts).map(([name, payloadText]) => ({ name, token: issue({ payloadText }) })),
      ...Object.entries(shapes).map(([name, token]) => ({ name, token })),
      ...others,
    ],
  }
}

const payloadOf = (token: string): string => Buffer.from(token.split('.')[1] as string, 'base64url').toString('utf8')
