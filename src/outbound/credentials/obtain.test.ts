import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { Broker } from './broker.ts'
import { alice, bob, configured, failure, issuer, metadata, refusalOf, serverUrl, token, World } from './fixture.test.ts'
import type { CredentialConfig } from './schema.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-obtain-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const tokenFile = join(folder, 'federated.jwt')
writeFileSync(tokenFile, 'platform.signed.this\n')

const tokenUrl = `${issuer}/token`
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const idpUrl = 'https://idp.example/token'
const entra = 'https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token'

const subject = { token: 'subject-of-alice', type: 'access_token' } as const
function shown(world: World, config: CredentialConfig, principal = alice, more: object = { subjectToken: async () => subject }) {
  const credential = new Broker(world.options(more)).bind({ server: 'crm', url: serverUrl }, config)?.(principal)
  assert.ok(credential)
  return { credential, show: async () => (await credential.show()).headers }
}
const secretClient = { clientId: 'gate way', clientSecret: 'env:S' }
const minimal = { kind: 'client-credentials', ...secretClient, tokenUrl }
const challenge = (more: object) => ({
  status: 401,
  error: undefined,
  scope: undefined,
  resourceMetadata: undefined,
  claims: undefined,
  ...more,
})

describe('what an authorization server may answer', () => {
  const answers: readonly (readonly [says: string, page: object, cause: RegExp])[] = [
    ['no JSON', () => new Response('<html>'), /without a usable access token/],
    ['no token', () => ({ token_type: 'Bearer' }), /without a usable access token/],
    ['an empty token', () => token({ access_token: '' }), /without a usable access token/],
    ['a token with a line break', () => token({ access_token: 'a\r\nx-admin: 1' }), /without a usable access token/],
    ['a token of a megabyte', () => token({ access_token: 'a'.repeat(1_000_000) }), /without a usable access token/],
    ['a token that is not a bearer token', () => token({ token_type: 'DPoP' }), /not a bearer token/],
    ['a token without a type', () => token({ token_type: undefined }), /not a bearer token/],
    ['a list', () => Response.json([]), /without a usable access token/],
    ['an error', () => failure(401, 'invalid_client'), /^the authorization server answered invalid_client$/],
    ['an error that is no code', () => failure(400, 'the secret is hunter2'), /^the authorization server answered http_400$/],
    [
      'an error of Entra',
      () => failure(400, 'invalid_grant', { error_codes: [70008] }),
      /answered invalid_grant \(AADSTS70008\)$/,
    ],
    ['trouble', () => new Response('hunter2', { status: 500 }), /answered http_500$/],
    ['nothing', () => Promise.reject(new Error('connect ECONNREFUSED hunter2')), /cannot be reached$/],
  ]
  for (const [says, page, cause] of answers)
    it(`${says} is refused, and not repeated`, async () => {
      const world = new World({ [tokenUrl]: page as never })
      const refusal = await refusalOf(shown(world, configured(minimal)).show)
      assert.equal(refusal.code, 'CREDENTIAL_UNAVAILABLE')
      assert.match(String(refusal.cause), cause)
      assert.doesNotMatch(JSON.stringify([refusal, world.lines]), /hunter2|s3cr3t/)
    })

  it('is asked for without following it elsewhere', async () => {
    const world = new World({ [tokenUrl]: token() })
    const seen: unknown[] = []
    const ports = {
      wayOut: () => (url: string, init: { redirect?: string }) => (seen.push(init.redirect), world.fetch(url, init as never)),
    }
    await shown(world, configured(minimal), alice, ports).show()
    assert.deepEqual(seen, ['error'])
  })
})

