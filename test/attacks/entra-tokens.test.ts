/**
 * AUTH-C4, AUTH-C6, TPT-C1: tokens of Entra at the gateway as resource server. Eighty that are wrong in one place each, with
 * the verdict of a verifier that is not ours beside; then the kinds of token that are right, v1 and v2, of people, guests and
 * applications, with more groups than a token holds; and what the keys and Graph can do to us.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ConfigRefused, createGateway, type LibraryGateway } from '../../src/index.ts'
import { minuteMs, takeTime } from '../e2e/support/time.ts'
import { Yard } from '../e2e/support/yard.ts'
import { ada, bo, company, contoso, crm, desktop, fabrikam, fay, gateway, guest, single } from '../stand-ins/entra/contoso.ts'
import { corpus } from '../stand-ins/entra/corpus.ts'
import { type Entra, startEntra } from '../stand-ins/entra/entra.ts'
import type { Issue } from '../stand-ins/entra/issue.ts'
import { referenceFor, strictly } from '../stand-ins/entra/reference.ts'
import { modernParts } from './support/client.ts'
import { echo } from './support/echo.ts'

/** Says that there are too many groups in the other way. */
const hasty = { ...gateway, clientId: '33333333-0000-4000-8000-000000000009', name: 'Hasty', groupClaims: 'hasgroups' } as const
const lastGroup = bo.groups.at(-1) as string
const yard = new Yard()
const time = takeTime({ monotonic: true })
const upstream = await echo()
process.env['ENTRA_TOKENS_SECRET'] = gateway.secrets[0]
after(async () => {
  time.restore()
  await upstream.close()
  await yard.close()
})

const startCompany = (): Promise<Entra> => startEntra({ ...company, apps: [...company.apps, hasty], plainHttpOnLoopback: true })
const read = { effect: 'allow', server: '*', tools: ['*'] }

interface Rig {
  readonly entra: Entra
  readonly gateway: LibraryGateway
  /** Of one call of a tool that reads. */
  send(token: string): Promise<Response>
  close(): Promise<void>
}

async function rig(
  identity: object = {},
  provider: object = {},
  bindings: readonly object[] = [{ role: 'all', tenant: contoso }],
): Promise<Rig> {
  const entra = await startCompany()
  const folder = yard.folder()
  const config = {
    store: `sqlite:${join(folder, 'sekisho.db')}`,
    publicUrl: 'https://gw.example.com',
    allowedHosts: ['gw.example.com'],
    identity: {
      mode: 'resource-server',
      provider: {
        kind: 'entra',
        tenant: contoso,
        authority: entra.url,
        graph: entra.url,
        clientId: gateway.clientId,
        clientSecret: 'env:ENTRA_TOKENS_SECRET',
        ...provider,
      },
      audience: [gateway.clientId, hasty.clientId, crm.identifierUris[0]],
      ...identity,
    },
    servers: { x: { url: upstream.url, era: 'modern', transport: 'streamable-http', tools: { read: ['read_note'] } } },
    roles: { all: [read] },
    bindings,
  }
  const opened = await createGateway(config as never, { folder }).catch(async (error: unknown) => {
    await entra.close()
    throw error
  })
  return {
    entra,
    gateway: opened,
    send: (token) => {
      const { headers, body } = modernParts('tools/call', { name: 'read_note', arguments: {} }, { token })
      const all = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }
      return opened.fetch(
        new Request('https://gw.example.com/x/mcp', {
          method: 'POST',
          headers: all as Record<string, string>,
          body: String(body),
        }),
      )
    },
    close: async () => {
      await opened.close()
      await entra.close()
    },
  }
}

/** What became of it: let in, or the fault that the challenge names. */
async function verdict(response: Response): Promise<string> {
  const text = await response.text()
  if (response.status === 200) return text.includes('POLICY_DENIED') ? 'known, and denied' : 'let in'
  const challenge = response.headers.get('www-authenticate') ?? ''
  return `${response.status} ${/error_description="([^"]*)"/.exec(challenge)?.[1] ?? 'no challenge'}`
}

describe('eighty tokens that are wrong in one place', async () => {
  const scopes = { read: 'mcp.access', write: 'mcp.access', destructive: 'mcp.access' }
  const one = await rig({ audience: gateway.clientId, clients: [desktop.clientId], scopes })
  after(() => one.close())
  const { sound, specimens } = corpus(one.entra, {
    ...{ api: gateway.clientId, client: desktop.clientId, otherApi: crm.clientId, otherClient: single.clientId },
    ...{ user: ada.oid, tenant: contoso, otherTenant: fabrikam, otherUser: fay.oid },
  })
  const expected = { tenant: contoso, api: gateway.clientId, client: desktop.clientId, scope: 'mcp.access' }
  const reference = referenceFor(one.entra, expected)

  for (const { name, token, rule } of specimens)
    it(rule === undefined ? name : `${name} (stricter than the reference: ${rule})`, async () => {
      const said = await verdict(await one.send(token))
      assert.match(said, /^(401|403 mcp\.access is needed)/)
      if (rule === undefined) await assert.rejects(reference(token), 'and the reference refuses it too')
      else assert.throws(() => strictly(token))
    })

  it('what they began as is let in, by both', async () => {
    await reference(sound)
    assert.equal(await verdict(await one.send(sound)), 'let in')
    assert.ok(specimens.length >= 80, `${specimens.length} specimens`)
  })
})

