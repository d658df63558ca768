import assert from 'node:assert/strict'
import test from 'node:test'
import type { RevocationStore } from '../../identity/revocations.ts'
import { openStore } from '../../storage/embedded.ts'
import { sessionsEnd } from './sessions-end.ts'
import { tokensRevocations } from './tokens-revocations.ts'
import { type TokensRevoke, tokensRevoke } from './tokens-revoke.ts'

const clock = { at: 5, now: () => clock.at, monotonic: () => 0 }
const by = 'cli:me'
/** `here`: who has been here. */
const hand = (store: Pick<RevocationStore, 'revoke'>, ...here: readonly string[]) => ({
  store,
  hasBeenHere: async (_kind: string, value: string) => here.includes(value),
})

const refused: readonly [says: string, asked: Partial<TokensRevoke>, error: object][] = [
  ['nothing', {}, { message: 'say whose tokens: one of --user, --client and --token' }],
  ['two at once', { user: 'user:t.a', token: 'j' }, { message: /one of --user, --client and --token/ }],
  [
    'a name',
    { user: 'ada@example.com' },
    { message: /"ada@example.com" is not the id of a user/, fix: /as the audit log shows it/ },
  ],
  ['an API key', { user: 'key:ci' }, { fix: 'an API key is revoked by taking it out of identity.keys' }],
  ['two words', { user: 'user:t.a editor' }, { message: /is not the id/ }],
]
for (const [says, asked, error] of refused)
  test(`tokens revoke refuses ${says}, and revokes nothing`, async () => {
    const store = await openStore('sqlite::memory:', clock)
    await assert.rejects(tokensRevoke(hand(store), { ...asked, by }), error)
    assert.deepEqual([await store.revocations(), await store.unrecorded()], [[], []])
    await store.close()
  })

for (const principal of ['', 'ada', 'user:', 'key:a b', 'Anonymous'])
  test(`sessions end refuses ${JSON.stringify(principal)}`, async () => {
    const store = await openStore('sqlite::memory:', clock)
    await assert.rejects(sessionsEnd(store, { principal, by }), { fix: /as sekisho sessions list shows it/ })
    await store.close()
  })

test('each revocation is kept with who and why, is listed, and leaves an act', async () => {
  const store = await openStore('sqlite::memory:', clock)
  await tokensRevoke(hand(store), { user: 'user:t.a', by, reason: 'lost laptop' })
  clock.at = 6
  await tokensRevoke(hand(store), { client: 'https://c.example/x', by })
  await tokensRevoke(hand(store), { token: 'j1', by })
  await sessionsEnd(store, { principal: 'anonymous', by, reason: 'odd traffic' })
  assert.deepEqual(await tokensRevocations(store), [
    { kind: 'user', value: 'user:t.a', at: '1970-01-01T00:00:00.005Z', by, reason: 'lost laptop' },
    { kind: 'client', value: 'https://c.example/x', at: '1970-01-01T00:00:00.006Z', by, reason: '' },
    { kind: 'sessions', value: 'anonymous', at: '1970-01-01T00:00:00.006Z', by, reason: 'odd traffic' },
    { kind: 'token', value: 'j1', at: '1970-01-01T00:00:00.006Z', by, reason: '' },
  ])
  assert.deepEqual(
    (await store.unrecorded()).map(({ action, detail }) => `${action} | ${detail}`),
    [
      'tokens.revoked | user user:t.a: lost laptop',
      'tokens.revoked | client https://c.example/x',
      'tokens.revoked | token j1',
      'sessions.ended | anonymous: odd traffic',
    ],
  )
  clock.at = 401 * 86_400_000
  await tokensRevoke(hand(store), { token: 'j2', by })
  assert.deepEqual(
    (await store.revocations()).map(({ value }) => value),
    ['j2'],
    'what nothing can be about any more is forgotten',
  )
  await store.close()
})

const named: readonly [says: string, here: readonly string[], asked: string, revoked: object][] = [
  ['an id that is known', ['user:t.a'], 'user:t.a', { kind: 'user', value: 'user:t.a', known: true }],
  ['an id that nobody knows', [], 'user:t.a', { kind: 'user', value: 'user:t.a', known: false }],
  ['the sub of a token', ['user:t.a'], 't.a', { kind: 'user', value: 'user:t.a', known: true }],
  ['the sub of a program', ['application:t.a'], 't.a', { kind: 'user', value: 'application:t.a', known: true }],
]
for (const [says, here, user, revoked] of named)
  test(`tokens revoke takes ${says}`, async () => {
    const store = await openStore('sqlite::memory:', clock)
    assert.deepEqual(await tokensRevoke(hand(store, ...here), { user, by }), revoked)
    assert.deepEqual(
      (await store.revocations()).map(({ value }) => value),
      [(revoked as { value: string }).value],
    )
    await store.close()
  })

test('tokens revoke does not choose between a user and an application, nor guess at one that nobody knows', async () => {
  const store = await openStore('sqlite::memory:', clock)
  const both = hand(store, 'user:t.a', 'application:t.a')
  await assert.rejects(tokensRevoke(both, { user: 't.a', by }), { fix: 'say which: user:t.a or application:t.a' })
  await assert.rejects(tokensRevoke(hand(store), { user: 't.a', by }), { message: /"t.a" is not the id of a user/ })
  assert.deepEqual(await store.revocations(), [])
  await store.close()
})