describe('client credentials', () => {
  it('prove themselves by Basic, encoded as RFC 6749 section 2.3.1 has it, and name the resource', async () => {
    const world = new World({ [tokenUrl]: token({ access_token: 'mine' }) })
    assert.deepEqual(await shown(world, configured({ ...minimal, scope: 'a b' }, { 'env:S': 'p:ss wörd' })).show(), {
      authorization: 'Bearer mine',
    })
    assert.deepEqual(world.posts(tokenUrl), [{ grant_type: 'client_credentials', scope: 'a b', resource: serverUrl }])
    const [{ headers } = { headers: {} }] = world.asked as { headers: Record<string, string> }[]
    assert.equal(headers['authorization'], `Basic ${Buffer.from('gate+way:p%3Ass+w%C3%B6rd').toString('base64')}`)
  })

  const methods: readonly (readonly [supported: readonly string[] | undefined, expected: string])[] = [
    [undefined, 'basic'],
    [['client_secret_post'], 'post'],
    [['client_secret_post', 'client_secret_basic'], 'basic'],
    [['private_key_jwt'], 'refused'],
  ]
  for (const [supported, expected] of methods)
    it(`are proved by ${expected} where the server supports ${supported ?? 'what it does not say'}`, async () => {
      const world = new World({ ...metadata({ token_endpoint_auth_methods_supported: supported }), [tokenUrl]: token() })
      const { show } = shown(world, configured({ kind: 'client-credentials', ...secretClient, issuer }))
      if (expected === 'refused') return assert.match(String((await refusalOf(show)).cause), /accepts neither/)
      await show()
      const asked = world.asked.at(-1)
      assert.equal(
        asked?.headers['authorization']?.startsWith('Basic ') ? 'basic' : asked?.form.get('client_secret') === 's3cr3t' && 'post',
        expected,
      )
    })

  it('sign an assertion for the issuer with private_key_jwt, a new one each time', async () => {
    const world = new World({ ...metadata(), [tokenUrl]: () => token({ expires_in: 1 }) })
    const client = { clientId: 'gateway', privateKey: 'env:P', algorithm: 'ES256', keyId: 'k1' }
    const { show } = shown(world, configured({ kind: 'client-credentials', ...client, issuer }, { 'env:P': pem }))
    await show()
    await show()
    const [one, two] = world.posts(tokenUrl).map((form) => form['client_assertion'] as string)
    assert.equal(world.posts(tokenUrl)[0]?.['client_assertion_type'], 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    const { payload } = await jwtVerify(one as string, keys.publicKey, {
      audience: issuer,
      issuer: 'gateway',
      currentDate: new Date(world.nowMs),
    })
    assert.deepEqual([payload.sub, decodeProtectedHeader(one as string)['kid']], ['gateway', 'k1'])
    assert.notEqual(payload.jti, decodeJwt(two as string).jti)
  })

  it('say that a key is unusable without its text', async () => {
    const world = new World({ [tokenUrl]: token() })
    const refusal = await refusalOf(
      shown(
        world,
        configured({ kind: 'client-credentials', clientId: 'c', privateKey: 'env:P', tokenUrl }, { 'env:P': 'hunter2' }),
      ).show,
    )
    assert.match(String(refusal.cause), /"privateKey" is not a PKCS #8 key for RS256/)
    assert.doesNotMatch(JSON.stringify(refusal), /hunter2/)
  })

  it('are the same token for everyone, and one request for a hundred callers', async () => {
    const world = new World({ [tokenUrl]: () => token() })
    const bind = new Broker(world.options()).bind({ server: 'crm', url: serverUrl }, configured(minimal))
    const all = await Promise.all(
      Array.from({ length: 100 }, async (_, at) => (await bind?.(at % 2 ? alice : bob)?.show())?.headers['authorization']),
    )
    assert.deepEqual([new Set(all).size, world.asked.length], [1, 1])
  })

  it('send Entra no resource beside its scope', async () => {
    const world = new World({ [entra]: token() })
    await shown(world, configured({ ...minimal, tokenUrl: entra, scope: 'api://crm/.default' })).show()
    assert.equal(world.posts(entra)[0]?.['resource'], undefined)
  })

  it('take the scope that the server asks for only where none is configured', async () => {
    for (const [scope, expected] of [
      [undefined, 'wide'],
      ['narrow', 'narrow'],
    ] as const) {
      const world = new World({ [tokenUrl]: () => token() })
      const { credential } = shown(world, configured({ ...minimal, ...(scope && { scope }) }))
      await credential.renew(await credential.show(), challenge({ scope: ['wide'] }))
      assert.equal(world.posts(tokenUrl)[1]?.['scope'], expected)
    }
  })

  it('that are configured with scopes are not asked for more because a server wants it', async () => {
    const world = new World({ [tokenUrl]: () => token() })
    const { credential } = shown(world, configured({ ...minimal, scope: 'narrow' }))
    assert.equal(await credential.renew(await credential.show(), challenge({ status: 403, scope: ['wide'] })), false)
    assert.equal(world.asked.length, 1)
  })
})

describe('workload identity', () => {
  it('reads the token of the platform anew each time', async () => {
    const world = new World({ [entra]: () => token({ expires_in: 1 }) })
    const { show } = shown(
      world,
      configured({ kind: 'workload-identity', clientId: 'app', tokenFile, tokenUrl: entra, scope: 'api://crm/.default' }),
    )
    await show()
    writeFileSync(tokenFile, 'platform.signed.that')
    await show()
    assert.deepEqual(world.posts(entra)[1], {
      grant_type: 'client_credentials',
      scope: 'api://crm/.default',
      client_id: 'app',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'platform.signed.that',
    })
    assert.notEqual(world.posts(entra)[0]?.['client_assertion'], 'platform.signed.that')
  })

  it('can be the grant itself', async () => {
    const world = new World({ [tokenUrl]: token() })
    await shown(world, configured({ kind: 'workload-identity', use: 'grant', tokenFile, tokenUrl })).show()
    const { assertion, grant_type, resource } = world.posts(tokenUrl)[0] ?? {}
    assert.deepEqual(
      [assertion, grant_type, resource],
      ['platform.signed.that', 'urn:ietf:params:oauth:grant-type:jwt-bearer', serverUrl],
    )
  })

  it('says which file it misses', async () => {
    const gone = configured({ kind: 'workload-identity', use: 'grant', tokenFile: join(folder, 'gone'), tokenUrl })
    assert.match(String((await refusalOf(shown(new World(), gone).show)).cause), /"tokenFile" cannot be read \(ENOENT\)/)
  })
})

describe('on behalf of a person', () => {
  const personal: readonly (readonly [kind: string, given: object, at: string, form: object])[] = [
    [
      'token exchange',
      { kind: 'token-exchange', ...secretClient, tokenUrl, authMethod: 'client_secret_post', audience: 'crm' },
      tokenUrl,
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: subject.token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        audience: 'crm',
        resource: serverUrl,
        client_id: 'gate way',
        client_secret: 's3cr3t',
      },
    ],
    [
      'on-behalf-of, without a resource',
      { kind: 'on-behalf-of', tenant: 'contoso.example', ...secretClient, scope: 'api://crm/.default' },
      entra,
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: subject.token,
        requested_token_use: 'on_behalf_of',
        scope: 'api://crm/.default',
        client_id: 'gate way',
        client_secret: 's3cr3t',
      },
    ],
  ]
  for (const [says, given, at, form] of personal) {
    it(`${says}: the form`, async () => {
      const world = new World({ [at]: token({ access_token: 'for-alice' }) })
      assert.deepEqual(await shown(world, configured(given)).show(), { authorization: 'Bearer for-alice' })
      assert.deepEqual(world.posts(at), [form])
    })

    it(`${says}: refused for a caller without a token, and nothing is asked`, async () => {
      const world = new World({ [at]: token() })
      const refusal = await refusalOf(shown(world, configured(given), alice, {}).show)
      assert.deepEqual([refusal.code, world.asked], ['CREDENTIAL_SUBJECT', []])
    })

    it(`${says}: one person's token is not another's`, async () => {
      const world = new World({
        [at]: ({ form: sent }: { form: URLSearchParams }) =>
          token({ access_token: `for-${sent.get('subject_token') ?? sent.get('assertion')}` }),
      })
      const ports = world.options({ subjectToken: async ({ id }) => ({ token: `token-of-${id}`, type: 'access_token' }) })
      const bind = new Broker(ports).bind({ server: 'crm', url: serverUrl }, configured(given))
      const both = await Promise.all(
        [alice, bob, alice].map(async (who) => (await bind?.(who)?.show())?.headers['authorization']),
      )
      assert.deepEqual(both, ['Bearer for-token-of-key:alice', 'Bearer for-token-of-key:bob', 'Bearer for-token-of-key:alice'])
      assert.equal(world.asked.length, 2)
    })

    it(`${says}: a server that gives back what it was given is not believed`, async () => {
      const world = new World({ [at]: token({ access_token: subject.token }) })
      assert.match(String((await refusalOf(shown(world, configured(given)).show)).cause), /gave back the token of the caller/)
    })
  }

  it('Entra is asked for what the server said was missing', async () => {
    const world = new World({ [entra]: () => token() })
    const { credential } = shown(
      world,
      configured({ kind: 'on-behalf-of', tenant: 'contoso.example', ...secretClient, scope: 's' }),
    )
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    assert.equal(
      await credential.renew(
        await credential.show(),
        challenge({ error: 'insufficient_claims', claims: Buffer.from(claims).toString('base64') }),
      ),
      true,
    )
    assert.equal(world.posts(entra)[1]?.['claims'], claims)
  })

  const broken = ['bm90IGpzb24=', 'W10=', '%%%', Buffer.from(`{"a":"${'x'.repeat(9000)}"}`).toString('base64')]
  for (const claims of broken)
    it(`a claims challenge that is none is not passed on: ${claims.slice(0, 16)}`, async () => {
      const world = new World({ [entra]: () => token() })
      const { credential } = shown(
        world,
        configured({ kind: 'on-behalf-of', tenant: 'contoso.example', ...secretClient, scope: 's' }),
      )
      await credential.renew(await credential.show(), challenge({ claims }))
      assert.equal(world.posts(entra)[1]?.['claims'], undefined)
    })

  it('what Entra wants of the person goes to the person, as it was said, and is not asked again by ourselves', async () => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    const world = new World({ [entra]: () => failure(400, 'interaction_required', { claims }) })
    const { show } = shown(world, configured({ kind: 'on-behalf-of', tenant: 'contoso.example', ...secretClient, scope: 's' }))
    const refusal = await refusalOf(show)
    assert.deepEqual([refusal.code, Buffer.from(String(refusal['claims']), 'base64').toString()], ['CLAIMS_REQUIRED', claims])
    assert.equal(world.asked.length, 1)
  })
})

