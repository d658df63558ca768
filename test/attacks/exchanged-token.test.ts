/** A token that was refused here is not exchanged at the provider for anybody (AUTH-C4, AUTH-C6). */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import type { Principal } from '../../src/pipeline/parcel.ts'
import { type Issuer, issuer } from './support/issuer.ts'
import { resource, resourceServer } from './support/resource-server.ts'

let provider: Issuer
before(async () => {
  provider = await issuer()
})
after(() => provider.close())

const nowS = Math.floor(Date.now() / 1000)
const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })

test('a token that is bound to a key which the sender does not show is not the one that is exchanged', async () => {
  const server = resourceServer(provider)
  const good = provider.token(resource, 'ada', { iat: nowS - 10 })
  const bound = provider.token(resource, 'ada', { cnf: { jkt: await calculateJwkThumbprint(jwk as never) } })
  const ada = (await server.ask(good)) as Principal
  for (const _ of ['first', 'remembered']) {
    assert.equal(await server.ask(bound), 'UNAUTHENTICATED: the token is bound to a key, and the proof of it is missing or wrong')
    assert.equal(await server.exchanged(ada), good)
  }
})

test('a revoked token is not the one that is exchanged, and the next good one is', async () => {
  const server = resourceServer(provider)
  const good = provider.token(resource, 'ada', { iat: nowS - 10 })
  const dead = provider.token(resource, 'ada', { jti: 'DEAD' })
  const ada = (await server.ask(good)) as Principal
  assert.notEqual(typeof (await server.ask(dead)), 'string')
  assert.equal(await server.exchanged(ada), dead, 'the newest')
  server.revoke('token', 'DEAD')
  assert.equal(await server.exchanged(ada), undefined)
  assert.equal(await server.ask(dead), 'UNAUTHENTICATED: the token has been revoked')
  assert.equal(await server.exchanged(ada), undefined)
  await server.ask(good)
  assert.equal(await server.exchanged(ada), good)
})
