import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { Secret } from '../../lib/secret.ts'
import { Broker, type BrokerOptions } from './broker.ts'
import type { Challenge } from './challenge.ts'
import { bare } from './credential.ts'
import {
  alice,
  bob,
  configured,
  failure,
  issuer,
  metadata,
  type Page,
  refusalOf,
  serverUrl,
  token,
  World,
} from './fixture.test.ts'
import { clientMetadata } from './registration.ts'

const prm = 'https://crm.example/.well-known/oauth-protected-resource/mcp'
const asMetadata = `${issuer}/.well-known/oauth-authorization-server`
const tokenUrl = `${issuer}/token`
const registration = (): object => ({
  client_id: 'dynamic',
  client_secret: 's3cr3t',
  token_endpoint_auth_method: 'client_secret_post',
})

function desk({
  config = {},
  pages = {},
  ports = {},
  as = {},
}: {
  config?: object
  pages?: Record<string, Page>
  ports?: Partial<BrokerOptions>
  as?: object
} = {}) {
  const world = new World({
    ...metadata(as),
    [tokenUrl]: () => token(),
    [`${issuer}/register`]: () => Response.json(registration(), { status: 201 }),
    ...pages,
  })
  const whole = configured({ kind: 'oauth', ...config })
  const open = (url = serverUrl, more: Partial<BrokerOptions> = ports) => {
    const broker = new Broker(world.options(more))
    const bound = broker.bind({ server: 'crm', url }, whole)
    assert.ok(bound)
    return { broker, bound }
  }
  return { world, open, ...open() }
}
const challenge = (more: Partial<Challenge> = {}): Challenge => ({
  status: 401,
  error: undefined,
  scope: undefined,
  resourceMetadata: undefined,
  claims: undefined,
  ...more,
})
const back = (url: string, more: Record<string, string> = {}): URLSearchParams =>
  new URLSearchParams({ state: new URL(url).searchParams.get('state') ?? '', code: 'the-code', iss: issuer, ...more })
async function connected(one: ReturnType<typeof desk>, who = alice): Promise<void> {
  assert.equal(await one.broker.complete(back(await one.broker.begin('crm', who)), who), 'crm')
}
const headers = async (one: Pick<ReturnType<typeof desk>, 'bound'>, who = alice) =>
  (await one.bound(who).show()).headers['authorization']

