import assert from 'node:assert/strict'
import test from 'node:test'
import { identitySchema } from './schema.ts'
import { scopeForClass, scopesInFull } from './scopes.ts'

const guid = '11111111-aaaa-4aaa-8aaa-111111111111'
const entra = { kind: 'entra', tenant: guid }
const openId = { kind: 'oidc', issuer: 'https://login.example' }
const scopes = { read: 'mcp.read', write: 'mcp.write' }
const server = (provider: object, audience: unknown, names: object = scopes) =>
  identitySchema.parse({ mode: 'resource-server', provider, audience, scopes: names })

const cases: readonly (readonly [name: string, identity: ReturnType<typeof server>, inFull: readonly string[]])[] = [
  ['another provider', server(openId, 'resource'), ['mcp.read', 'mcp.write']],
  ['Entra with the id of the API', server(entra, 'gw'), ['api://gw/mcp.read', 'api://gw/mcp.write']],
  ['Entra with a URI', server(entra, ['resource', 'api://gw']), ['api://gw/mcp.read', 'api://gw/mcp.write']],
  ['Entra with a URL', server(entra, 'https://gw.example/'), ['https://gw.example/mcp.read', 'https://gw.example/mcp.write']],
  ['our own client id', server({ ...entra, clientId: 'me' }, 'resource'), ['api://me/mcp.read', 'api://me/mcp.write']],
  ['nothing to name the API by', server(entra, 'resource'), ['mcp.read', 'mcp.write']],
  [
    'what is written whole',
    server(entra, 'gw', { read: 'api://contoso/gw/mcp.read', write: 'mcp.write' }),
    ['api://contoso/gw/mcp.read', 'api://gw/mcp.write'],
  ],
  ['one for two classes', server(entra, 'gw', { read: 'mcp', write: 'mcp' }), ['api://gw/mcp']],
]
for (const [name, identity, inFull] of cases)
  test(`scopes to ask for, with ${name}`, () => {
    assert.deepEqual(scopesInFull(identity), inFull)
    const short = scopeForClass(identity, 'read')
    assert.ok(short === 'mcp.read' || short === 'mcp', 'as tokens have it')
  })
