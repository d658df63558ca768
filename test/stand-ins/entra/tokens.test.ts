/** What stands in a token: v1 beside v2, a person's beside an app's, and how long it lives. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { post } from './ask.ts'
import { ada, bo, company, contoso, crm, desktop, fabrikam, gateway, guest } from './contoso.ts'
import type { App } from './directory.ts'
import { startEntra } from './entra.ts'
import type { Issue } from './issue.ts'

const nowMs = Date.parse('2026-11-20T10:00:00Z')
let chance = 0
const lasting: App = {
  ...crm,
  clientId: '33333333-0000-4000-8000-000000000007',
  identifierUris: ['api://lasting'],
  continuousAccess: true,
  groupClaims: 'hasgroups',
}
const boss = {
  ...ada,
  oid: '44444444-0000-4000-8000-000000000009',
  username: 'boss@contoso.test',
  wids: ['62e90394-69f5-4237-9190-012177145e10'],
}
const many = { ...ada, oid: '44444444-0000-4000-8000-00000000000a', username: 'many@contoso.test', groups: bo.groups.slice(1) }
const entra = await startEntra({
  ...{ ...company, apps: [...company.apps, lasting], users: [...company.users, boss, many] },
  ...{ plainHttpOnLoopback: true, clock: { now: () => nowMs }, random: () => chance },
})
after(() => entra.close())

const made = (wanted: Partial<Issue>) => {
  const token = entra.issue({ client: desktop.clientId, resource: gateway.clientId, user: ada.oid, ...wanted })
  return { header: decodeProtectedHeader(token), claims: decodeJwt(token) as Record<string, unknown> }
}
const v1: Partial<Issue> = { resource: 'api://crm.contoso.test' }

describe('claims', () => {
  const rows: readonly (readonly [
    why: string,
    wanted: Partial<Issue>,
    has: Record<string, unknown>,
    lacks: readonly string[],
  ])[] = [
    [
      'v2 of a person',
      {},
      {
        ...{ aud: gateway.clientId, iss: `${entra.url}/${contoso}/v2.0`, ver: '2.0', azp: desktop.clientId, azpacr: '0' },
        ...{ oid: ada.oid, tid: contoso, name: ada.name, preferred_username: ada.username, scp: 'mcp.access mcp.admin' },
        ...{ roles: ['Reader'], groups: ada.groups, idtyp: 'user' },
      },
      ['appid', 'appidacr', 'amr', 'acr', 'upn', 'unique_name', 'idp', 'acrs', 'xms_cc'],
    ],
    [
      'v1 of a person: the audience is the resource as it was asked for',
      v1,
      {
        ...{ aud: 'api://crm.contoso.test', iss: `https://sts.windows.net/${contoso}/`, ver: '1.0', appid: desktop.clientId },
        ...{
          appidacr: '0',
          acr: '1',
          amr: ['pwd'],
          unique_name: ada.username,
          upn: ada.username,
          scp: 'records.read records.write',
        },
      },
      ['azp', 'azpacr', 'preferred_username', 'groups', 'idtyp', 'roles'],
    ],
    ['v1, asked for by client id', { resource: crm.clientId }, { aud: crm.clientId }, []],
    [
      'v2 of an app: roles, no scp, and idtyp where the API asks for it',
      { user: undefined, client: gateway.clientId },
      { idtyp: 'app', azp: gateway.clientId, azpacr: '1', tid: contoso },
      ['scp', 'name', 'preferred_username', 'groups', 'roles'],
    ],
    [
      'v1 of an app with a role',
      { ...v1, user: undefined, client: gateway.clientId },
      { roles: ['Records.Read.All'], appidacr: '1' },
      ['scp', 'idtyp', 'upn'],
    ],
    ['a guest', { user: guest.oid }, { idp: `https://sts.windows.net/${fabrikam}/`, preferred_username: guest.username }, []],
    ['a guest in v1 has no upn here', { ...v1, user: guest.oid }, { unique_name: guest.username }, ['upn']],
    ['contexts reached', { acrs: ['c1', 'c2'] }, { acrs: ['c1', 'c2'] }, []],
    ['what the client can do', { capabilities: ['cp1'] }, { xms_cc: ['cp1'] }, []],
    ['what the client can do, where the API does not ask', { ...v1, capabilities: ['cp1'] }, {}, ['xms_cc']],
    ['directory roles', { user: boss.oid }, { wids: boss.wids }, []],
    [
      'more groups than a token holds',
      { user: bo.oid },
      {
        _claim_names: { groups: 'src1' },
        _claim_sources: { src1: { endpoint: `https://graph.windows.net/${contoso}/users/${bo.oid}/getMemberObjects` } },
      },
      ['groups', 'hasgroups'],
    ],
    [
      'more groups, in the other way of saying it',
      { user: bo.oid, resource: 'api://lasting' },
      { hasgroups: true },
      ['groups', '_claim_names'],
    ],
    [
      'an ID token',
      { kind: 'id', client: gateway.clientId, nonce: 'n' },
      { aud: gateway.clientId, nonce: 'n', oid: ada.oid, ver: '2.0' },
      ['scp', 'azp', 'appid'],
    ],
  ]
  for (const [why, wanted, has, lacks] of rows)
    it(why, () => {
      const { claims } = made(wanted)
      assert.deepEqual(Object.fromEntries(Object.keys(has).map((name) => [name, claims[name]])), has)
      assert.deepEqual(
        lacks.filter((name) => name in claims),
        [],
      )
    })

  it('exactly 200 groups still fit', () => {
    assert.deepEqual(made({ user: many.oid }).claims['groups'], many.groups)
  })
  it('sub is another one for every API, and the same each time; uti never is', () => {
    const [here, again, there] = [made({}), made({}), made(v1)].map(({ claims }) => claims)
    assert.equal(here?.['sub'], again?.['sub'])
    assert.notEqual(here?.['sub'], there?.['sub'])
    assert.notEqual(here?.['uti'], again?.['uti'])
    assert.notEqual(here?.['sub'], ada.oid)
  })
  it("an app's sub is its object id in the tenant", () => {
    const { claims } = made({ user: undefined })
    assert.equal(claims['sub'], claims['oid'])
    assert.match(String(claims['oid']), /^[0-9a-f-]{36}$/)
  })
})

describe('header', () => {
  it('v2 has no x5t, v1 has; neither says more than it must', () => {
    const { kid } = entra.jwks().keys.find((key) => key['kid'] === made({}).header.kid) ?? {}
    assert.deepEqual(made({}).header, { typ: 'JWT', alg: 'RS256', kid })
    assert.deepEqual(made(v1).header, { typ: 'JWT', alg: 'RS256', x5t: kid, kid })
  })
})

describe('lifetime, by chance between 60 and 90 minutes', () => {
  const rows: readonly (readonly [why: string, wanted: Partial<Issue>, chance: number, seconds: number])[] = [
    ['the shortest', {}, 0, 3600],
    ['half way', {}, 0.5, 4500],
    ['nearly the longest', {}, 0.9999, 5399],
    ['with continuous access evaluation: 20 hours', { resource: 'api://lasting', capabilities: ['cp1'] }, 0, 72_000],
    ['and up to 28', { resource: 'api://lasting', capabilities: ['cp1'] }, 0.9999, 100_797],
    ['a client that does not know of it gets the usual', { resource: 'api://lasting' }, 0, 3600],
  ]
  for (const [why, wanted, by, seconds] of rows)
    it(why, () => {
      chance = by
      const { iat, nbf, exp } = made(wanted).claims
      chance = 0
      assert.deepEqual([iat, nbf, exp], [nowMs / 1000 - 300, nowMs / 1000 - 300, nowMs / 1000 + seconds])
    })
  it('the clock can be put forward', () => {
    entra.clock.advance(1000)
    assert.equal(made({}).claims['exp'], nowMs / 1000 + 1 + 3600)
    entra.clock.advance(-1000)
  })
})

it('an answer says how long: one second less than the token', async () => {
  const secret = { client_id: gateway.clientId, client_secret: gateway.secrets[0] }
  const { body, headers } = await post(entra, contoso, {
    ...secret,
    grant_type: 'client_credentials',
    scope: 'api://crm.contoso.test/.default',
  })
  assert.deepEqual(
    { ...body, access_token: '' },
    { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: '' },
  )
  assert.equal(headers.get('cache-control'), 'no-store, no-cache')
})
