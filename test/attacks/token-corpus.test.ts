/**
 * AUTH-C4, TPT-C1, TPT-C2, TPT-R1, TPT-R3: tokens that look right. Every vector goes through the whole gateway, and the
 * verdict has to be that of an independent reference: `jose`'s own JWT validation with the same expectations, which is
 * also what a resource server does that checks the signature and the expiry alone (the control that is missing).
 */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createLocalJWKSet, type JWTVerifyOptions, jwtVerify } from 'jose'
import { createGateway, type LibraryGateway } from '../../src/index.ts'
import { Yard } from '../e2e/support/yard.ts'

const audience = 'https://gw.example.com/x/mcp'
const yard = new Yard()
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
const jwkOf = (key: KeyObject, more: object): object => ({ ...key.export({ format: 'jwk' }), use: 'sig', ...more })
const jwks = {
  keys: [
    jwkOf(rsa.publicKey, { kid: 'rsa' }),
    jwkOf(ec.publicKey, { kid: 'ec', alg: 'ES256' }),
    jwkOf(ed.publicKey, { kid: 'ed', alg: 'EdDSA' }),
    jwkOf(weak.publicKey, { kid: 'weak' }),
    { kty: 'oct', kid: 'oct', k: Buffer.from('shared-secret-of-the-whole-world').toString('base64url') },
    jwkOf(stranger.publicKey, { kid: 'enc', use: 'enc' }),
  ],
}

const b64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const now = Math.floor(Date.now() / 1000)
let issuer = ''
const payload = (changes: object = {}): Record<string, unknown> => ({
  iss: issuer,
  aud: audience,
  sub: 'ada',
  client_id: 'editor',
  scope: 'read',
  iat: now - 10,
  nbf: now - 10,
  exp: now + 600,
  jti: 'j1',
  ...changes,
})
const header = (changes: object = {}): object => ({ alg: 'RS256', typ: 'at+jwt', kid: 'rsa', ...changes })

const signers: Readonly<Record<string, (input: string) => Buffer>> = {
  RS256: (input) => sign('sha256', Buffer.from(input), rsa.privateKey),
  PS256: (input) => sign('sha256', Buffer.from(input), { key: rsa.privateKey, padding: 6, saltLength: 32 }),
  ES256: (input) => sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }),
  EdDSA: (input) => sign(null, Buffer.from(input), ed.privateKey),
  stranger: (input) => sign('sha256', Buffer.from(input), stranger.privateKey),
  weak: (input) => sign('sha256', Buffer.from(input), weak.privateKey),
  none: () => Buffer.alloc(0),
  /** The published key as the shared secret of an HMAC (CVE-2015-9235). */
  confused: (input) =>
    createHmac('sha256', rsa.publicKey.export({ type: 'spki', format: 'pem' }))
      .update(input)
      .digest(),
  shared: (input) => createHmac('sha256', 'shared-secret-of-the-whole-world').update(input).digest(),
}
type Signer = keyof typeof signers
function token(head: unknown, body: unknown, by: Signer = 'RS256'): string {
  const input = `${b64(head)}.${b64(body)}`
  return `${input}.${(signers[by] as (input: string) => Buffer)(input).toString('base64url')}`
}
const of = (changes: object = {}, head: object = {}, by?: Signer): string => token(header(head), payload(changes), by)
const without = (...names: string[]): string => {
  const rest = payload()
  for (const name of names) delete rest[name]
  return token(header(), rest)
}

