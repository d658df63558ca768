import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import type { JsonObject } from '../../lib/strict-json.ts'
import { metadataUrlsOf, SigningKeys } from './signing-keys.ts'

const issuer = 'https://idp.example'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = (kid: string, more: object = {}): JsonObject =>
  ({ ...rsa.publicKey.export({ format: 'jwk' }), kid, use: 'sig', ...more }) as JsonObject

/** A provider that can be changed, an hour glass, and what was asked. */
function made(keys: readonly JsonObject[] = [jwk('a')]) {
  const world = { keys: [...keys], now: 1_000_000, asked: [] as string[], isDown: false, document: { issuer } as JsonObject }
  const clock = { now: () => world.now, monotonic: () => world.now }
  const getJson = async (url: string): Promise<JsonObject> => {
    world.asked.push(url)
    if (world.isDown) throw new Error('down')
    if (url === `${issuer}/jwks`) return { keys: world.keys }
    return { jwks_uri: `${issuer}/jwks`, ...world.document }
  }
  const source = new SigningKeys({ metadataUrls: [`${issuer}/m`], isIssuer: (found) => found === issuer, getJson, clock })
  return { world, source, kids: async (kid?: string) => (await source.find(kid)).map((key) => key.kid) }
}

const refused: readonly (readonly [name: string, key: JsonObject])[] = [
  ['a symmetric key', { kty: 'oct', kid: 'a', k: 'AAAA' }],
  ['a private key', { ...(rsa.privateKey.export({ format: 'jwk' }) as JsonObject), kid: 'a' }],
  ['a key for encryption', jwk('a', { use: 'enc' })],
  ['a key of an unknown kind', { kty: 'XX', kid: 'a' }],
  ['a key without a modulus', { kty: 'RSA', kid: 'a', e: 'AQAB' }],
  ['a text', 'a' as unknown as JsonObject],
  ['nothing', null as unknown as JsonObject],
]
for (const [name, key] of refused) test(`never takes ${name}`, async () => assert.deepEqual(await made([key]).kids('a'), []))

test('refuses the document of another issuer, and one that names no keys', async () => {
  for (const document of [{ issuer: 'https://evil.example' }, { issuer: `${issuer}/` }, { issuer: 7 }, { issuer, jwks_uri: 7 }]) {
    const { world, source } = made()
    world.document = document as JsonObject
    await assert.rejects(source.find('a'))
  }
})

test('a provider that was never reached gives no keys; one that was is believed for a day', async () => {
  const { world, kids, source } = made()
  world.isDown = true
  await assert.rejects(source.find('a'), /down/)
  world.isDown = false
  assert.deepEqual(await kids('a'), ['a'])
  world.isDown = true
  world.now += 20 * 3_600_000
  assert.deepEqual(await kids('a'), ['a'])
  world.now += 5 * 3_600_000
  await assert.rejects(source.find('a'), /down/)
})

test('an unknown kid has the keys fetched again, at most once in five minutes', async () => {
  const { world, kids } = made()
  assert.deepEqual(await kids('a'), ['a'])
  world.keys = [jwk('b')]
  assert.deepEqual(await kids('b'), ['b'], 'a rollover is noticed at once')
  const before = world.asked.length
  for (let n = 0; n < 100; n++) assert.deepEqual(await kids(`stranger-${n}`), [])
  assert.equal(world.asked.length, before)
  world.now += 300_001
  await kids('stranger')
  assert.equal(world.asked.length, before + 2)
})

test('a key that was taken away counts no longer once the keys were fetched again', async () => {
  const { world, kids } = made([jwk('a'), jwk('b')])
  assert.deepEqual(await kids('a'), ['a'])
  world.keys = [jwk('b')]
  world.now += 3_600_001
  assert.deepEqual(await kids('a'), [])
})

test('a hundred who ask at once fetch once', async () => {
  const { world, kids } = made()
  await Promise.all(Array.from({ length: 100 }, () => kids('a')))
  assert.equal(world.asked.length, 2)
})

test('without a kid every key may be the one', async () => {
  assert.deepEqual(await made([jwk('a'), jwk('b')]).kids(undefined), ['a', 'b'])
})

test('metadata is looked for where RFC 8414 and OpenID Connect Discovery put it', () => {
  assert.deepEqual(metadataUrlsOf('https://a.example'), [
    'https://a.example/.well-known/openid-configuration',
    'https://a.example/.well-known/oauth-authorization-server',
  ])
  assert.deepEqual(metadataUrlsOf('https://a.example/t/1/'), [
    'https://a.example/t/1/.well-known/openid-configuration',
    'https://a.example/.well-known/oauth-authorization-server/t/1',
    'https://a.example/.well-known/openid-configuration/t/1',
  ])
})
