/** What a user was given is no longer good, in whatever moment it was taken back: tokens are as old as the login they go back to (AUTH-C4, CD-C1). */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { type FrontHouse, openFrontHouse, until } from './support/front-house.ts'
import { type Answer, Client } from './support/oauth-client.ts'

let house: FrontHouse
afterEach(() => house.close())

const accessIn = ({ body }: Answer): string => String(body['access_token'])
const revoke = (user: string) => house.store.revoke('user', user, 'cli:me', 'stolen')
async function nextSecond(): Promise<void> {
  const next = Math.floor(Date.now() / 1000) + 1
  await until('another second has begun', () => Date.now() / 1000 >= next)
}

test('a refresh that waits for the provider while its user is revoked brings nothing', async () => {
  let meanwhile = async (): Promise<void> => undefined
  house = await openFrontHouse({ changes: { recheckMinutes: 1 }, beforeAsking: () => meanwhile() })
  const client = await Client.register(house)
  const tokens = await client.tokens()
  const user = await house.whoIs(String(tokens['access_token']))
  house.clock.advance(61_000)
  let asked = 0
  meanwhile = async () => {
    asked += 1
    await revoke(user)
    await house.obey()
    await nextSecond()
  }
  const got = await client.refresh(tokens['refresh_token'])
  assert.equal(asked, 1)
  assert.deepEqual([got.status, got.body['error']], [400, 'invalid_grant'])
  assert.equal(await house.whoIs(accessIn(got)), 'UNAUTHENTICATED')
})

/** Another process has written the revocation, and this one has not heard of it yet. */
const beforeItIsHeard: readonly (readonly [what: string, get: (client: Client) => Promise<() => Promise<Answer>>])[] = [
  [
    'a refresh token',
    async (client) => {
      const tokens = await client.tokens()
      return () => client.refresh(tokens['refresh_token'])
    },
  ],
  [
    'a refresh token that was rotated',
    async (client) => {
      const tokens = await client.tokens()
      const rotated = await client.refresh(tokens['refresh_token'])
      return () => client.refresh(rotated.body['refresh_token'])
    },
  ],
  [
    'a code',
    async (client) => {
      const login = await client.login()
      return () => client.redeem(login)
    },
  ],
]
for (const [what, get] of beforeItIsHeard)
  test(`an access token that was made of ${what} before the revocation was heard of is not good after it, nor is what comes of it`, async () => {
    house = await openFrontHouse()
    const client = await Client.register(house)
    const user = await house.whoIs(String((await client.tokens())['access_token']))
    const redeem = await get(client)
    await revoke(user)
    await nextSecond()
    const got = await redeem()
    assert.equal(got.status, 200)
    assert.equal(await house.whoIs(accessIn(got)), user, 'nobody has heard of it yet')
    await house.obey()
    assert.equal(await house.whoIs(accessIn(got)), 'UNAUTHENTICATED')
    assert.equal((await client.refresh(got.body['refresh_token'])).body['error'], 'invalid_grant')
    const again = await client.tokens()
    assert.equal(await house.whoIs(String(again['access_token'])), user, 'a new login')
  })
