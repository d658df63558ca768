/**
 * What is true when nobody has decided anything: no default secret, no open door, no fall-back to everything. cves.md:
 * GHSA-g53w-w6mj-hrpp (Kuadrant: `secret-api-key`, and an internal header that led to any backend), ContextForge #3891 (an unknown
 * id means everything) and GHSA-vgf8-3685-66j9 (a credential good in every environment).
 */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { parseConfig } from '../../src/config/load.ts'
import type { Gateway } from '../e2e/support/yard.ts'
import { modern } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { httpServer, keyed, open, passed, refused, yard } from './support/house.ts'

const house = yard()
const [here, elsewhere] = [keyed(['ci']), keyed(['ci'])]
let upstream: Echo
let gateways: Gateway[]

before(async () => {
  upstream = await echo()
  gateways = await Promise.all(
    [here, elsewhere].map(({ identity, bindings }) => house.gateway(open({ x: httpServer(upstream) }, { identity, bindings }))),
  )
})
after(async () => {
  await house.close()
  await upstream.close()
})

const at = (): string => `${(gateways[0] as Gateway).url}/x/mcp`
const ask = (headers: Record<string, string>) => modern(at(), 'tools/list', {}, { headers })

describe('no word opens the door that was not made here', () => {
  const guesses = [
    'secret-api-key',
    'changeme',
    'admin',
    'sekisho',
    'password',
    'test',
    'null',
    'undefined',
    'anonymous',
    'sk_ci_',
    `sk_ci_${'A'.repeat(43)}`,
    'Bearer',
  ]
  for (const guess of guesses)
    it(guess, async () => {
      upstream.heard.length = 0
      refused(await ask({ authorization: `Bearer ${guess}` }), 401, 'UNAUTHENTICATED', /No valid credential/)
      assert.deepEqual(upstream.heard, [])
    })

  it('the key of another installation, with the same id', async () => {
    refused(await ask({ authorization: `Bearer ${elsewhere.tokens['ci']}` }), 401, 'UNAUTHENTICATED', /No valid credential/)
    passed(await ask({ authorization: `Bearer ${here.tokens['ci']}` }))
  })

  it('the digest that stands in the configuration is not the key', async () => {
    const [{ sha256 }] = (here.identity as { keys: [{ sha256: string }] }).keys
    for (const word of [sha256, `sk_ci_${sha256}`, `sk_ci_${Buffer.from(sha256, 'hex').toString('base64url')}`])
      refused(await ask({ authorization: `Bearer ${word}` }), 401, 'UNAUTHENTICATED', /No valid credential/)
  })

  for (const header of [
    'x-sekisho-principal',
    'x-principal',
    'x-forwarded-user',
    'x-remote-user',
    'router-key',
    'x-mcp-server',
    'x-envoy-original-dst-host',
    'x-internal',
    'x-user',
    'x-original-url',
    'x-rewrite-url',
    'x-mcp-authorized',
  ])
    it(`the header ${header} means nothing`, async () => {
      refused(await ask({ [header]: 'key:ci' }), 401, 'UNAUTHENTICATED', /No valid credential/)
    })
})

describe('the keys of an installation are its own', () => {
  it('its key file is 32 bytes that only it may read, and no two are the same', () => {
    const files = gateways.map(({ folder }) => join(folder, 'data/sekisho.key'))
    const keys = files.map((file) => readFileSync(file))
    assert.ok(keys.every((key) => key.length === 32) && !(keys[0] as Buffer).equals(keys[1] as Buffer))
    for (const file of files) assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  it('no key of the configuration that holds a secret has a default', () => {
    const defaults: string[] = []
    JSON.stringify(configJsonSchema(), (key, value: { default?: unknown } | null) => {
      if (
        /key|secret|token|password|sha256|credential/i.test(key) &&
        typeof value === 'object' &&
        value !== null &&
        typeof value.default === 'string'
      )
        defaults.push(key)
      return value
    })
    assert.deepEqual(defaults, [])
  })
})

const key = { id: 'ci', sha256: 'a'.repeat(64) }
const all = { effect: 'allow', server: '*', tools: ['*'] }
const refusedConfigs: readonly (readonly [says: string, config: object])[] = [
  ['api-keys without a key', { identity: { mode: 'api-keys', keys: [] } }],
  ['api-keys with null for its keys', { identity: { mode: 'api-keys', keys: null } }],
  ['a key written out', { identity: { mode: 'api-keys', keys: [{ id: 'ci', key: 'secret' }] } }],
  ['two keys of one id', { identity: { mode: 'api-keys', keys: [key, key] } }],
  ['an unknown mode', { identity: { mode: 'none' } }],
  ['anonymous off loopback', { listen: '0.0.0.0:4180', identity: { mode: 'anonymous' } }],
  ['plain http off loopback', { listen: '0.0.0.0:4180', identity: { mode: 'api-keys', keys: [key] } }],
  ['everyone as a trusted proxy', { trustedProxies: ['0.0.0.0/0'] }],
  ['a wildcard for origins', { allowedOrigins: ['*'] }],
  ['a wildcard for hosts', { allowedHosts: ['*'] }],
  ['a binding to an unknown role', { bindings: [{ role: 'admin', anonymous: true }] }],
  ['a binding to nobody', { roles: { r: [all] }, bindings: [{ role: 'r' }] }],
  [
    'a binding to a key and to everyone',
    {
      identity: { mode: 'api-keys', keys: [key] },
      roles: { r: [all] },
      bindings: [{ role: 'r', anonymous: true, apiKey: 'ci' }],
    },
  ],
  ['a rule for an unknown server', { roles: { r: [{ effect: 'deny', server: 'typo', tools: ['*'] }] } }],
  ['a rule that names nothing', { roles: { r: [{ effect: 'deny', server: '*' }] } }],
  ['a rule with an unknown effect', { roles: { r: [{ ...all, effect: 'Deny' }] } }],
  ['a rule in other letters', { roles: { r: [{ ...all, Tools: ['*'] }] } }],
  ['a guard that does not exist', { guards: [{ guard: 'polcy', mode: 'enforce' }] }],
  ['a mode that does not exist', { guards: [{ guard: 'policy', mode: 'disabled' }] }],
  ['a built-in method of its own', { methods: { 'tools/call': { leg: 'notice', class: 'read' } } }],
  ['a built-in method in other letters', { methods: { 'Tools/Call': { leg: 'call', class: 'read' } } }],
  ['an internal act as a method of its own', { methods: { 'session/delete': { leg: 'notice', class: 'read' } } }],
  ['the admin listener off loopback', { admin: { listen: '0.0.0.0:4181' } }],
  ['a public address over http', { publicUrl: 'http://mcp.example.com' }],
]
describe('a configuration that would open a door is refused at start', () => {
  for (const [says, config] of refusedConfigs)
    it(says, () => {
      assert.throws(() => parseConfig(JSON.stringify(config)), { name: 'ConfigRefused' })
    })
  it('and an empty one allows nobody anything', () => {
    const { roles, bindings, listen, admin } = parseConfig('{}')
    assert.deepEqual([Object.keys(roles), bindings, listen.host, admin.listen.host], [[], [], '127.0.0.1', '127.0.0.1'])
  })
})