describe('kinds of token', async () => {
  const one = await rig()
  after(() => one.close())
  const person: Issue = { client: desktop.clientId, resource: gateway.clientId, user: ada.oid }
  const v1: Issue = { client: desktop.clientId, resource: crm.identifierUris[0], user: ada.oid }
  const app: Issue = { client: desktop.clientId, resource: gateway.clientId, claims: { roles: ['Mcp.Call'] } }
  const kinds: readonly (readonly [name: string, wanted: Issue, verdict: string])[] = [
    ['v2, of a person', person, 'let in'],
    ['v1, of a person, by the App ID URI', v1, 'let in'],
    ['v1 that claims to be v2', { ...v1, claims: { ver: '2.0' } }, '401 the token is from another issuer'],
    ['v2 that claims to be v1', { ...person, claims: { ver: '1.0' } }, '401 the token is from another issuer'],
    [
      'v1 with the issuer of v2',
      { ...v1, claims: { iss: one.entra.issuers.v2.replace('{tenantid}', contoso) } },
      '401 the token is from another issuer',
    ],
    [
      'v1 for the client id, where the URI is accepted',
      { ...v1, resource: crm.clientId },
      '401 the token was issued for another audience',
    ],
    ['a guest', { ...person, user: guest.oid }, 'let in'],
    [
      'a guest, in the tenant they come from',
      { ...person, user: fay.oid, tenant: fabrikam },
      '401 the token is from a tenant that is not accepted here',
    ],
    ['an application with roles and idtyp', app, 'let in'],
    [
      'an application with roles, without idtyp',
      { ...app, claims: { roles: ['Mcp.Call'], idtyp: undefined } },
      '401 the token does not say whose it is',
    ],
    [
      'an application, v1, without idtyp',
      { client: gateway.clientId, resource: crm.identifierUris[0] },
      '401 the token does not say whose it is',
    ],
    [
      'an application without roles',
      { client: desktop.clientId, resource: gateway.clientId },
      '401 the token has neither scopes nor roles nor the id of a client, as access tokens have',
    ],
    [
      'an application that says it is a person',
      { ...app, claims: { roles: ['Mcp.Call'], idtyp: 'user' } },
      '401 the token does not say whose it is',
    ],
    [
      'a person who is said to be an application',
      { ...person, claims: { idtyp: 'app' } },
      '401 the token does not say whose it is',
    ],
  ]
  for (const [name, wanted, expected] of kinds)
    it(`${name}: ${expected}`, async () => {
      assert.equal(await verdict(await one.send(one.entra.issue(wanted))), expected)
    })

  it('an application is nobody’s user, and a guest is a user of the tenant they are a guest in', async () => {
    const names: string[] = []
    const other = await rig({}, {}, [])
    try {
      for (const wanted of [app, { ...person, user: guest.oid }]) {
        const text = await (await other.send(other.entra.issue(wanted))).text()
        names.push(/--principal ([a-z]+:[\w.-]+)/.exec(text)?.[1] ?? text)
      }
    } finally {
      await other.close()
    }
    assert.match(names[0] ?? '', new RegExp(`^application:${contoso}\\.`))
    assert.equal(names[1], `user:${contoso}.${guest.oid}`)
  })
})