/** `stricter`: the reference accepts it, and we have a reason not to. */
interface Vector {
  readonly name: string
  readonly make: () => string
  readonly stricter?: string
}
const good: readonly Vector[] = [
  { name: 'a token as it should be', make: () => of() },
  { name: 'PS256 with the same key', make: () => of({}, { alg: 'PS256' }, 'PS256') },
  { name: 'ES256', make: () => of({}, { alg: 'ES256', kid: 'ec' }, 'ES256') },
  { name: 'EdDSA', make: () => of({}, { alg: 'EdDSA', kid: 'ed' }, 'EdDSA') },
  { name: 'typ application/at+jwt', make: () => of({}, { typ: 'application/at+jwt' }) },
  { name: 'an audience among others', make: () => of({ aud: ['https://other.example', audience] }) },
  { name: 'expired a moment ago, within the skew', make: () => of({ exp: now - 5 }) },
  { name: 'from a clock that is a little ahead', make: () => of({ nbf: now + 10, iat: now + 10 }) },
  { name: 'no nbf', make: () => without('nbf') },
  { name: 'claims that nobody knows', make: () => of({ extra: { deep: [1, 2, 3] } }) },
  { name: 'a subject in another script', make: () => of({ sub: '利用者' }) },
]
const bad: readonly Vector[] = [
  { name: 'nothing', make: () => 'x' },
  { name: 'two parts', make: () => of().split('.').slice(0, 2).join('.') },
  { name: 'four parts', make: () => `${of()}.x` },
  { name: 'an empty signature', make: () => of().replace(/[^.]*$/, '') },
  { name: 'alg none', make: () => token({ alg: 'none', typ: 'at+jwt' }, payload(), 'none') },
  { name: 'alg None, and a signature of something', make: () => token({ alg: 'None' }, payload()) },
  { name: 'alg nOnE with a kid', make: () => of({}, { alg: 'nOnE' }) },
  { name: 'HS256 with our public key as the secret', make: () => of({}, { alg: 'HS256' }, 'confused') },
  { name: 'HS256 with the symmetric key in the JWKS', make: () => of({}, { alg: 'HS256', kid: 'oct' }, 'shared') },
  { name: 'RS256 said, ES256 signed', make: () => of({}, {}, 'ES256') },
  { name: 'ES256 said for an RSA key', make: () => of({}, { alg: 'ES256' }) },
  { name: 'RS1', make: () => of({}, { alg: 'RS1' }) },
  { name: 'no alg', make: () => token({ typ: 'at+jwt', kid: 'rsa' }, payload()) },
  { name: 'alg as a list', make: () => of({}, { alg: ['RS256'] }) },
  { name: 'a key that the issuer does not have', make: () => of({}, {}, 'stranger') },
  { name: 'a kid that nobody has', make: () => of({}, { kid: 'nobody' }) },
  { name: 'a kid that is a path', make: () => of({}, { kid: '../../dev/null' }) },
  { name: 'a kid that is a number', make: () => of({}, { kid: 7 }) },
  {
    name: 'the key along with the token (jwk)',
    make: () => of({}, { jwk: jwkOf(stranger.publicKey, {}), kid: undefined }, 'stranger'),
  },
  {
    name: 'a place for keys along with the token (jku)',
    make: () => of({}, { jku: 'http://127.0.0.1:1/jwks', kid: 'x' }, 'stranger'),
  },
  { name: 'a certificate along with the token (x5c)', make: () => of({}, { x5c: ['AAAA'], kid: 'x5c' }, 'stranger') },
  { name: 'a key that is for encryption', make: () => of({}, { kid: 'enc' }, 'stranger') },
  { name: 'an RSA key of 1024 bits', make: () => of({}, { kid: 'weak' }, 'weak') },
  { name: 'an extension that must be understood (crit)', make: () => of({}, { crit: ['exp'], exp: now }) },
  { name: 'an unencoded payload (b64)', make: () => of({}, { b64: false, crit: ['b64'] }) },
  { name: 'one letter of the payload changed', make: () => of().replace(/\.(.)/, (_, c) => `.${c === 'e' ? 'f' : 'e'}`) },
  {
    name: 'the payload of another token',
    make: () => [of().split('.')[0], of({ sub: 'eve' }).split('.')[1], of().split('.')[2]].join('.'),
  },
  { name: 'another issuer', make: () => of({ iss: 'https://evil.example' }) },
  { name: 'the issuer with a slash', make: () => of({ iss: `${issuer}/` }) },
  { name: 'the issuer in capitals', make: () => of({ iss: issuer.toUpperCase() }) },
  { name: 'the issuer as the beginning of another', make: () => of({ iss: `${issuer}.evil.example` }) },
  { name: 'the issuer in a list', make: () => of({ iss: [issuer] }) },
  { name: 'no issuer', make: () => without('iss') },
  { name: 'another audience', make: () => of({ aud: 'https://api.example.com' }) },
  { name: 'the audience of another server here', make: () => of({ aud: 'https://gw.example.com/y/mcp' }) },
  { name: 'the audience of the door to all servers', make: () => of({ aud: 'https://gw.example.com/mcp' }) },
  { name: 'the audience with a slash', make: () => of({ aud: `${audience}/` }) },
  { name: 'the audience in capitals', make: () => of({ aud: audience.toUpperCase() }) },
  { name: 'the audience as a part of one', make: () => of({ aud: 'https://gw.example.com' }) },
  { name: 'the audience by http', make: () => of({ aud: audience.replace('https', 'http') }) },
  { name: 'the audience with a query', make: () => of({ aud: `${audience}?x` }) },
  { name: 'an audience that is a pattern', make: () => of({ aud: '*' }) },
  { name: 'no audience', make: () => without('aud') },
  { name: 'an empty list of audiences', make: () => of({ aud: [] }) },
  { name: 'an audience that is an object', make: () => of({ aud: { [audience]: true } }) },
  { name: 'expired', make: () => of({ exp: now - 3600 }) },
  { name: 'expired just past the skew', make: () => of({ exp: now - 40 }) },
  { name: 'no expiry', make: () => without('exp') },
  { name: 'an expiry in words', make: () => of({ exp: String(now + 600) }) },
  { name: 'an expiry that is null', make: () => of({ exp: null }) },
  { name: 'not valid yet', make: () => of({ nbf: now + 3600 }) },
  { name: 'nbf in words', make: () => of({ nbf: 'now' }) },
  { name: 'issued in the future', make: () => of({ iat: now + 3600 }), stricter: 'a clock that is wrong, or a token for later' },
  { name: 'valid for a hundred years', make: () => of({ exp: now + 3_153_600_000 }), stricter: 'longer than tokenHoursMax' },
  { name: 'no subject', make: () => without('sub') },
  { name: 'an empty subject', make: () => of({ sub: '' }), stricter: 'everybody with an empty subject would be one user' },
  { name: 'a subject that is a number', make: () => of({ sub: 7 }) },
  { name: 'a client that is not accepted', make: () => of({ client_id: 'malware' }), stricter: 'clients' },
  { name: 'no client', make: () => without('client_id'), stricter: 'clients' },
  {
    name: 'a required claim that is missing',
    make: () => of({ scope: 'other' }),
    stricter: 'requiredClaims',
  },
  {
    name: 'an ID token',
    make: () => of({ nonce: 'n', at_hash: 'x' }, { typ: 'JWT' }),
    stricter: 'an ID token is for the client',
  },
  {
    name: 'an ID token for this audience, plain',
    make: () => token(header({ typ: 'JWT' }), { iss: issuer, aud: audience, sub: 'ada', iat: now, exp: now + 60 }),
    stricter: 'an ID token is for the client',
  },
  { name: 'a logout token', make: () => of({}, { typ: 'logout+jwt' }) },
  { name: 'an ID-JAG', make: () => of({}, { typ: 'oauth-id-jag+jwt' }) },
  { name: 'a DPoP proof', make: () => of({}, { typ: 'dpop+jwt' }) },
  { name: 'a security event', make: () => of({}, { typ: 'secevent+jwt' }) },
  { name: 'typ as an object', make: () => of({}, { typ: {} }) },
  { name: 'a token bound to a key, without the proof', make: () => of({ cnf: { jkt: 'x' } }), stricter: 'RFC 9449' },
  { name: 'a token bound to a certificate, without one', make: () => of({ cnf: { 'x5t#S256': 'x' } }), stricter: 'RFC 8705' },
  { name: 'a token bound to something unknown', make: () => of({ cnf: { kid: 'x' } }), stricter: 'RFC 7800' },
  { name: '64 KB', make: () => of({ filler: 'x'.repeat(65_536) }), stricter: 'size' },
  {
    name: 'the same claim twice',
    make: () => token(header(), JSON.stringify(payload()).replace('{', '{"sub":"eve",')),
    stricter: 'two readers, two subjects',
  },
  {
    name: 'the same header twice',
    make: () => token(JSON.stringify(header()).replace('{', '{"alg":"none",'), payload()),
    stricter: 'two readers, two algorithms',
  },
  {
    name: 'a claim of the prototype',
    make: () => token(header(), JSON.stringify(payload()).replace('{', '{"__proto__":{"admin":true},')),
    stricter: 'prototype pollution',
  },
  { name: 'a hundred levels deep', make: () => of({ deep: JSON.parse('['.repeat(100) + ']'.repeat(100)) }), stricter: 'depth' },
  {
    name: 'not UTF-8',
    make: () => {
      const input = `${b64(header())}.${Buffer.concat([Buffer.from('{"sub":"'), Buffer.from([0xff]), Buffer.from(`",${JSON.stringify(payload()).slice(1)}`)]).toString('base64url')}`
      return `${input}.${signers['RS256']?.(input).toString('base64url')}`
    },
  },
  { name: 'padding', make: () => of().replace('.', '=.') },
  { name: 'white space inside', make: () => of().replace('.', ' .') },
  { name: 'base64 instead of base64url', make: () => of().replaceAll('-', '+').replaceAll('_', '/').replace(/\./, '+.') },
  { name: 'a payload that is a list', make: () => token(header(), [payload()]) },
  { name: 'an encrypted token', make: () => [b64({ alg: 'RSA-OAEP', enc: 'A256GCM' }), 'AA', 'AA', 'AA', 'AA'].join('.') },
]

