import assert from 'node:assert/strict'
import test from 'node:test'
import type { Credentials } from '../pipeline/exchange.ts'
import { type Principal, plainPrincipal } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { newApiKey } from './api-keys.ts'
import { byApiKey, everyone } from './identifier.ts'

const ci = newApiKey('ci')
const ops = newApiKey('ops-1')
const keys = [
  { id: 'ci', sha256: ci.sha256 },
  { id: 'ops-1', sha256: ops.sha256 },
]
const { identify, isKnown } = byApiKey(keys)
const frame = (authorization?: string, rest: object = {}): Credentials =>
  ({ headers: { authorization }, entrance: undefined, ...rest }) as Credentials

const strangers: readonly [name: string, header: string | undefined][] = [
  ['no header', undefined],
  ['an empty header', ''],
  ['no scheme', ci.key],
  ['another scheme', `Basic ${ci.key}`],
  ['no token', 'Bearer '],
  ['a key that was never made', newApiKey('ci').key && `Bearer ${newApiKey('ci').key}`],
  ['a key with an id that is not configured', `Bearer ${newApiKey('nobody').key}`],
  ['the secret of one key with the id of another', `Bearer ${ops.key.replace('sk_ops-1_', 'sk_ci_')}`],
  ['the digest instead of the key', `Bearer ${ci.sha256}`],
  ['a key that is cut short', `Bearer ${ci.key.slice(0, -1)}`],
  ['a key with one letter more', `Bearer ${ci.key}A`],
  ['a key in other letters', `Bearer ${ci.key.toUpperCase()}`],
  ['the header twice', `Bearer ${ci.key}, Bearer ${ci.key}`],
  ['another header first', `Bearer x, Bearer ${ci.key}`],
  ['two keys', `Bearer ${ci.key} ${ops.key}`],
  ['a control character', `Bearer ${ci.key}\u0000`],
  ['an id of the prototype', `Bearer sk_constructor_${'A'.repeat(43)}`],
  ['a key of a megabyte', `Bearer sk_ci_${'A'.repeat(1_000_000)}`],
]
for (const [name, header] of strangers)
  test(`refuses ${name}`, () => {
    assert.throws(
      () => identify(frame(header)),
      (error: unknown) => {
        assert.ok(error instanceof Refusal)
        assert.equal(error.code, 'UNAUTHENTICATED')
        assert.equal(error.message, 'No valid credential came with the request.')
        assert.doesNotMatch(JSON.stringify(error), /sk_/)
        return true
      },
    )
  })

test('a credential anywhere else counts for nothing', () => {
  const elsewhere = {
    'x-api-key': ci.key,
    'mcp-session-id': ci.key,
    cookie: `token=${ci.key}`,
    'proxy-authorization': `Bearer ${ci.key}`,
  }
  const message = {
    kind: 'request',
    id: 1,
    method: 'ping',
    params: { _meta: { authorization: `Bearer ${ci.key}` }, token: ci.key },
  } as const
  assert.throws(() => identify(frame(undefined, { headers: elsewhere, message })), { code: 'UNAUTHENTICATED' })
})

test('the holder of a key is that key, however the scheme is spelt', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER'])
    assert.deepEqual(identify(frame(`${scheme} ${ci.key}`)), plainPrincipal('api-key', 'key:ci'))
  assert.deepEqual(identify(frame(`Bearer ${ops.key}`)), plainPrincipal('api-key', 'key:ops-1'))
  assert.ok(Object.isFrozen(identify(frame(`Bearer ${ci.key}`))))
})

test('in anonymous mode everyone is anonymous, and no header changes that', () => {
  for (const header of [undefined, 'Bearer x', `Bearer ${ci.key}`])
    assert.deepEqual(everyone(frame(header)), plainPrincipal('anonymous', 'anonymous'))
})

test('a new key under an old id is not the old one', () => {
  const before = byApiKey(keys).identify(frame(`Bearer ${ci.key}`)) as Principal
  assert.ok(isKnown(before))
  assert.ok(!byApiKey([{ id: 'ci', sha256: ops.sha256 }]).isKnown(before))
  assert.ok(!byApiKey([]).isKnown(before))
})