describe('more groups than a token holds', () => {
  const bound = [{ role: 'all', group: lastGroup }]
  const token = (entra: Entra, api: string, user: string = bo.oid): string =>
    entra.issue({ client: desktop.clientId, resource: api, user })

  for (const [name, api] of [
    ['_claim_names', gateway.clientId],
    ['hasgroups', hasty.clientId],
  ] as const)
    it(`${name}: Graph is asked, once, and never at the address in the token`, async () => {
      const one = await rig({}, {}, bound)
      try {
        const whole = token(one.entra, api)
        assert.equal(await verdict(await one.send(whole)), 'let in')
        assert.equal(await verdict(await one.send(token(one.entra, api))), 'let in')
        assert.deepEqual(
          one.entra.journal('graph').map(({ path, status }) => [path, status]),
          [[`/v1.0/users/${bo.oid}/getMemberObjects`, 200]],
        )
      } finally {
        await one.close()
      }
    })

  it('whose groups fit is not asked about; who is in none of them stays outside', async () => {
    const one = await rig({}, {}, bound)
    try {
      assert.equal(await verdict(await one.send(token(one.entra, gateway.clientId, ada.oid))), 'known, and denied')
      assert.deepEqual(one.entra.journal('graph'), [])
    } finally {
      await one.close()
    }
  })

  const troubles: readonly (readonly [string, provider: object, (entra: Entra) => void])[] = [
    ['Graph is down', {}, (entra) => entra.fail('graph', { status: 503 })],
    ['Graph wants us to wait', {}, (entra) => entra.fail('graph', { status: 429, retryAfterSeconds: 30 })],
    ['Graph breaks off', {}, (entra) => entra.fail('graph', { truncated: true })],
    ['Entra has no token for us', {}, (entra) => entra.fail('token', { status: 500 })],
    ['we have no secret', { clientSecret: undefined }, () => undefined],
  ]
  for (const [name, provider, trouble] of troubles)
    it(`${name}: nobody gets in by half of what is known of them`, async () => {
      const one = await rig({}, provider, [...bound, { role: 'all', tenant: contoso }])
      try {
        trouble(one.entra)
        const response = await one.send(token(one.entra, gateway.clientId))
        assert.equal(response.status, 503)
        assert.match(await response.text(), /IDENTITY_UNAVAILABLE/)
        assert.equal(await verdict(await one.send(token(one.entra, gateway.clientId, ada.oid))), 'let in', 'others do')
      } finally {
        await one.close()
      }
    })
})

describe('keys', () => {
  const issue = (entra: Entra, more: Partial<Issue> = {}): string =>
    entra.issue({ client: desktop.clientId, resource: gateway.clientId, user: ada.oid, lifetimeSeconds: 7200, ...more })

  for (const how of ['overlap', 'emergency'] as const)
    it(`rolled (${how}): new tokens pass at once; old ones for as long as their key is published, or an hour`, async () => {
      const one = await rig()
      try {
        const old = [issue(one.entra), issue(one.entra)] as const
        assert.equal(await verdict(await one.send(issue(one.entra))), 'let in')
        one.entra.rollKeys(how)
        assert.equal(await verdict(await one.send(issue(one.entra))), 'let in')
        assert.equal(await verdict(await one.send(old[0])), 'let in')
        time.advance(61 * minuteMs)
        const after = how === 'overlap' ? 'let in' : '401 the token is signed with a key that its issuer does not publish'
        assert.equal(await verdict(await one.send(old[1])), after)
        assert.equal(await verdict(await one.send(issue(one.entra))), 'let in')
      } finally {
        await one.close()
      }
    })

  it('that nobody knows, fifty of them: Entra is asked once more, and again after five minutes', async () => {
    const one = await rig()
    const asked = (): number => one.entra.journal('keys').length
    const unknown = (nth: number): string => issue(one.entra, { key: 'unknown', header: { kid: `unknown-${nth}` } })
    try {
      assert.equal(await verdict(await one.send(issue(one.entra))), 'let in')
      assert.equal(asked(), 1)
      const flood = Array.from({ length: 50 }, (_, nth) => one.send(unknown(nth)).then(verdict))
      assert.deepEqual(
        [...new Set(await Promise.all(flood))],
        ['401 the token is signed with a key that its issuer does not publish'],
      )
      assert.equal(asked(), 2)
      time.advance(6 * minuteMs)
      await one.send(unknown(51))
      assert.equal(asked(), 3)
    } finally {
      await one.close()
    }
  })

  it('cannot be had: nobody gets in, and it is no fault of theirs', async () => {
    const one = await rig()
    try {
      one.entra.fail('keys', { status: 500, times: Number.POSITIVE_INFINITY })
      const response = await one.send(issue(one.entra))
      assert.deepEqual([response.status, response.headers.get('www-authenticate')], [503, null])
    } finally {
      await one.close()
    }
  })
})

describe('starts with tenants that are named', () => {
  for (const tenant of ['common', 'organizations', 'consumers', 'contoso.test'])
    it(`not with ${tenant}`, async () => {
      await assert.rejects(rig({}, { tenant }), (error: Error) => {
        assert.ok(error instanceof ConfigRefused)
        assert.match(
          JSON.stringify(error.problems),
          tenant.includes('.') ? /is not a tenant id/ : /lets in everyone with a Microsoft account/,
        )
        return true
      })
    })

  it('several: each has its own keys and its own people', async () => {
    const one = await rig({}, { tenant: undefined, tenants: [contoso, fabrikam] }, [{ role: 'all', tenant: fabrikam }])
    try {
      const issue = (user: string, tenant: string): string =>
        one.entra.issue({ client: desktop.clientId, resource: gateway.clientId, user, tenant })
      assert.equal(await verdict(await one.send(issue(fay.oid, fabrikam))), 'let in')
      assert.equal(await verdict(await one.send(issue(ada.oid, contoso))), 'known, and denied')
    } finally {
      await one.close()
    }
  })
})