describe('what a user may be sent to', () => {
  const metadataOf = (more: object): Record<string, Page> => metadata(more)
  const broken: readonly (readonly [says: string, pages: Record<string, Page>, cause: RegExp])[] = [
    [
      'metadata of another resource',
      { [prm]: { resource: 'https://evil.example/mcp', authorization_servers: [issuer] } },
      /another resource/,
    ],
    [
      'metadata of a deeper resource',
      { [prm]: { resource: `${serverUrl}/deeper`, authorization_servers: [issuer] } },
      /another resource/,
    ],
    [
      'metadata of a resource with the same beginning',
      { [prm]: { resource: 'https://crm.example/mc', authorization_servers: [issuer] } },
      /another resource/,
    ],
    ['metadata without a resource', { [prm]: { authorization_servers: [issuer] } }, /another resource/],
    ['metadata that names no authorization server', { [prm]: { resource: serverUrl } }, /names no authorization server/],
    ['an issuer by http', { [prm]: { resource: serverUrl, authorization_servers: ['http://as.example'] } }, /not an https URL/],
    ['an issuer with a query', { [prm]: { resource: serverUrl, authorization_servers: [`${issuer}?x=1`] } }, /not an https URL/],
    [
      'an issuer that is none',
      { [prm]: { resource: serverUrl, authorization_servers: ['javascript:alert(1)'] } },
      /not an https URL/,
    ],
    ['a foreign issuer in the metadata', metadataOf({ issuer: 'https://honest.example' }), /names another issuer/],
    ['an issuer with a slash more', metadataOf({ issuer: `${issuer}/` }), /names another issuer/],
    ['an issuer in other letters', metadataOf({ issuer: 'https://AS.example' }), /names another issuer/],
    ['no PKCE methods', metadataOf({ code_challenge_methods_supported: undefined }), /PKCE with S256/],
    ['plain PKCE alone', metadataOf({ code_challenge_methods_supported: ['plain'] }), /PKCE with S256/],
    ['no token endpoint', metadataOf({ token_endpoint: undefined }), /no token endpoint/],
    ['a token endpoint by http', metadataOf({ token_endpoint: 'http://as.example/token' }), /"token_endpoint".*not an https URL/],
    [
      'a token endpoint on this machine',
      metadataOf({ token_endpoint: 'http://127.0.0.1:1/token' }),
      /"token_endpoint".*not an https URL/,
    ],
    [
      'a registration endpoint that is a file',
      metadataOf({ registration_endpoint: 'file:///etc/passwd' }),
      /"registration_endpoint".*not an https URL/,
    ],
    ...[
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'vbscript:x',
      'http://as.example/a',
      'https://u:p@as.example/a',
      'https://as.example/a#f',
      '$(id)',
      'calc.exe',
    ].map(
      (url) =>
        [
          `the authorization endpoint ${url}`,
          metadataOf({ authorization_endpoint: url }),
          /"authorization_endpoint".*not an https URL/,
        ] as const,
    ),
    ['no authorization endpoint', metadataOf({ authorization_endpoint: undefined }), /no authorization endpoint/],
    ['no way to register', metadataOf({ registration_endpoint: undefined }), /registers nobody by itself/],
    [
      'a registration refused',
      { [`${issuer}/register`]: () => failure(400, 'invalid_redirect_uri') },
      /did not register us \(invalid_redirect_uri\)/,
    ],
    [
      'no authorization server metadata at all',
      { [asMetadata]: () => new Response('', { status: 404 }) },
      /publishes no metadata/,
    ],
    ['a server in trouble', { [prm]: () => new Response('', { status: 503 }) }, /HTTP 503/],
  ]
  for (const [says, pages, cause] of broken)
    it(`not to where there is ${says}`, async () => {
      const one = desk({ pages })
      const refusal = await refusalOf(() => one.broker.begin('crm', alice))
      assert.equal(refusal.code, 'CREDENTIAL_UNAVAILABLE')
      assert.match(String(refusal.cause), cause)
      assert.deepEqual(one.world.posts(tokenUrl), [])
      assert.doesNotMatch(JSON.stringify(refusal), /hunter2/)
    })

  it('not to where a challenge points by http', async () => {
    const one = desk()
    await refusalOf(async () =>
      one.bound(alice).renew(await one.bound(alice).show(), challenge({ resourceMetadata: 'http://crm.example/x' })),
    )
    assert.match(String((await refusalOf(() => one.broker.begin('crm', alice))).cause), /not https/)
  })

  it('for a client that is registered elsewhere, nowhere', async () => {
    const one = desk({ config: { clientId: 'c', clientSecret: 'env:S', issuer: 'https://other.example' } })
    assert.match(String((await refusalOf(() => one.broker.begin('crm', alice))).cause), /does not name the configured "issuer"/)
    assert.deepEqual(
      one.world.asked.filter(({ url }) => url.startsWith('https://other')),
      [],
    )
  })

  it('in the order of the specification', async () => {
    const path = `${issuer}/tenant`
    const one = desk({ pages: { [prm]: { resource: serverUrl, authorization_servers: [path] } } })
    await refusalOf(() => one.broker.begin('crm', alice))
    const places = [
      `${issuer}/.well-known/oauth-authorization-server/tenant`,
      `${issuer}/.well-known/openid-configuration/tenant`,
      `${path}/.well-known/openid-configuration`,
    ]
    assert.deepEqual(
      one.world.asked.map(({ url }) => url),
      [prm, ...places],
    )
  })

  it('by the metadata of the origin where the path has none, and to the origin where there is none', async () => {
    const root = 'https://crm.example/.well-known/oauth-protected-resource'
    const one = desk({
      pages: {
        [prm]: () => new Response('', { status: 404 }),
        [root]: { resource: 'https://crm.example', authorization_servers: [issuer] },
      },
    })
    assert.equal(new URL(await one.broker.begin('crm', alice)).searchParams.get('resource'), 'https://crm.example')
    const two = desk({ pages: { [prm]: () => new Response('', { status: 404 }) } })
    await refusalOf(() => two.broker.begin('crm', alice))
    assert.equal(two.world.asked.at(2)?.url, 'https://crm.example/.well-known/oauth-authorization-server')
  })

  it('with state, PKCE, the resource as published, and no more scopes than are asked for', async () => {
    const one = desk({ pages: { [prm]: { resource: serverUrl, authorization_servers: [issuer], scopes_supported: ['a', 'b'] } } })
    const url = new URL(await one.broker.begin('crm', alice))
    const sent = Object.fromEntries(url.searchParams)
    assert.equal(url.origin + url.pathname, `${issuer}/authorize`)
    const { state, code_challenge, ...rest } = sent
    assert.match(`${state} ${code_challenge}`, /^[\w-]{43} [\w-]{43}$/)
    assert.deepEqual(rest, {
      response_type: 'code',
      client_id: 'dynamic',
      redirect_uri: 'https://gw.example/callback',
      code_challenge_method: 'S256',
      resource: serverUrl,
      scope: 'a b',
    })
    const { application_type, grant_types } = JSON.parse(
      one.world.asked.find(({ url: at }) => at === `${issuer}/register`)?.body ?? '{}',
    ) as Record<string, unknown>
    assert.deepEqual([application_type, grant_types], ['web', ['authorization_code', 'refresh_token']])
  })
})

