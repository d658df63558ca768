import assert from 'node:assert/strict'
import test from 'node:test'
import { type Issued, type Revocable, Revocations } from './revocations.ts'

const issued: Issued = { user: 'user:t.a', client: 'editor', holder: 'user:t.a editor', tokenId: 'j1', issuedAt: 100 }
const at = (kind: Revocable, value: string, ms: number) => ({ kind, value, at: ms })

const cases: readonly [says: string, kind: Revocable, value: string, ms: number, covered: boolean][] = [
  ['a token of its user', 'user', 'user:t.a', 200_000, true],
  ['a token of its client', 'client', 'editor', 200_000, true],
  ['a token of user and client', 'holder', 'user:t.a editor', 200_000, true],
  ['the token itself', 'token', 'j1', 200_000, true],
  ['a token of the very second', 'user', 'user:t.a', 100_000, true],
  ['not a token that is younger', 'user', 'user:t.a', 99_999, false],
  ['not another user', 'user', 'user:t.b', 200_000, false],
  ['not a client with the name of the user', 'client', 'user:t.a', 200_000, false],
  ['not a token, where only sessions were ended', 'sessions', 'user:t.a', 200_000, false],
]
for (const [says, kind, value, ms, covered] of cases)
  test(`a revocation covers ${says}`, () => {
    const revocations = new Revocations()
    assert.equal(revocations.replace([at(kind, value, ms)]), true)
    assert.equal(revocations.replace([at(kind, value, ms)]), false, 'the same list is no news')
    assert.equal(revocations.covers(issued), covered)
  })

test('the latest of several moments counts; what is not known matches nothing', () => {
  const revocations = new Revocations()
  revocations.replace([at('user', 'user:t.a', 200_000), at('user', 'user:t.a', 1), at('client', 'undefined', 200_000)])
  assert.equal(revocations.covers(issued), true)
  assert.equal(
    revocations.covers({ ...issued, user: undefined, client: undefined, holder: undefined, tokenId: undefined }),
    false,
  )
  const anonymous = { kind: 'anonymous', id: 'anonymous', holder: 'anonymous' } as const
  assert.equal(revocations.has(anonymous), false)
  revocations.replace([at('sessions', 'anonymous', 7)])
  assert.equal(revocations.sessionsEndedAt(anonymous), 7)
})