describe('ID-JAG', () => {
  const given = {
    kind: 'id-jag',
    ...secretClient,
    issuer,
    idp: { clientId: 'at-idp', clientSecret: 'env:I', authMethod: 'client_secret_post', tokenUrl: idpUrl },
  }
  const ports = { subjectToken: async () => ({ token: 'id-of-alice', type: 'id_token' }) }
  const jag = { access_token: 'the-grant', token_type: 'N_A', issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag' }

  it('asks the identity provider for a grant, and the server of the resource for a token', async () => {
    const world = new World({ ...metadata(), [idpUrl]: jag, [tokenUrl]: token({ access_token: 'for-alice' }) })
    assert.deepEqual(await shown(world, configured(given), alice, ports).show(), { authorization: 'Bearer for-alice' })
    assert.deepEqual(world.posts(idpUrl), [
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
        audience: issuer,
        resource: serverUrl,
        subject_token: 'id-of-alice',
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        client_id: 'at-idp',
        client_secret: 's3cr3t',
      },
    ])
    assert.deepEqual(world.posts(tokenUrl), [
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'the-grant' },
    ])
  })

  it('refuses another kind of token in place of the grant, and shows the identity of the caller to nobody else', async () => {
    const world = new World({
      ...metadata(),
      [idpUrl]: { ...jag, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
      [tokenUrl]: token(),
    })
    assert.match(String((await refusalOf(shown(world, configured(given), alice, ports).show)).cause), /not an ID-JAG/)
    assert.deepEqual(world.posts(tokenUrl), [])
  })
})