describe('what the browser comes back with', () => {
  const answers: readonly (readonly [
    says: string,
    answer: (url: string) => URLSearchParams,
    who: typeof alice,
    detail: RegExp,
  ])[] = [
    [
      'no state',
      (url) => new URLSearchParams({ ...Object.fromEntries(back(url)), state: '' }),
      alice,
      /no request that was made here/,
    ],
    [
      'a state of its own',
      (url) => new URLSearchParams({ ...Object.fromEntries(back(url)), state: 'x'.repeat(43) }),
      alice,
      /no request that was made here/,
    ],
    ['another person', back, bob, /somebody else has begun it/],
    ['another issuer', (url) => back(url, { iss: 'https://evil.example' }), alice, /not come from the authorization server/],
    ['an issuer with a slash more', (url) => back(url, { iss: `${issuer}/` }), alice, /not come from the authorization server/],
    [
      'no issuer although one was promised',
      (url) => new URLSearchParams([...back(url)].filter(([name]) => name !== 'iss')),
      alice,
      /not come from the authorization server/,
    ],
    [
      'an error of a foreign issuer, which is not repeated',
      (url) => back(url, { iss: 'https://evil.example', error: 'call_this_number' }),
      alice,
      /^it does not come from the authorization server that was asked$/,
    ],
    [
      'an error',
      (url) => back(url, { error: 'access_denied', error_description: 'hunter2' }),
      alice,
      /^the authorization server answered access_denied$/,
    ],
    [
      'an error that is a text',
      (url) => back(url, { error: 'hunter2 <b>' }),
      alice,
      /^the authorization server answered with an error$/,
    ],
    ['no code', (url) => back(url, { code: '' }), alice, /no code/],
    ['two codes', (url) => new URLSearchParams(`${back(url)}&code=other`), alice, /"code" came twice/],
    ['two states', (url) => new URLSearchParams(`${back(url)}&state=other`), alice, /"state" came twice/],
  ]
  for (const [says, answer, who, detail] of answers)
    it(`${says}: refused, no code is sent anywhere, and it cannot be tried again`, async () => {
      const one = desk()
      const url = await one.broker.begin('crm', alice)
      const refusal = await refusalOf(() => one.broker.complete(answer(url), who))
      assert.equal(refusal.code, 'CONNECT_REFUSED')
      assert.match(String(refusal.detail), detail)
      assert.deepEqual(one.world.posts(tokenUrl), [])
      if (!/state/.test(says))
        assert.equal((await refusalOf(() => one.broker.complete(back(url), alice))).code, 'CONNECT_REFUSED')
    })

  it('too late: refused', async () => {
    const one = desk()
    const url = await one.broker.begin('crm', alice)
    one.world.nowMs += 600_001
    assert.match(String((await refusalOf(() => one.broker.complete(back(url), alice))).detail), /last ten minutes/)
  })

  it('a second time: refused', async () => {
    const one = desk()
    const url = await one.broker.begin('crm', alice)
    await one.broker.complete(back(url), alice)
    assert.equal((await refusalOf(() => one.broker.complete(back(url), alice))).code, 'CONNECT_REFUSED')
    assert.equal(one.world.posts(tokenUrl).length, 1)
  })

  it('for a server that has another address by then: refused', async () => {
    const one = desk()
    const url = await one.broker.begin('crm', alice)
    one.broker.bind({ server: 'crm', url: 'https://crm.example/other' }, { kind: 'oauth', algorithm: 'RS256' })
    assert.match(String((await refusalOf(() => one.broker.complete(back(url), alice))).detail), /another address/)
  })

  it('many requests of one person leave no room for more than twenty, and take none from others', async () => {
    const one = desk()
    const first = await one.broker.begin('crm', bob)
    const urls: string[] = []
    for (let i = 0; i < 25; i++) urls.push(await one.broker.begin('crm', alice))
    assert.equal((await refusalOf(() => one.broker.complete(back(urls[0] as string), alice))).code, 'CONNECT_REFUSED')
    assert.equal(await one.broker.complete(back(urls[24] as string), alice), 'crm')
    assert.equal(await one.broker.complete(back(first), bob), 'crm')
  })

  it('a code is exchanged with its verifier, for the same resource, by the registered client', async () => {
    const one = desk()
    const url = new URL(await one.broker.begin('crm', alice))
    await one.broker.complete(back(url.href), alice)
    const [{ code_verifier: verifier, ...form } = {}] = one.world.posts(tokenUrl)
    assert.equal(createHash('sha256').update(String(verifier)).digest('base64url'), url.searchParams.get('code_challenge'))
    assert.deepEqual(form, {
      grant_type: 'authorization_code',
      code: 'the-code',
      redirect_uri: 'https://gw.example/callback',
      resource: serverUrl,
      client_id: 'dynamic',
      client_secret: 's3cr3t',
    })
  })
})