async function reference(text: string): Promise<boolean> {
  const options: JWTVerifyOptions = {
    issuer,
    audience,
    clockTolerance: 30,
    requiredClaims: ['exp', 'sub', 'iss', 'aud'],
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  }
  try {
    const { payload: read, protectedHeader } = await jwtVerify(text, createLocalJWKSet(jwks as never), options)
    return typeof read.sub === 'string' && [undefined, 'JWT', 'at+jwt', 'application/at+jwt'].includes(protectedHeader.typ)
  } catch {
    return false
  }
}

/** Looks at the signature and at the expiry, and believes the rest. */
async function naive(text: string): Promise<boolean> {
  try {
    await jwtVerify(text, createLocalJWKSet(jwks as never))
    return true
  } catch {
    return false
  }
}

describe('AUTH-C4: tokens that look right', () => {
  let gateway: LibraryGateway
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url === '/jwks' ? jwks : { issuer, jwks_uri: `${issuer}/jwks` }))
  })
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    gateway = await createGateway(
      {
        publicUrl: 'https://gw.example.com',
        identity: {
          mode: 'resource-server',
          provider: { kind: 'oidc', issuer },
          audience: 'resource',
          clients: ['editor'],
          requiredClaims: { scope: ['read'] },
        },
        servers: {
          x: {
            fetch: () =>
              Response.json({
                jsonrpc: '2.0',
                id: 1,
                result: { resultType: 'complete', tools: [], ttlMs: 0, cacheScope: 'private' },
              }),
            era: 'modern',
          },
        },
        roles: { all: [{ effect: 'allow', server: '*', tools: ['*'] }] },
        bindings: [{ role: 'all', client: 'editor' }],
      },
      { folder: yard.folder() },
    )
  })
  after(async () => {
    await gateway.close()
    server.close()
    await yard.close()
  })

  async function ask(authorization: string): Promise<Response> {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    return gateway.fetch(
      new Request(audience, {
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'tools/list',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } }),
      }),
    )
  }

  it(`has at least 60 vectors`, () => assert.ok(bad.length + good.length >= 60, `${bad.length + good.length}`))

  for (const { name, make, stricter } of bad)
    it(`refuses ${name}${stricter === undefined ? '' : ` (${stricter})`}`, async () => {
      const text = make().trim()
      const response = await ask(`Bearer ${text}`)
      assert.equal(response.status, 401)
      const challenge = response.headers.get('www-authenticate') ?? ''
      assert.match(challenge, /^Bearer /)
      assert.match(challenge, /resource_metadata="https:\/\/gw\.example\.com\/\.well-known\/oauth-protected-resource\/x\/mcp"/)
      assert.equal(await reference(text), stricter !== undefined)
      if (text.length > 20) assert.ok(!(challenge + (await response.text())).includes(text.slice(-20)))
    })

  for (const { name, make } of good)
    it(`accepts ${name}`, async () => {
      const response = await ask(`Bearer ${make()}`)
      assert.equal(response.status, 200, await response.clone().text())
      assert.equal(await reference(make()), true)
    })

  it('without the questions most of these would pass: a check of signature and expiry accepts them', async () => {
    const passed: string[] = []
    for (const { name, make } of bad) if (await naive(make())) passed.push(name)
    assert.ok(passed.includes('another audience') && passed.includes('an ID token') && passed.length >= 20, passed.join('; '))
  })

  it('a flood of unknown kids asks the issuer once', async () => {
    asked = 0
    for (let n = 0; n < 50; n++) assert.equal((await ask(`Bearer ${of({}, { kid: `flood-${n}` }, 'stranger')}`)).status, 401)
    assert.ok(asked <= 2, `${asked} requests`)
  })

  it('takes a token from the Authorization header alone', async () => {
    const text = of()
    for (const header of ['', `Basic ${text}`, text, `Bearer ${text}, Bearer ${text}`, `Bearer ${text} ${text}`])
      assert.ok([400, 401].includes((await ask(header)).status), header.slice(0, 12))
  })
})
