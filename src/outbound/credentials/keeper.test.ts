import assert from 'node:assert/strict'
import test from 'node:test'
import { Refusal } from '../../pipeline/refusal.ts'
import type { Challenge } from './challenge.ts'
import { TokenRefused } from './failure.ts'
import { refusalOf, World } from './fixture.test.ts'
import { Keeper, type KeeperOptions } from './keeper.ts'
import type { Tokens } from './token-endpoint.ts'

const challenge: Challenge = {
  status: 401,
  error: 'invalid_token',
  scope: undefined,
  resourceMetadata: undefined,
  claims: undefined,
}

/** A keeper whose tokens live `lifeS`; `fail` is thrown instead while it is set. */
function kept({ lifeS = 3600, ...more }: Partial<KeeperOptions> & { lifeS?: number } = {}) {
  const world = new World()
  const state = { asked: 0, fail: undefined as unknown, gate: undefined as Promise<void> | undefined }
  const obtain = async (): Promise<Tokens> => {
    state.asked++
    await state.gate
    if (state.fail !== undefined) throw state.fail
    return { accessToken: `t${state.asked}`, obtainedAt: world.nowMs, expiresAt: world.nowMs + lifeS * 1000 }
  }
  const keeper = new Keeper({
    server: 'crm',
    clock: world.clock,
    random: () => 0.5,
    obtain,
    log: (line) => void world.lines.push(line),
    ...more,
  })
  const passes = (seconds: number): void => void (world.nowMs += seconds * 1000)
  return { world, state, keeper, passes }
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what cannot be had is refused with the reason, not asked for again at once, and later asked for again', async () => {
  const { keeper, state, passes, world } = kept()
  state.fail = new TokenRefused('invalid_client', 'the authorization server answered invalid_client')
  const first = await refusalOf(() => keeper.get())
  assert.deepEqual([first.code, first.cause], ['CREDENTIAL_UNAVAILABLE', 'the authorization server answered invalid_client'])
  for (let i = 0; i < 50; i++) assert.equal((await refusalOf(() => keeper.get())).code, 'CREDENTIAL_UNAVAILABLE')
  assert.equal(state.asked, 1)
  assert.deepEqual(world.lines, ['has no credential: the authorization server answered invalid_client'])
  state.fail = undefined
  passes(31)
  assert.equal((await keeper.get()).accessToken, 't2')
})

test('Retry-After is kept to, and said', async () => {
  const { keeper, state, passes } = kept()
  state.fail = new TokenRefused('http_429', 'busy', { isPassing: true, retryAfterMs: 90_000 })
  assert.equal((await refusalOf(() => keeper.get()))['retryAfterS'], 90)
  passes(60)
  assert.equal((await refusalOf(() => keeper.get()))['retryAfterS'], 30)
  assert.equal(state.asked, 1)
  passes(31)
  await refusalOf(() => keeper.get())
  assert.equal(state.asked, 2)
})

test('each failure that passes waits longer than the one before, up to a minute', async () => {
  const { keeper, state, passes } = kept()
  state.fail = new TokenRefused('http_503', 'down', { isPassing: true })
  const waits: unknown[] = []
  for (let i = 0; i < 9; i++) {
    waits.push((await refusalOf(() => keeper.get()))['retryAfterS'])
    passes(61)
  }
  assert.deepEqual(waits, [1, 2, 3, 6, 12, 24, 45, 45, 45])
})

test('a renewal that fails leaves the token in use until its end', async () => {
  const { keeper, state, passes } = kept()
  await keeper.get()
  state.fail = new TokenRefused('http_503', 'down', { isPassing: true })
  passes(3000)
  assert.equal((await keeper.get()).accessToken, 't1')
  await settled()
  assert.equal((await keeper.get()).accessToken, 't1')
  assert.equal(state.asked, 2)
  passes(600)
  assert.equal((await refusalOf(() => keeper.get())).code, 'CREDENTIAL_UNAVAILABLE')
})