describe('a user who has not connected', () => {
  it('is told where to, after the server has been asked without anything', async () => {
    const one = desk()
    const credential = one.bound(alice)
    assert.deepEqual(await credential.show(), bare)
    const refusal = await refusalOf(async () => credential.renew(bare, challenge()))
    assert.deepEqual([refusal.code, refusal['connect']], ['CREDENTIAL_NEEDED', 'https://gw.example/connect/crm'])
    assert.deepEqual(one.world.asked, [])
  })

  it('cannot connect to a server without such a credential, or where nothing can be kept', async () => {
    const one = desk({ ports: { store: undefined } })
    assert.equal((await refusalOf(() => one.bound(alice).show())).code, 'CREDENTIAL_UNAVAILABLE')
    one.broker.bind({ server: 'other', url: serverUrl }, { kind: 'static', secret: new Secret('env:S', 'x') })
    for (const server of ['other', 'unknown'])
      assert.equal((await refusalOf(() => one.broker.begin(server, alice))).code, 'CONNECT_REFUSED')
  })
})

describe('a store that fails', () => {
  const broken = () => Promise.reject(new Error('the vault cannot be opened'))
  const parts: readonly (readonly [says: string, store: object, act: (one: ReturnType<typeof desk>) => unknown])[] = [
    ['when it is read', { get: broken }, (one) => one.bound(alice).show()],
    ['when a registration is written', { put: broken }, (one) => one.broker.begin('crm', alice)],
  ]
  for (const [says, store, act] of parts)
    it(`${says}: refused, and the operator reads why`, async () => {
      const one = desk()
      const two = { ...one, ...one.open(serverUrl, { store: { ...one.world.store, ...store } }) }
      const refusal = await refusalOf(() => act(two as typeof one))
      assert.deepEqual([refusal.code, refusal.cause], ['CREDENTIAL_UNAVAILABLE', 'the tokens of users cannot be reached'])
      assert.match(one.world.lines.join(), /the vault cannot be opened/)
    })
})

