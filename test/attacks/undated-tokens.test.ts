/** No token escapes the revocation of its user, client or holder by what it says, or does not say, of its age (AUTH-C4). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Principal } from '../../src/pipeline/parcel.ts'
import { type Issuer, issuer } from './support/issuer.ts'
import { resource, resourceServer } from './support/resource-server.ts'

let provider: Issuer
before(async () => {
  provider = await issuer()
})
after(() => provider.close())

const nowS = Math.floor(Date.now() / 1000)
const ages: readonly (readonly [name: string, claims: object])[] = [
  ['issued just now', { iat: nowS }],
  ['of an issuer whose clock is ahead', { iat: nowS + 25 }],
  ['without iat', { iat: undefined, exp: nowS + 27 * 3600 }],
  ['without iat, and valid from a moment ahead', { iat: undefined, nbf: nowS + 25 }],
]
const kinds = ['user', 'client', 'holder'] as const
for (const kind of kinds)
  for (const [name, claims] of ages)
    test(`a token ${name} is refused once its ${kind} is revoked`, async () => {
      const server = resourceServer(provider)
      const token = provider.token(resource, 'ada', claims)
      const { id, holder } = (await server.ask(token)) as Principal
      server.revoke(kind, { user: id, client: 'editor', holder }[kind], (nowS + 2) * 1000)
      assert.equal(await server.ask(token), 'UNAUTHENTICATED: the token has been revoked')
    })

test('a token of a login after it is good, once clocks cannot be the reason', async () => {
  const server = resourceServer(provider, { clockSkewS: 10 })
  const later = provider.token(resource, 'ada', { iat: nowS - 4 })
  const { id } = (await server.ask(later)) as Principal
  server.revoke('user', id, (nowS - 15) * 1000)
  assert.equal(((await server.ask(later)) as Principal).id, id)
  server.revoke('user', id, (nowS - 14) * 1000)
  assert.equal(await server.ask(later), 'UNAUTHENTICATED: the token has been revoked')
})