test('what only the caller can mend is refused as it is, and not remembered against the next call', async () => {
  const { keeper, state, world } = kept()
  for (const [thrown, code] of [
    [new Refusal('CREDENTIAL_SUBJECT', { detail: 'crm' }), 'CREDENTIAL_SUBJECT'],
    [new TokenRefused('interaction_required', 'more', { claims: '{"a":1}' }), 'CLAIMS_REQUIRED'],
  ] as const) {
    state.fail = thrown
    assert.equal((await refusalOf(() => keeper.get())).code, code)
    assert.equal((await refusalOf(() => keeper.get())).code, code)
  }
  assert.deepEqual([state.asked, world.lines], [4, []])
})

test('an error of ours is not shown to the caller', async () => {
  const { keeper, state } = kept()
  state.fail = new Error('the secret is hunter2')
  assert.doesNotMatch(JSON.stringify(await refusalOf(() => keeper.get())), /hunter2/)
})

test('a hundred calls at once are one request', async () => {
  const { keeper, state } = kept()
  const all = await Promise.all(Array.from({ length: 100 }, () => keeper.get()))
  assert.deepEqual([new Set(all.map(({ accessToken }) => accessToken)), state.asked], [new Set(['t1']), 1])
})

test('a hundred refusals of one token are one renewal', async () => {
  const { keeper, state } = kept()
  await keeper.get()
  const all = await Promise.all(Array.from({ length: 100 }, () => keeper.replace('t1', challenge)))
  assert.deepEqual([new Set(all), state.asked], [new Set([true]), 2])
})

test('a fresh token that is refused too is not replaced again and again', async () => {
  const { keeper, state, passes } = kept()
  await keeper.get()
  assert.equal(await keeper.replace('t1', challenge), true)
  assert.equal(await keeper.replace('t2', challenge), false)
  assert.equal(state.asked, 2)
  passes(11)
  assert.equal(await keeper.replace('t2', challenge), true)
})

for (const { lifeS, early, late } of [
  { lifeS: 3600, early: 2690, late: 2710 },
  { lifeS: 100, early: 44, late: 46 },
  { lifeS: 30, early: 13, late: 14 },
])
  test(`a token of ${lifeS} s is renewed behind the calls between ${early} and ${late} s, jitter included`, async () => {
    const { keeper, state, passes } = kept({ lifeS })
    await keeper.get()
    passes(early)
    assert.equal((await keeper.get()).accessToken, 't1')
    await settled()
    assert.equal(state.asked, 1)
    passes(late - early)
    for (const tokens of await Promise.all(Array.from({ length: 100 }, () => keeper.get())))
      assert.equal(tokens.accessToken, 't1')
    await settled()
    assert.deepEqual([(await keeper.get()).accessToken, state.asked], ['t2', 2])
  })

test('jitter spreads the renewals of many', () => {
  const due = (random: number): boolean => {
    const { keeper, state, world } = kept({ random: () => random })
    keeper.take({ accessToken: 'a', obtainedAt: world.nowMs, expiresAt: world.nowMs + 1_000_000 })
    world.nowMs += 750_000
    void keeper.get()
    return state.asked === 1
  }
  assert.deepEqual([due(0), due(0.99)], [false, true])
})

test('a token that has all but run out is not shown', async () => {
  const { keeper, passes } = kept({ lifeS: 60 })
  await keeper.get()
  passes(56)
  assert.equal((await keeper.get()).accessToken, 't2')
})

test('a token that does not say how long it lives is used until it is refused', async () => {
  const { keeper, state, world, passes } = kept()
  keeper.take({ accessToken: 'a', obtainedAt: world.nowMs, expiresAt: undefined })
  passes(1_000_000)
  assert.deepEqual([(await keeper.get()).accessToken, state.asked], ['a', 0])
})

test('what cannot be renewed is used to its end', async () => {
  const { keeper, state, passes } = kept({ canRenew: () => false })
  await keeper.get()
  passes(3500)
  await keeper.get()
  await settled()
  assert.equal(state.asked, 1)
})