describe('a user who has connected', () => {
  it('is shown as themselves, and nobody else is', async () => {
    const one = desk({ pages: { [tokenUrl]: () => token({ access_token: 'of-alice' }) } })
    await connected(one)
    assert.deepEqual([await headers(one), await headers(one, bob)], ['Bearer of-alice', undefined])
  })

  it('is still connected after a restart, and not at another address or as another client', async () => {
    const one = desk({ pages: { [tokenUrl]: () => token({ access_token: 'of-alice' }) } })
    await connected(one)
    assert.equal(await headers(one.open()), 'Bearer of-alice')
    assert.equal(await headers(one.open('https://elsewhere.example/mcp')), undefined)
    const broker = new Broker(one.world.options())
    const bound = broker.bind({ server: 'crm', url: serverUrl }, { kind: 'oauth', algorithm: 'RS256', clientId: 'c', issuer })
    assert.equal((await bound?.(alice).show())?.headers['authorization'], undefined)
  })

  it('is refreshed early by one request for all, which keeps the new refresh token', async () => {
    const one = desk({
      pages: {
        [tokenUrl]: ({ form }: { form: URLSearchParams }) =>
          token({ refresh_token: `after-${form.get('refresh_token') ?? 'code'}` }),
      },
    })
    await connected(one)
    one.world.nowMs += 3_000_000
    await Promise.all(Array.from({ length: 100 }, () => headers(one)))
    await new Promise((resolve) => setImmediate(resolve))
    const afterRestart = one.open()
    one.world.nowMs += 3_600_000
    await Promise.all(Array.from({ length: 100 }, () => headers(afterRestart)))
    assert.deepEqual(
      one.world.posts(tokenUrl).map(({ grant_type, refresh_token, resource }) => [grant_type, refresh_token, resource]),
      [
        ['authorization_code', undefined, serverUrl],
        ['refresh_token', 'after-code', serverUrl],
        ['refresh_token', 'after-after-code', serverUrl],
      ],
    )
  })

  for (const [says, status, error] of [
    ['was revoked', 400, 'invalid_grant'],
    ['needs the person again', 400, 'interaction_required'],
  ] as const)
    it(`whose refresh token ${says} is asked to connect again, and the spent one is not shown again`, async () => {
      let isSpent = false
      const one = desk({ pages: { [tokenUrl]: () => (isSpent ? failure(status, error) : token({ refresh_token: 'r' })) } })
      await connected(one)
      isSpent = true
      one.world.nowMs += 3_600_000
      const refusal = await refusalOf(() => one.bound(alice).show())
      assert.deepEqual([refusal.code, refusal['connect']], ['CREDENTIAL_NEEDED', 'https://gw.example/connect/crm'])
      await refusalOf(async () => one.bound(alice).renew(await one.bound(alice).show(), challenge()))
      assert.equal(one.world.posts(tokenUrl).length, 2)
      isSpent = false
      await connected(one)
      assert.ok(await headers(one))
    })

  it('with a token that the server refuses gets another, once for all who were refused', async () => {
    const one = desk({ pages: { [tokenUrl]: () => token({ refresh_token: 'r' }) } })
    await connected(one)
    one.world.nowMs += 20_000
    const credential = one.bound(alice)
    const shown = await credential.show()
    const all = await Promise.all(Array.from({ length: 100 }, () => credential.renew(shown, challenge())))
    assert.deepEqual([new Set(all), one.world.posts(tokenUrl).length], [new Set([true]), 2])
    assert.equal(await credential.renew(await credential.show(), challenge()), false)
  })

  it('shows nothing more to a server that has moved to another authorization server', async () => {
    const one = desk({ pages: { [tokenUrl]: () => token({ refresh_token: 'r' }) } })
    await connected(one)
    const credential = one.bound(alice)
    const shown = await credential.show()
    one.world.pages[prm] = { resource: serverUrl, authorization_servers: ['https://new.example'] }
    assert.equal((await refusalOf(() => credential.renew(shown, challenge()))).code, 'CREDENTIAL_NEEDED')
    assert.deepEqual([await headers(one), one.world.posts(tokenUrl).length], [undefined, 1])
    one.world.pages['https://new.example/.well-known/openid-configuration'] = {
      issuer: 'https://new.example',
      authorization_endpoint: 'https://new.example/a',
      token_endpoint: 'https://new.example/t',
      registration_endpoint: 'https://new.example/r',
      code_challenge_methods_supported: ['S256'],
    }
    one.world.pages['https://new.example/r'] = () => Response.json({ client_id: 'new-client' }, { status: 201 })
    assert.equal(new URL(await one.broker.begin('crm', alice)).searchParams.get('client_id'), 'new-client')
  })

  it('is asked for the scopes of before and the missing one together, and not twice for the same', async () => {
    const one = desk()
    const credential = one.bound(alice)
    await refusalOf(() => credential.renew(bare, challenge({ scope: ['read'] })))
    await connected(one)
    const shown = await credential.show()
    const refusal = await refusalOf(() =>
      credential.renew(shown, challenge({ status: 403, error: 'insufficient_scope', scope: ['write'] })),
    )
    assert.equal(refusal.code, 'CREDENTIAL_NEEDED')
    const url = await one.broker.begin('crm', alice)
    assert.equal(new URL(url).searchParams.get('scope'), 'read write')
    assert.equal((await credential.show()).headers['authorization'], shown.headers['authorization'])
    await one.broker.complete(back(url), alice)
    const again = await credential.show()
    assert.equal(await credential.renew(again, challenge({ status: 403, error: 'insufficient_scope', scope: ['write'] })), false)
  })

  it('is asked for offline_access where the authorization server has it, and scopes are asked for at all', async () => {
    for (const [scope, expected] of [
      [['a'], 'a offline_access'],
      [undefined, null],
    ] as const) {
      const one = desk({ as: { scopes_supported: ['offline_access'] } })
      await refusalOf(() => one.bound(alice).renew(bare, challenge({ scope })))
      assert.equal(new URL(await one.broker.begin('crm', alice)).searchParams.get('scope'), expected)
    }
  })
})

