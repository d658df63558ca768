/** What a configuration may say of credentials, and what happens to the secrets that it refers to. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { inspect } from 'node:util'
import type { HttpServer } from '../outbound/schema.ts'
import { readEnvironment } from './environment.ts'
import { checkConfig, parseConfig } from './load.ts'
import { maskedText } from './masked.ts'
import { ConfigRefused } from './problem.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-credential-'))
after(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'token'), 't')
const variables = { S: 's3cr3t', BROKEN: 'a\nb', HOME: folder }

const document = (credential: object, more: object = {}): string =>
  JSON.stringify({ servers: { crm: { url: 'https://crm.example/mcp', credential, ...more } } })
function load(credential: object, environment: Record<string, string> = variables) {
  const { servers } = parseConfig(document(credential), folder, readEnvironment(environment))
  return (servers['crm'] as HttpServer).credential
}
function problem(text: string): string {
  try {
    parseConfig(text, folder, readEnvironment(variables))
  } catch (error) {
    if (error instanceof ConfigRefused) return error.problems.map(({ path, message }) => `${path} ${message}`).join('\n')
    throw error
  }
  return ''
}

const client = { clientId: 'c', clientSecret: 'env:S', issuer: 'https://as.example' }
const machine = { kind: 'client-credentials', ...client }
const refused: readonly (readonly [says: string, credential: object, complaint: RegExp])[] = [
  ['a kind that would pass the client on', { kind: 'passthrough' }, /credential.kind cannot be "passthrough"/],
  ['no kind', { secret: 'env:S' }, /credential.kind is missing/],
  ['a key that is not known', { kind: 'static', secret: 'env:S', forward: true }, /credential.forward is not a key we know/],
  ['a key of another kind', { kind: 'static', secret: 'env:S', scope: 'x' }, /credential.scope means nothing with kind: static/],
  ['a secret written out', { kind: 'static', secret: 'hunter2' }, /credential.secret must say where the secret is kept/],
  [
    'a client secret written out',
    { ...machine, clientSecret: 'hunter2' },
    /credential.clientSecret must say where the secret is kept/,
  ],
  [
    'a secret of the identity provider written out',
    { kind: 'id-jag', ...client, idp: { ...client, clientSecret: 'hunter2' } },
    /credential.idp.clientSecret must say where the secret is kept/,
  ],
  [
    'a reference that cannot be followed',
    { kind: 'static', secret: 'vault:x' },
    /credential.secret must say where the secret is kept/,
  ],
  ['a reference that leads nowhere', { kind: 'static', secret: 'env:GONE' }, /credential.secret refers to the variable GONE/],
  ['a key that cannot stand in a header', { kind: 'static', secret: 'env:BROKEN' }, /cannot stand in a header/],
  ...[
    'Host',
    'Content-Length',
    'Mcp-Method',
    'mcp-session-id',
    'Connection',
    'Transfer-Encoding',
    'X-Forwarded-For',
    'Cookie',
    'Proxy-Authorization',
    'Last-Event-ID',
    'Accept',
    'Traceparent',
  ].map(
    (header) =>
      [
        `the header ${header}`,
        { kind: 'static', secret: 'env:S', header },
        /credential.header is a header with a meaning of its own/,
      ] as const,
  ),
  [
    'a header with a line break',
    { kind: 'static', secret: 'env:S', header: 'X-A\r\nX-B' },
    /credential.header is not the name of a header/,
  ],
  [
    'a client without an authorization server',
    { kind: 'client-credentials', clientId: 'c', clientSecret: 'env:S' },
    /needs either "issuer" or "tokenUrl"/,
  ],
  ['a client with two', { ...machine, tokenUrl: 'https://as.example/t' }, /needs either "issuer" or "tokenUrl"/],
  ['no proof', { kind: 'client-credentials', clientId: 'c', issuer: 'https://as.example' }, /needs exactly one of/],
  ['two proofs', { ...machine, privateKey: 'env:S' }, /needs exactly one of/],
  ['an issuer by http', { ...machine, issuer: 'http://as.example' }, /credential.issuer is not an https URL/],
  ['an issuer with credentials', { ...machine, issuer: 'https://a:b@as.example' }, /credential.issuer is not an https URL/],
  ['scopes separated by commas and line breaks', { ...machine, scope: 'a,\nb' }, /credential.scope is not a list of scopes/],
  ['a resource with a fragment', { ...machine, resource: 'https://a.example/#x' }, /credential.resource is not an absolute URI/],
  ['a user client without its authorization server', { kind: 'oauth', clientId: 'c' }, /credential.issuer is missing/],
  [
    'a user secret without its client',
    { kind: 'oauth', clientSecret: 'env:S', issuer: 'https://as.example' },
    /credential.clientId is missing/,
  ],
  [
    'an ID-JAG without an audience',
    { kind: 'id-jag', ...client, issuer: undefined, tokenUrl: 'https://as.example/t', idp: client },
    /needs "issuer"/,
  ],
  [
    'a tenant that is a path',
    { kind: 'on-behalf-of', tenant: '../x', clientId: 'c', clientSecret: 'env:S', scope: 's' },
    /credential.tenant is not a tenant/,
  ],
  [
    'a token file that is not there',
    { kind: 'workload-identity', use: 'grant', tokenFile: 'gone', issuer: 'https://as.example' },
    /credential.tokenFile names .*gone, which cannot be read/,
  ],
]
describe('refused, with its place', () => {
  for (const [says, credential, complaint] of refused)
    it(says, () => {
      const said = problem(document(credential))
      assert.match(said, complaint)
      assert.doesNotMatch(said, /hunter2|s3cr3t/)
    })

  it('the key of the vault as a credential', () => {
    const whole = {
      ...JSON.parse(document({ kind: 'static', secret: 'env:S' })),
      vault: { keyProvider: { kind: 'environment', secret: 'env:S' } },
    }
    assert.match(problem(JSON.stringify(whole)), /servers.crm.credential.secret hands the key of the vault to the server/)
  })

  it('a credential of a local server', () => {
    const text = JSON.stringify({ servers: { crm: { command: ['crm'], credential: { kind: 'none' } } } })
    assert.match(problem(text), /servers.crm.credential means nothing for a server with a command/)
  })
})

describe('accepted', () => {
  it('nothing at all, which is no credential', () => {
    const { servers } = parseConfig('servers: { crm: { url: "https://crm.example/mcp" } }', folder)
    assert.deepEqual((servers['crm'] as HttpServer).credential, { kind: 'none' })
  })

  it('secrets print as their reference, wherever the configuration is shown', () => {
    for (const credential of [{ kind: 'static', secret: 'env:S' }, machine, { kind: 'id-jag', ...client, idp: { ...client } }]) {
      const whole = load(credential)
      for (const shown of [JSON.stringify(whole), inspect(whole, { depth: 9, showHidden: true })]) {
        assert.match(shown, /\[env:S\]/)
        assert.doesNotMatch(shown, /s3cr3t/)
      }
    }
  })

  it('an excerpt shows what is no secret', () => {
    const text =
      'credential:\n  kind: workload-identity\n  tokenFile: ./token\n  tokenUrl: https://as.example/t\n  clientSecret: hunter2-hunter2\n'
    assert.match(maskedText(text), /tokenFile: \.\/token\n {2}tokenUrl: https:\/\/as\.example\/t/)
    assert.doesNotMatch(maskedText(text), /hunter2/)
  })

  it('a file beside the document', () => {
    const whole = load({ kind: 'workload-identity', use: 'grant', tokenFile: './token', issuer: 'https://as.example' })
    assert.equal(whole.kind === 'workload-identity' && whole.tokenFile, join(folder, 'token'))
  })

  const identity = { kind: 'managed-identity', resource: 'https://crm.example' }
  const platforms: readonly (readonly [
    says: string,
    environment: Record<string, string>,
    kind: string | undefined,
    url: string | undefined,
  ])[] = [
    ['any machine', {}, undefined, undefined],
    [
      'App Service',
      { IDENTITY_ENDPOINT: 'http://127.0.0.1:41/token', IDENTITY_HEADER: 'h' },
      'app-service',
      'http://127.0.0.1:41/token',
    ],
    ['App Service without its header', { IDENTITY_ENDPOINT: 'http://127.0.0.1:41/token' }, undefined, undefined],
    [
      'another address',
      { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:42/' },
      'imds',
      'http://127.0.0.1:42/metadata/identity/oauth2/token',
    ],
  ]
  for (const [says, environment, kind, url] of platforms)
    it(`a managed identity on ${says}`, () => {
      const whole = load(identity, environment)
      assert.ok(whole.kind === 'managed-identity')
      assert.deepEqual([whole.endpoint?.kind, whole.endpoint?.url], [kind, url])
    })

  it('an exchange, with a warning while no caller has a token', async () => {
    const file = join(folder, 'sekisho.yaml')
    const policy = { roles: { r: [] }, bindings: [{ role: 'r', anonymous: true }] }
    writeFileSync(file, JSON.stringify({ ...JSON.parse(document({ kind: 'token-exchange', ...client })), ...policy }))
    const { problems, warnings } = await checkConfig(file, variables)
    assert.deepEqual([problems, warnings.map(({ path }) => path)], [[], ['servers.crm.credential.kind']])
  })
})
