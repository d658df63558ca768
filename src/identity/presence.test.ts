import assert from 'node:assert/strict'
import test from 'node:test'
import { Stop } from '../lib/stop.ts'
import { type Claims, type Principal, plainPrincipal } from '../pipeline/parcel.ts'
import { Presence } from './presence.ts'
import { Revocations } from './revocations.ts'

const nowS = 1_800_000_000
const claims = (changes: Partial<Claims> = {}): Claims => ({
  client: 'editor',
  tenant: undefined,
  groups: [],
  roles: [],
  scopes: [],
  contexts: [],
  authenticatedAt: undefined,
  answersChallenges: false,
  tokenId: 'j1',
  issuedAt: nowS - 100,
  expiresAt: nowS + 100,
  ...changes,
})
const ada = (changes: Partial<Claims> = {}): Principal => ({
  kind: 'user',
  id: 'user:t.ada',
  holder: 'user:t.ada editor',
  claims: claims(changes),
})

function made() {
  const world = { now: nowS * 1000 }
  const revoked = new Revocations()
  const presence = new Presence({
    clock: { now: () => world.now, monotonic: () => world.now },
    isRevoked: (one) => revoked.has(one),
  })
  return { world, revoked, presence }
}

const revocations = [
  ['user', 'user:t.ada'],
  ['client', 'editor'],
  ['holder', 'user:t.ada editor'],
  ['token', 'j1'],
] as const
for (const [kind, value] of revocations)
  test(`whoever is revoked by ${kind} is shown out in the middle of a call; others are not`, () => {
    const { revoked, presence } = made()
    const [call, stream, other, keyed] = [new Stop(), new Stop(), new Stop(), new Stop()]
    presence.enter(ada(), call, false)
    presence.enter(ada(), stream, true)
    presence.enter({ ...ada({ client: 'other', tokenId: 'j2' }), id: 'user:t.bob', holder: 'user:t.bob other' }, other, true)
    presence.enter(plainPrincipal('api-key', value), keyed, true)
    assert.ok(revoked.replace([{ kind, value, at: nowS * 1000 }]))
    presence.review()
    assert.deepEqual(
      [call, stream, other, keyed].map(({ stopped }) => stopped),
      [true, true, false, false],
    )
    presence.close()
  })

test('what was issued after a revocation is good, what was issued in the same second is not', () => {
  const { revoked, presence } = made()
  revoked.replace([{ kind: 'user', value: 'user:t.ada', at: nowS * 1000 + 400 }])
  assert.equal(revoked.has(ada({ issuedAt: nowS })), true)
  assert.equal(revoked.has(ada({ issuedAt: nowS + 1 })), false)
  presence.close()
})

test('a stream ends with its token, a call does not', () => {
  const { world, presence } = made()
  const [call, stream] = [new Stop(), new Stop()]
  presence.enter(ada(), call, false)
  presence.enter(ada(), stream, true)
  world.now += 99_000
  presence.review()
  assert.ok(!stream.stopped)
  world.now += 2000
  presence.review()
  assert.deepEqual([call.stopped, stream.stopped], [false, true])
  presence.close()
})

test('whoever has left is left alone', () => {
  const { revoked, presence } = made()
  const stop = new Stop()
  presence.enter(ada(), stop, false)()
  revoked.replace([{ kind: 'user', value: 'user:t.ada', at: nowS * 1000 }])
  presence.review()
  assert.ok(!stop.stopped)
  presence.close()
})

test('the same list is no news', () => {
  const { revoked, presence } = made()
  const list = [{ kind: 'user', value: 'x', at: 1 } as const]
  assert.equal(revoked.replace(list), true)
  assert.equal(revoked.replace([...list]), false)
  assert.equal(revoked.replace([]), true)
  presence.close()
})