describe('who we are there', () => {
  it('the client of the configuration first, by its own secret', async () => {
    const one = desk({
      config: { clientId: 'ours', clientSecret: 'env:S', issuer },
      as: { client_id_metadata_document_supported: true },
    })
    await connected(one)
    assert.equal(one.world.asked.at(-1)?.headers['authorization'], `Basic ${Buffer.from('ours:s3cr3t').toString('base64')}`)
    assert.equal(one.world.asked.filter(({ url }) => url.endsWith('/register')).length, 0)
  })

  it('our document where it is understood and can be fetched, else registered once for all users', async () => {
    const clientMetadataUrl = 'https://gw.example/oauth/client.json'
    const consent = { redirectUri: 'https://gw.example/callback', clientMetadataUrl, connectUrl: () => '' }
    for (const [isUnderstood, clientId, registrations] of [
      [true, clientMetadataUrl, 0],
      [false, 'dynamic', 1],
    ] as const) {
      const one = desk({ ports: { consent }, as: { client_id_metadata_document_supported: isUnderstood } })
      for (const who of [alice, bob])
        assert.equal(new URL(await one.broker.begin('crm', who)).searchParams.get('client_id'), clientId)
      assert.equal(one.world.asked.filter(({ url }) => url.endsWith('/register')).length, registrations)
    }
  })

  it('our document says of us what an authorization server needs, and its own address', () =>
    assert.deepEqual(
      clientMetadata({
        redirectUri: 'https://gw.example/callback',
        clientMetadataUrl: 'https://gw.example/c.json',
        connectUrl: () => '',
      }),
      {
        client_id: 'https://gw.example/c.json',
        client_name: 'Sekisho',
        redirect_uris: ['https://gw.example/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        application_type: 'web',
        token_endpoint_auth_method: 'none',
      },
    ))

  it('registered again once the registration has run out, or the browser comes back elsewhere', async () => {
    const one = desk({
      pages: {
        [`${issuer}/register`]: () =>
          Response.json({ ...registration(), client_secret_expires_at: 1_800_000_100 }, { status: 201 }),
      },
    })
    await one.broker.begin('crm', alice)
    await one.broker.begin('crm', alice)
    one.world.nowMs += 200_000
    await one.broker.begin('crm', alice)
    assert.equal(one.world.asked.filter(({ url }) => url.endsWith('/register')).length, 2)
  })
})

describe('at a desk', () => {
  it('the browser is opened once for all who wait, and they go on', async () => {
    let opened = 0
    const meet = async (url: string) => (opened++, back(url))
    const consent = { redirectUri: 'http://127.0.0.1:4000/callback', connectUrl: () => '', meet }
    const one = desk({ ports: { consent } })
    const credential = one.bound(alice)
    assert.deepEqual(
      new Set(await Promise.all(Array.from({ length: 20 }, () => credential.renew(bare, challenge())))),
      new Set([true]),
    )
    assert.deepEqual([opened, (await credential.show()) === bare], [1, false])
    const { application_type } = JSON.parse(
      one.world.asked.find(({ url }) => url === `${issuer}/register`)?.body ?? '{}',
    ) as Record<string, unknown>
    assert.equal(application_type, 'native')
  })
})
